"""One kind of feedback: topic -> queue -> function, and where messages go that nobody could use.

A channel of its own for each kind, so that a flood of deliveries cannot delay a complaint.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from ses_suppression.deployment import (
    MAX_RECEIVE_COUNT,
    ChannelOutput,
    NotificationType,
    Variable,
    configuration_set_name,
    topic_name,
)
from stacks.checks import acknowledge
from stacks.config import Config
from stacks.config_values import Feed
from stacks.function import make_function, parts_before
from stacks.suppression_table import SuppressionTable, grant_key_through

VISIBILITY_FACTOR = 6
"""A message is seen again after so many time-outs ("Using Lambda with Amazon SQS")."""

MAX_CONCURRENCY = 10
MEMORY_MB = 512

ENDPOINT_RETRIES = sns.HealthyRetryPolicy(
    min_delay_target=Duration.seconds(10),
    num_min_delay_retries=3,
    max_delay_target=Duration.minutes(5),
    num_max_delay_retries=6,
    num_retries=14,
    backoff_function=sns.BackoffFunction.EXPONENTIAL,
)
"""How SNS tries an app's endpoint again: soon at first, and for less than the hour that it allows,
however long the five tries in between wait: 3 x 10 s + (5 + 6) x 300 s."""


class Batching(NamedTuple):
    """How many messages a function gets at once, and how many seconds it may wait for them."""

    size: int
    window: int


# Lambda wants a window of at least a second for more than ten messages.
BATCHING = {
    NotificationType.BOUNCE: Batching(size=100, window=1),
    NotificationType.COMPLAINT: Batching(size=10, window=0),
    NotificationType.DELIVERY: Batching(size=1000, window=10),
}


class FeedbackChannel(Construct):
    """The path of one kind of feedback.

    Args:
        config: of the environment.
        carries: what SES publishes to it.
        key: what topic and queues are encrypted with.
        table: what the function writes.
        code: of all functions.
        variables: of all ingest functions.

    Attributes:
        way_in: what has to be there before SES publishes.
        before_function: what needs no table.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        carries: NotificationType,
        key: kms.IKey,
        table: SuppressionTable,
        code: lambda_.Code,
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._config, self._carries, self._key = config, carries, key
        self._endpoints = config.endpoints.get(carries.plural, ())
        timeout = Duration.seconds(config.function_timeout_seconds)
        self.topic = self._topic()
        self.visibility_timeout = Duration.seconds(VISIBILITY_FACTOR * timeout.to_seconds())
        self.dead_letter_queue = self._queue("DeadLetterQueue")
        self.queue = self._queue(
            "Queue",
            visibility_timeout=self.visibility_timeout,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letter_queue, max_receive_count=MAX_RECEIVE_COUNT
            ),
        )
        # SNS does not try again when a queue is gone or its policy is wrong.
        self.undelivered_queue = self._queue_of_subscriptions("UndeliveredQueue", "subscription")
        self.way_in: Sequence[IDependable] = (self.topic, self.queue, self._subscribe())
        self.endpoint_dead_letter_queue = (
            self._queue_of_subscriptions("EndpointDeadLetterQueue", "apps' subscriptions")
            if self._endpoints
            else None
        )
        endpoints = self._subscribe_endpoints()
        self.function = self._function(code, timeout, variables)
        self.before_function: Sequence[IDependable] = (
            self.dead_letter_queue,
            self.undelivered_queue,
            *([self.endpoint_dead_letter_queue] if self.endpoint_dead_letter_queue else []),
            *endpoints,  # SNS refuses an app that it cannot reach
            *parts_before(self.function),
        )
        self._feed()
        table.grant_ingest(self.function)

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the channel, by their names."""
        outputs = {
            ChannelOutput.TOPIC_ARN: self.topic.topic_arn,
            ChannelOutput.QUEUE_URL: self.queue.queue_url,
            ChannelOutput.DEAD_LETTER_QUEUE_URL: self.dead_letter_queue.queue_url,
            ChannelOutput.UNDELIVERED_QUEUE_URL: self.undelivered_queue.queue_url,
        }
        if self.endpoint_dead_letter_queue:
            url = self.endpoint_dead_letter_queue.queue_url
            outputs[ChannelOutput.ENDPOINT_DEAD_LETTER_QUEUE_URL] = url
            outputs[ChannelOutput.ENDPOINTS] = " ".join(self._endpoints)
        return {name.of(self._carries): value for name, value in outputs.items()}

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(
            self,
            "Topic",
            topic_name=topic_name(self._carries, self._config.environment),
            master_key=self._key,
            enforce_ssl=True,
            signature_version="2",  # of what an app's endpoint gets: SHA-256, where 1 is SHA-1
        )
        conditions: dict[str, dict[str, object]] = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}
        }
        if sources := _sources(self._config):
            ses = f"arn:{Aws.PARTITION}:ses:{Aws.REGION}:{Aws.ACCOUNT_ID}"
            conditions["ArnLike"] = {"aws:SourceArn": [f"{ses}:{source}" for source in sources]}
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("ses.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions=conditions,
            )
        )
        return topic

    def _queue(
        self,
        construct_id: str,
        *,
        visibility_timeout: Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=self._key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            visibility_timeout=visibility_timeout,
            dead_letter_queue=dead_letter_queue,
        )

    def _queue_of_subscriptions(self, construct_id: str, of: str) -> sqs.Queue:
        queue = self._queue(construct_id)
        acknowledge(queue, "SQS3", reason=f"it is itself the dead-letter queue, of the {of}")
        return queue

    def _subscribe(self) -> sns.Subscription:
        """Let the topic fill the queue.

        By hand, since CDK's own subscription refers to the topic in the policy of the key that the
        topic refers to.
        """
        subscription = sns.Subscription(
            self,
            "Subscription",
            topic=self.topic,
            protocol=sns.SubscriptionProtocol.SQS,
            endpoint=self.queue.queue_arn,
            raw_message_delivery=True,
            dead_letter_queue=self.undelivered_queue,
        )
        self.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.topic.topic_arn}},
            )
        )
        return subscription

    def _subscribe_endpoints(self) -> Sequence[sns.Subscription]:
        """Let apps hear of it too, each when it has confirmed its subscription.

        What an app did not take is kept on a queue of its own: the table has it already, and
        nothing may put it on the functions' queue once more.
        """
        return [
            sns.Subscription(
                self,
                f"Endpoint{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}",
                topic=self.topic,
                protocol=sns.SubscriptionProtocol.HTTPS,
                endpoint=endpoint,
                delivery_policy=sns.DeliveryPolicy(healthy_retry_policy=ENDPOINT_RETRIES),
                dead_letter_queue=self.endpoint_dead_letter_queue,
            )
            for endpoint in self._endpoints
        ]

    def _feed(self) -> None:
        """Let the queue call the function.

        By hand, since CDK's own event source lets the role decrypt with the key by itself, and the
        key is the table's too.
        """
        batching = BATCHING[self._carries]
        self.queue.grant(
            self.function, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"
        )
        lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=self.queue.queue_arn,
            batch_size=batching.size,
            max_batching_window=Duration.seconds(batching.window) if batching.window else None,
            max_concurrency=MAX_CONCURRENCY,
            report_batch_item_failures=True,
        )

    def _function(
        self, code: lambda_.Code, timeout: Duration, variables: Mapping[str, str]
    ) -> lambda_.Function:
        function = make_function(
            self,
            module=self._carries.plural,
            description=f"applies {self._carries.plural}",
            code=code,
            memory=MEMORY_MB,
            timeout=timeout,
            environment={
                **variables,
                Variable.DEAD_LETTER_QUEUE_URL: self.dead_letter_queue.queue_url,
            },
        )
        self.dead_letter_queue.grant(function, "sqs:SendMessage")
        grant_key_through(self._key, function, "sqs", "kms:Decrypt", "kms:GenerateDataKey*")
        return function


def _sources(config: Config) -> Sequence[str]:
    """Return what may publish to the topics: both feeds, so that a change of it loses nothing."""
    names = [f"identity/{identity.name}" for identity in config.identities]
    if not names and config.feed is Feed.IDENTITY:
        return ()
    return [*names, f"configuration-set/{configuration_set_name(config.environment)}"]
