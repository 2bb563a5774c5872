"""The alarms: what wants a person, and the topic that calls one.

An alarm is one thing to do, whatever the kind of feedback. Its description begins with the command
to run, and ends with where to read on. `docs/reliability.md` says which fault calls by which, and
after how many minutes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from ses_suppression.core.rules import Rule
from ses_suppression.deployment import CANARY_SERVICE, Metric, NotificationType
from stacks.feedback_channel import FeedbackChannel
from stacks.metrics import our_metric

OLDEST_MESSAGE = Duration.minutes(15)
_FIVE_MINUTES = Duration.minutes(5)
_RUNBOOK = "docs/operations.md"
_BOUNCES = NotificationType.BOUNCE.plural

SES_RATES = {
    # "Amazon SES sending review process FAQs": AWS reviews an account at the second of each.
    "Reputation.BounceRate": {"warning": 0.02, "review": 0.05},
    "Reputation.ComplaintRate": {"warning": 0.0005, "review": 0.001},
}


class Alarms(Construct):
    """Alarms on all that may stop feedback, or the permission to send.

    Args:
        environment: the environment's name.
        channels: the path of each kind of feedback.
        key: what the alarms' topic is encrypted with.
        emails: who is called; more can subscribe to the topic.
        suppressions_an_hour: more than so many are a spike: a provider's bad hour, or a bad list.
        canary_minutes: its interval; None: there is no canary.

    Attributes:
        topic: what they call through.
        before_functions: what needs no function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        channels: Mapping[NotificationType, FeedbackChannel],
        key: kms.IKey,
        emails: Sequence[str],
        suppressions_an_hour: int,
        canary_minutes: int | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self.topic = self._topic(key, emails)
        self._action = actions.SnsAction(self.topic)
        self._channels = channels
        self.before_functions: list[IDependable] = [self.topic]
        self._watch_queues()
        self._watch_functions()
        self._watch_verdicts(suppressions_an_hour)
        self._watch_ses()
        self._watch_account()
        if canary_minutes:
            self._watch_canary(Duration.minutes(canary_minutes))

    def _topic(self, key: kms.IKey, emails: Sequence[str]) -> sns.Topic:
        topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"ses-suppression-alarms-{self._environment}",
            display_name=f"SES suppression {self._environment}",
            master_key=key,
            enforce_ssl=True,
        )
        # The demand for TLS has taken the place of the topic's default policy.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        for email in emails:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic

    def _watch_queues(self) -> None:
        channels = list(self._channels.values())
        self._watch_left_over(
            "DeadLetters",
            "dead-letters show",
            "notifications that nobody could use",
            f"{_RUNBOOK}#the-dead-letter-alarm",
            [channel.dead_letter_queue for channel in channels],
        )
        self._watch_left_over(
            "Undelivered",
            "doctor",
            "SNS could not put notifications on a queue",
            f"{_RUNBOOK}#the-dead-letter-alarm",
            [channel.undelivered_queue for channel in channels],
        )
        endpoints = [
            channel.endpoint_dead_letter_queue
            for channel in channels
            if channel.endpoint_dead_letter_queue
        ]
        if endpoints:
            self._watch_left_over(
                "EndpointDeadLetters",
                "doctor",
                "an app's endpoint did not take notifications",
                "docs/webhook.md#when-the-app-does-not-take-it",
                endpoints,
            )
        self._alarm(
            "Lost",
            "doctor",
            "SNS lost notifications: neither a queue nor the queue behind it took them",
            f"{_RUNBOOK}#the-table-takes-nothing",
            _total(
                channels,
                lambda channel: channel.topic.metric(
                    "NumberOfNotificationsFailedToRedriveToDlq",
                    statistic="Sum",
                    period=_FIVE_MINUTES,
                ),
            ),
            above=0,
        )
        self._alarm(
            "Old",
            "doctor",
            "no function takes what waits on a queue, for more than "
            f"{OLDEST_MESSAGE.to_minutes():g} minutes",
            f"{_RUNBOOK}#the-table-takes-nothing",
            _total(
                channels,
                lambda channel: channel.queue.metric_approximate_age_of_oldest_message(
                    period=_FIVE_MINUTES, statistic="Maximum"
                ),
                function="MAX",
            ),
            above=OLDEST_MESSAGE.to_seconds(),
        )

    def _watch_left_over(
        self,
        construct_id: str,
        command: str,
        what: str,
        read_on: str,
        queues: Sequence[sqs.IQueue],
    ) -> None:
        """Call when anything is on a queue of what nobody took."""
        self._alarm(
            construct_id,
            command,
            what,
            read_on,
            _total(
                queues,
                lambda queue: queue.metric_approximate_number_of_messages_visible(
                    period=_FIVE_MINUTES, statistic="Maximum"
                ),
            ),
            above=0,
        )

    def _watch_functions(self) -> None:
        """Call when a function fails, or gives back what it could not write.

        A message that is given back is there again after the visibility time-out. Each period has
        to be long enough for it to be counted once in each.
        """
        channels = list(self._channels.values())
        visibility = max(channel.visibility_timeout.to_seconds() for channel in channels)
        period = Duration.minutes(max(_FIVE_MINUTES.to_minutes(), math.ceil(visibility / 60)))
        self._alarm(
            "GivenBack",
            "doctor",
            "functions give notifications back to the queue: the table does not take them",
            f"{_RUNBOOK}#the-table-takes-nothing",
            our_metric(Metric.GIVEN_BACK, period=period, environment=self._environment),
            above=0,
            times=2,
            of=3,
        )
        self._alarm(
            "FunctionErrors",
            "doctor",
            "a function fails: its log says why",
            f"{_RUNBOOK}#the-table-takes-nothing",
            _total(channels, lambda channel: channel.function.metric_errors(period=period)),
            above=0,
            times=2,
            of=3,
            needs_function=True,
        )
        self._alarm(
            "FunctionThrottles",
            "doctor",
            "functions are throttled: raise the account's concurrency",
            f"{_RUNBOOK}#the-table-takes-nothing",
            _total(
                channels, lambda channel: channel.function.metric_throttles(period=_FIVE_MINUTES)
            ),
            above=0,
            times=3,
            needs_function=True,
        )

    def _watch_verdicts(self, suppressions_an_hour: int) -> None:
        self._alarm(
            "SuppressionsSpike",
            "stats",
            f"more than {suppressions_an_hour:,} suppressions in an hour: a provider's bad hour, "
            "or a bad list",
            f"{_RUNBOOK}#the-incident",
            self._ours(Metric.SUPPRESSIONS, _BOUNCES, period=Duration.hours(1)),
            above=suppressions_an_hour,
        )
        # On the first: such mail is lost, and no address is held that would show it.
        self._alarm(
            "SenderFault",
            "explain",
            "your authentication is broken: a provider refuses mail for SPF, DKIM, DMARC, TLS or "
            "PTR; the dashboard says which",
            f"{_RUNBOOK}#the-senders-fault",
            self._ours(Rule.SENDER_FAULT, _BOUNCES, period=Duration.hours(1)),
            above=0,
        )

    def _watch_canary(self, interval: Duration) -> None:
        """Call when the canary fails, or falls silent, twice in a row."""
        self._alarm(
            "Canary",
            "doctor",
            "the mailbox simulator's bounce did not come back, twice in a row",
            f"{_RUNBOOK}#the-silence",
            self._ours(Metric.CANARY_FAILED, CANARY_SERVICE, period=interval),
            above=0,
            times=2,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _watch_ses(self) -> None:
        for metric_name, levels in SES_RATES.items():
            for level, rate in levels.items():
                short = metric_name.removeprefix("Reputation.")
                self._alarm(
                    f"{short}{level.capitalize()}",
                    "stats",
                    f"SES's {short} is {rate:.2%} or more"
                    + (", and AWS reviews the account" if level == "review" else ""),
                    f"{_RUNBOOK}#the-rates",
                    cloudwatch.Metric(
                        namespace="AWS/SES",
                        metric_name=metric_name,
                        period=Duration.hours(1),
                        statistic="Maximum",
                    ),
                    at_least=rate,
                )

    def _watch_account(self) -> None:
        """Call when SES sends no more, for the account or for a configuration set.

        EventBridge takes no conditions in the policy of a topic ("Using resource-based policies for
        Amazon EventBridge", user guide).
        """
        rule = events.Rule(
            self,
            "SendingDisabled",
            description="SES suppression list: calls when SES has disabled sending",
            event_pattern=events.EventPattern(
                source=["aws.ses"], detail_type=["Sending Status Disabled"]
            ),
            targets=[
                targets.SnsTopic(
                    self.topic,
                    message=events.RuleTargetInput.from_text(
                        f"ses-suppression --env {self._environment} doctor: SES has disabled "
                        f"sending. See {_RUNBOOK}#the-rates"
                    ),
                )
            ],
        )
        self.before_functions.append(rule)

    def _ours(self, name: str, service: str, *, period: Duration) -> cloudwatch.Metric:
        return our_metric(name, period=period, environment=self._environment, service=service)

    def _alarm(
        self,
        construct_id: str,
        command: str,
        what: str,
        read_on: str,
        metric: cloudwatch.IMetric,
        *,
        above: float | None = None,
        at_least: float | None = None,
        times: int = 1,
        of: int | None = None,
        needs_function: bool = False,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        operators = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{Stack.of(self).stack_name}-{construct_id}",
            alarm_description=(
                f"ses-suppression --env {self._environment} {command}: {what}. See {read_on}"
            ),
            metric=metric,
            threshold=above if above is not None else at_least or 0,
            comparison_operator=(
                operators.GREATER_THAN_THRESHOLD
                if above is not None
                else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            datapoints_to_alarm=times,
            evaluation_periods=of or times,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        if not needs_function:
            self.before_functions.append(alarm)


_Watched = TypeVar("_Watched")


def _total(
    watched: Sequence[_Watched],
    metric_of: Callable[[_Watched], cloudwatch.IMetric],
    *,
    function: str = "SUM",
) -> cloudwatch.IMetric:
    """Give one metric of several; what writes nothing counts as nothing."""
    metrics = {f"m{number}": metric_of(one) for number, one in enumerate(watched)}
    filled = ", ".join(f"FILL({name}, 0)" for name in metrics)
    period = next(iter(metrics.values())).to_metric_config().metric_stat
    return cloudwatch.MathExpression(
        expression=f"{function}([{filled}])",
        using_metrics=metrics,
        period=period.period if period else None,
        label="",
    )
