"""The alarms: what wants a person, and the topic that calls one.

An alarm is one thing to do, whatever the kind of feedback. Its description begins with the command
to run, and ends with where to read on. `docs/reliability.md` says which fault calls by which, and
after how many minutes.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

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
_FIVE_MINUTES, _HOUR = Duration.minutes(5), Duration.hours(1)
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
        self._alarm(
            "DeadLetters",
            "notifications that nobody could use",
            _count_messages([channel.dead_letter_queue for channel in channels]),
            command="dead-letters show",
            see=f"{_RUNBOOK}#the-dead-letter-alarm",
        )
        self._alarm(
            "Undelivered",
            "SNS could not put notifications on a queue",
            _count_messages([channel.undelivered_queue for channel in channels]),
            see=f"{_RUNBOOK}#the-dead-letter-alarm",
        )
        kept = [channel.endpoint_dead_letter_queue for channel in channels]
        if endpoints := [queue for queue in kept if queue]:
            self._alarm(
                "EndpointDeadLetters",
                "an app's endpoint did not take notifications",
                _count_messages(endpoints),
                see="docs/webhook.md#when-the-app-does-not-take-it",
            )
        lost = "NumberOfNotificationsFailedToRedriveToDlq"
        self._alarm(
            "Lost",
            "SNS lost notifications: neither a queue nor the queue behind it took them",
            _combine(
                channel.topic.metric(lost, statistic="Sum", period=_FIVE_MINUTES)
                for channel in channels
            ),
        )
        self._alarm(
            "Old",
            "no function takes what waits on a queue, for more than "
            f"{OLDEST_MESSAGE.to_minutes():g} minutes",
            _combine(
                (
                    channel.queue.metric_approximate_age_of_oldest_message(
                        period=_FIVE_MINUTES, statistic="Maximum"
                    )
                    for channel in channels
                ),
                function="MAX",
            ),
            above=OLDEST_MESSAGE.to_seconds(),
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
            "functions give notifications back to the queue: the table does not take them",
            our_metric(Metric.GIVEN_BACK, period=period, environment=self._environment),
            times=2,
            of=3,
        )
        self._alarm(
            "FunctionErrors",
            "a function fails: its log says why",
            _combine(channel.function.metric_errors(period=period) for channel in channels),
            times=2,
            of=3,
            needs_function=True,
        )
        self._alarm(
            "FunctionThrottles",
            "functions are throttled: raise the account's concurrency",
            _combine(
                channel.function.metric_throttles(period=_FIVE_MINUTES) for channel in channels
            ),
            times=3,
            needs_function=True,
        )

    def _watch_verdicts(self, suppressions_an_hour: int) -> None:
        self._alarm(
            "SuppressionsSpike",
            f"more than {suppressions_an_hour:,} suppressions in an hour: a provider's bad hour, "
            "or a bad list",
            self._ours(Metric.SUPPRESSIONS, _BOUNCES, period=_HOUR),
            command="stats",
            see=f"{_RUNBOOK}#the-incident",
            above=suppressions_an_hour,
        )
        # On the first: such mail is lost, and no address is held that would show it.
        self._alarm(
            "SenderFault",
            "your authentication is broken: a provider refuses mail for SPF, DKIM, DMARC, TLS or "
            "PTR; the dashboard says which",
            self._ours(Rule.SENDER_FAULT, _BOUNCES, period=_HOUR),
            command="explain",
            see=f"{_RUNBOOK}#the-senders-fault",
        )

    def _watch_canary(self, interval: Duration) -> None:
        """Call when the canary fails, or falls silent, twice in a row."""
        self._alarm(
            "Canary",
            "the mailbox simulator's bounce did not come back, twice in a row",
            self._ours(Metric.CANARY_FAILED, CANARY_SERVICE, period=interval),
            see=f"{_RUNBOOK}#the-silence",
            times=2,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _watch_ses(self) -> None:
        for metric_name, levels in SES_RATES.items():
            short = metric_name.removeprefix("Reputation.")
            metric = cloudwatch.Metric(
                namespace="AWS/SES", metric_name=metric_name, period=_HOUR, statistic="Maximum"
            )
            for level, rate in levels.items():
                self._alarm(
                    f"{short}{level.capitalize()}",
                    f"SES's {short} is {rate:.2%} or more"
                    + (", and AWS reviews the account" if level == "review" else ""),
                    metric,
                    command="stats",
                    see=f"{_RUNBOOK}#the-rates",
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
        what: str,
        metric: cloudwatch.IMetric,
        *,
        command: str = "doctor",
        see: str = f"{_RUNBOOK}#the-table-takes-nothing",
        above: float = 0,
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
                f"ses-suppression --env {self._environment} {command}: {what}. See {see}"
            ),
            metric=metric,
            threshold=at_least or above,
            comparison_operator=(
                operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
                if at_least
                else operators.GREATER_THAN_THRESHOLD
            ),
            datapoints_to_alarm=times,
            evaluation_periods=of or times,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        if not needs_function:
            self.before_functions.append(alarm)


def _count_messages(queues: Iterable[sqs.IQueue]) -> cloudwatch.IMetric:
    """Return the number of messages on several queues."""
    return _combine(
        queue.metric_approximate_number_of_messages_visible(
            period=_FIVE_MINUTES, statistic="Maximum"
        )
        for queue in queues
    )


def _combine(metrics: Iterable[cloudwatch.Metric], *, function: str = "SUM") -> cloudwatch.IMetric:
    """Return one metric of several of the same period; a metric without data counts as 0."""
    named = {f"m{number}": metric for number, metric in enumerate(metrics)}
    filled = ", ".join(f"FILL({name}, 0)" for name in named)
    return cloudwatch.MathExpression(
        expression=f"{function}([{filled}])",
        using_metrics=named,
        period=named["m0"].period,
        label="",
    )
