"""The alarms: what wants a person, and the topic that calls one.

One metric each, no mathematics: an alarm says one thing, and the name says which.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ses_suppression.providers import OTHER, PROVIDERS
from ses_suppression.rules import Rule
from stacks.feedback_channel import FeedbackChannel
from stacks.metrics import our_metric

OLDEST_MESSAGE = Duration.minutes(15)

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
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        channels: Mapping[str, FeedbackChannel],
        key: kms.IKey,
        emails: Sequence[str],
        suppressions_an_hour: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self.topic = self._topic(key, emails)
        self._action = actions.SnsAction(self.topic)
        for kind, channel in channels.items():
            self._watch(kind, channel)
        self._watch_spike(suppressions_an_hour)
        self._watch_sender_faults()
        self._watch_ses()

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

    def _watch(self, kind: str, channel: FeedbackChannel) -> None:
        name = kind.capitalize()
        five_minutes = Duration.minutes(5)
        self._watch_left_over(
            f"{name}DeadLetters",
            f"messages about {kind} that nobody could use: `dead-letters show`",
            channel.dead_letter_queue,
        )
        self._watch_left_over(
            f"{name}Undelivered",
            f"SNS could not put {kind} on their queue: `doctor`, then `dead-letters redrive`",
            channel.undelivered_queue,
        )
        if channel.endpoint_dead_letter_queue:
            self._watch_left_over(
                f"{name}EndpointDeadLetters",
                f"an app's endpoint did not take {kind}: look at the app, then docs/webhook.md",
                channel.endpoint_dead_letter_queue,
            )
        else:
            # It counts every try at an app too, which says nothing until the last has failed.
            self._alarm(
                f"{name}NotificationsFailed",
                f"SNS fails to deliver {kind}: `doctor`",
                channel.topic.metric_number_of_notifications_failed(period=five_minutes),
                above=0,
            )
        self._alarm(
            f"{name}Old",
            f"{kind} wait for longer than {OLDEST_MESSAGE.to_minutes():g} minutes: look at the "
            "function",
            channel.queue.metric_approximate_age_of_oldest_message(
                period=five_minutes, statistic="Maximum"
            ),
            above=OLDEST_MESSAGE.to_seconds(),
        )
        self._alarm(
            f"{name}FunctionErrors",
            f"the function of {kind} fails: read its log",
            channel.function.metric_errors(period=five_minutes),
            above=0,
            times=3,
        )
        self._alarm(
            f"{name}FunctionThrottles",
            f"the function of {kind} is throttled: raise the account's concurrency",
            channel.function.metric_throttles(period=five_minutes),
            above=0,
            times=3,
        )
        self._alarm(
            f"{name}Rejected",
            f"what came as {kind} is no notification of ours: `dead-letters show`",
            self._ours("Rejected", kind, period=five_minutes),
            above=0,
        )

    def _watch_left_over(self, construct_id: str, description: str, queue: sqs.IQueue) -> None:
        """Call when anything is on a queue of what nobody took."""
        self._alarm(
            construct_id,
            description,
            queue.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(5), statistic="Maximum"
            ),
            above=0,
        )

    def _watch_spike(self, suppressions_an_hour: int) -> None:
        self._alarm(
            "SuppressionsSpike",
            f"more than {suppressions_an_hour:,} suppressions in an hour: a provider's bad hour "
            "(`undo`), or a bad list",
            self._ours("Suppressions", "bounces", period=Duration.hours(1)),
            above=suppressions_an_hour,
        )

    def _watch_sender_faults(self) -> None:
        """Alarm on the first: such mail is lost, and no address is held that would show it."""
        for provider in PROVIDERS:
            where = "another provider" if provider == OTHER else provider
            self._alarm(
                f"SenderFault{''.join(filter(str.isalnum, provider.title()))}",
                f"your authentication is broken at {where}: it refuses mail for SPF, DKIM, DMARC, "
                "TLS or PTR. See docs/operations.md#the-senders-fault",
                our_metric(
                    Rule.SENDER_FAULT.value,
                    period=Duration.hours(1),
                    environment=self._environment,
                    provider=provider,
                ),
                above=0,
            )

    def watch_canary(self, *, minutes: int) -> None:
        """Call when the canary fails, or falls silent, twice in a row."""
        self._alarm(
            "Canary",
            "the mailbox simulator's bounce did not come back, twice in a row: `doctor --send`",
            self._ours("CanaryFailed", "canary", period=Duration.minutes(minutes)),
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
                    f"SES's {short} is {rate:.2%} or more"
                    + (": AWS reviews the account" if level == "review" else ""),
                    cloudwatch.Metric(
                        namespace="AWS/SES",
                        metric_name=metric_name,
                        period=Duration.hours(1),
                        statistic="Maximum",
                    ),
                    at_least=rate,
                )

    def _ours(self, name: str, kind: str, *, period: Duration) -> cloudwatch.Metric:
        return our_metric(name, period=period, environment=self._environment, service=kind)

    def _alarm(
        self,
        construct_id: str,
        description: str,
        metric: cloudwatch.IMetric,
        *,
        above: float | None = None,
        at_least: float | None = None,
        times: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        operators = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{Stack.of(self).stack_name}-{construct_id}",
            alarm_description=description,
            metric=metric,
            threshold=above if above is not None else at_least or 0,
            comparison_operator=(
                operators.GREATER_THAN_THRESHOLD
                if above is not None
                else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            evaluation_periods=times,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
