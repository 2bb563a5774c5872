"""The contract: every name that the stack, its functions, the client and the command share.

Operators and apps refer to these names, so they never change.
"""

from enum import StrEnum


class NotificationType(StrEnum):
    """What a topic carries, in SES's words ("SetIdentityNotificationTopic", SES API reference).

    >>> NotificationType.DELIVERY.plural, NotificationType.COMPLAINT.event_types
    ('deliveries', ('complaint', 'subscription'))
    """

    BOUNCE = "Bounce"
    COMPLAINT = "Complaint"
    DELIVERY = "Delivery"

    @property
    def plural(self) -> str:
        """The name in `cdk.json`, of the topic, of the function, and in metrics' `service`."""
        return "deliveries" if self is NotificationType.DELIVERY else f"{self.lower()}s"

    @property
    def event_types(self) -> tuple[str, ...]:
        """The types of event that a configuration set publishes to the topic.

        A recipient who unsubscribes asks for the same as one who complains.
        """
        is_complaint = self is NotificationType.COMPLAINT
        return ("complaint", "subscription") if is_complaint else (self.lower(),)


class Variable(StrEnum):
    """The environment variables of the functions; the first three are also those of an app's."""

    TABLE_NAME = "SUPPRESSION_TABLE_NAME"  # an ARN where the table is in another region
    POLICY = "SUPPRESSION_POLICY"
    ENVIRONMENT = "SUPPRESSION_ENVIRONMENT"
    FINGERPRINT_KEY = "FINGERPRINT_KEY"
    SENDING_ACCOUNT_IDS = "SENDING_ACCOUNT_IDS"
    DEAD_LETTER_QUEUE_URL = "DEAD_LETTER_QUEUE_URL"
    CANARY_SENDER = "CANARY_SENDER"


class StackOutput(StrEnum):
    """The outputs of the stack."""

    TABLE_NAME = "SuppressionTableName"
    TABLE_KEY_ARN = "SuppressionTableKeyArn"
    KEY_ARN = "SuppressionKeyArn"
    POLICY = "SuppressionPolicy"
    READER_POLICY_ARN = "ReaderPolicyArn"
    ALARMS_TOPIC = "AlarmsTopic"
    CANARY_FUNCTION_NAME = "CanaryFunctionName"
    FEED = "Feed"
    CONFIGURATION_SET_NAME = "ConfigurationSetName"
    IDENTITIES = "Identities"
    SENDING = "Sending"


class ChannelOutput(StrEnum):
    """The outputs of each channel: a topic with its queues.

    >>> ChannelOutput.QUEUE_URL.of(NotificationType.BOUNCE)
    'BouncesQueueUrl'
    """

    TOPIC_ARN = "TopicArn"
    QUEUE_URL = "QueueUrl"
    DEAD_LETTER_QUEUE_URL = "DeadLetterQueueUrl"
    UNDELIVERED_QUEUE_URL = "UndeliveredQueueUrl"
    ENDPOINT_DEAD_LETTER_QUEUE_URL = "EndpointDeadLetterQueueUrl"
    ENDPOINTS = "Endpoints"

    def of(self, notification_type: NotificationType) -> str:
        """Return the output's name."""
        return f"{notification_type.plural.capitalize()}{self}"


METRIC_NAMESPACE = "SESSuppression"


class Metric(StrEnum):
    """The metrics that the functions write, together with one for each rule that decided."""

    APPLIED = "Applied"
    ACKNOWLEDGED = "Acknowledged"
    REJECTED = "Rejected"
    RETRIED = "Retried"
    SUPPRESSIONS = "Suppressions"
    UNATTRIBUTED = "Unattributed"
    HANDED_BACK = "HandedBack"
    GIVEN_BACK = "GivenBack"  # of the environment: without the dimension `service`
    CANARY_SECONDS = "CanarySeconds"
    CANARY_FAILED = "CanaryFailed"


class Dimension(StrEnum):
    """The dimensions of the metrics."""

    ENVIRONMENT = "environment"
    SERVICE = "service"  # Powertools' own name: a notification type's plural, or the canary
    PROVIDER = "provider"


CANARY_SERVICE = "canary"

MAX_RECEIVE_COUNT = 20
"""A message is received this many times before it is a dead letter."""

STACK_PREFIX = "ses-suppression-"


def stack_name(environment: str) -> str:
    """Return the name of an environment's stack.

    >>> stack_name("prod")
    'ses-suppression-prod'
    """
    return f"{STACK_PREFIX}{environment}"


def configuration_set_name(environment: str) -> str:
    """Return the name of an environment's configuration set."""
    return f"ses-suppression-{environment}"


def topic_name(notification_type: NotificationType | None, environment: str) -> str:
    """Return the name of a topic; without a type, the pattern of all of them."""
    kind = notification_type.plural if notification_type else "*"
    return f"ses-{kind}-topic-{environment}"
