"""The dashboard: the operator's questions, from top to bottom."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from ses_suppression.core.policy import CONSEQUENCES, Count, Suppress
from ses_suppression.core.providers import PROVIDERS
from ses_suppression.core.rules import Rule
from ses_suppression.deployment import CANARY_SERVICE, Metric, NotificationType
from stacks.alarms import SES_RATES
from stacks.feedback_channel import FeedbackChannel
from stacks.metrics import our_metric

_WIDTH = 24
_PERIOD = Duration.minutes(5)


class Dashboard(Construct):
    """May we send, does feedback flow, who bounces, is anything stuck, what does it cost?

    Args:
        environment: the environment's name.
        channels: the path of each kind of feedback.
        table: the suppression table.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        channels: Mapping[NotificationType, FeedbackChannel],
        table: dynamodb.ITableV2,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._channels = {carries.plural: channel for carries, channel in channels.items()}
        self._dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            # Dashboards are not regional, and an environment may stand in two regions.
            dashboard_name=f"{Stack.of(self).stack_name}-{Stack.of(self).region}",
            period_override=cloudwatch.PeriodOverride.AUTO,
        )
        self._ask("Are we allowed to send?", self._rates())
        self._ask("Does feedback flow?", self._flow())
        self._ask("Who bounces?", self._bounces())
        self._ask("Is anything stuck?", self._stuck())
        self._ask("What does it cost?", self._cost(table))

    def _ask(self, question: str, graphs: Mapping[str, Sequence[cloudwatch.IMetric]]) -> None:
        width = _WIDTH // len(graphs)
        self._dashboard.add_widgets(
            cloudwatch.TextWidget(markdown=f"# {question}", width=_WIDTH, height=1)
        )
        self._dashboard.add_widgets(
            *(
                cloudwatch.GraphWidget(
                    title=title,
                    left=list(metrics),
                    left_annotations=_lines(title),
                    width=width,
                    height=6,
                )
                for title, metrics in graphs.items()
            )
        )

    def _rates(self) -> dict[str, list[cloudwatch.IMetric]]:
        rates: dict[str, list[cloudwatch.IMetric]] = {
            name: [_ses(name, statistic="Maximum", period=Duration.hours(1))] for name in SES_RATES
        }
        sent = [_ses(name) for name in ("Send", "Bounce", "Complaint", "Reject")]
        return rates | {"Mail": list(sent)}

    def _flow(self) -> dict[str, list[cloudwatch.IMetric]]:
        return {
            "Notifications from SES": [
                channel.topic.metric_number_of_messages_published(
                    label=kind, period=_PERIOD, statistic="Sum"
                )
                for kind, channel in self._channels.items()
            ],
            "Applied": [self._ours(Metric.APPLIED, kind, label=kind) for kind in self._channels],
            "Seconds until the canary's verdict": [
                self._ours(Metric.CANARY_SECONDS, CANARY_SERVICE, statistic="Maximum")
            ],
        }

    def _bounces(self) -> dict[str, list[cloudwatch.IMetric]]:
        rules = [
            rule
            for rule, then in CONSEQUENCES.items()
            if isinstance(then, Suppress | Count) or rule is Rule.SENDER_FAULT
        ]
        return {
            "By rule": [
                self._ours(rule, NotificationType.BOUNCE.plural, label=rule)
                for rule in rules
                if rule not in {Rule.COMPLAINT, Rule.SUPPRESS, Rule.IMPORT}
            ],
            "By receiving provider": [
                our_metric(
                    Metric.SUPPRESSIONS,
                    period=_PERIOD,
                    label=provider,
                    environment=self._environment,
                    provider=provider,
                )
                for provider in PROVIDERS
            ],
            "Complaints": [self._ours(Rule.COMPLAINT, NotificationType.COMPLAINT.plural)],
        }

    def _stuck(self) -> dict[str, list[cloudwatch.IMetric]]:
        channels = self._channels.items()
        return {
            "Age of the oldest message": [
                channel.queue.metric_approximate_age_of_oldest_message(
                    label=kind, period=_PERIOD, statistic="Maximum"
                )
                for kind, channel in channels
            ],
            "Messages that nobody could use": [
                queue.metric_approximate_number_of_messages_visible(
                    label=f"{kind}: {what}", period=_PERIOD, statistic="Maximum"
                )
                for kind, channel in channels
                for what, queue in (
                    ("dead letters", channel.dead_letter_queue),
                    ("undelivered", channel.undelivered_queue),
                )
            ],
            "Functions": [
                metric
                for kind, channel in channels
                for metric in (
                    channel.function.metric_errors(label=f"{kind}: errors"),
                    channel.function.metric_throttles(label=f"{kind}: throttles"),
                    self._ours(Metric.RETRIED, kind, label=f"{kind}: retried messages"),
                )
            ],
        }

    def _cost(self, table: dynamodb.ITableV2) -> dict[str, list[cloudwatch.IMetric]]:
        return {
            "Units of the table": [
                table.metric_consumed_read_capacity_units(label="read", period=_PERIOD),
                table.metric_consumed_write_capacity_units(label="written", period=_PERIOD),
            ],
            "Milliseconds of the functions": [
                channel.function.metric_duration(label=kind, period=_PERIOD, statistic="Sum")
                for kind, channel in self._channels.items()
            ],
            "Messages": [
                channel.queue.metric_number_of_messages_sent(label=kind, period=_PERIOD)
                for kind, channel in self._channels.items()
            ],
        }

    def _ours(
        self, name: str, service: str, *, label: str | None = None, statistic: str = "Sum"
    ) -> cloudwatch.Metric:
        return our_metric(
            name,
            period=_PERIOD,
            statistic=statistic,
            label=label,
            environment=self._environment,
            service=service,
        )


def _ses(name: str, *, statistic: str = "Sum", period: Duration = _PERIOD) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SES", metric_name=name, statistic=statistic, period=period
    )


def _lines(title: str) -> list[cloudwatch.HorizontalAnnotation]:
    """Draw where AWS warns and reviews."""
    return [
        cloudwatch.HorizontalAnnotation(value=rate, label=level)
        for level, rate in SES_RATES.get(title, {}).items()
    ]
