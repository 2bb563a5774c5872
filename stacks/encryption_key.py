"""The key: one for everything that holds addresses at rest."""

from collections.abc import Mapping

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct


class EncryptionKey(Construct):
    """A customer-managed key with yearly rotation that SES, SNS and alarms may use for our topics.

    It is kept when the stack goes: a retained table without its key is lost.

    Args:
        topic_names: a pattern of the names of the topics that use the key. A pattern, since a
            reference to the topics, which refer to the key, would go round in a circle.
        existing: the ARN of a key that is used instead. Its policy is its owner's: what is admitted
            here it has to admit itself.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, topic_names: str, existing: str | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.key: kms.IKey = (
            kms.Key.from_key_arn(self, "Key", existing) if existing else self._make(topic_names)
        )

    def _make(self, topic_names: str) -> kms.Key:
        key = kms.Key(
            self,
            "Key",
            description="SES suppression list: table, topics and queues",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        topics = f"arn:{Aws.PARTITION}:sns:{Aws.REGION}:{Aws.ACCOUNT_ID}:{topic_names}"
        # CDK adds none: without the first SES cannot publish, without the second SNS cannot put
        # what was published on the queues. AWS documents the first without a condition; who may
        # publish for whom, the topics' own policies say.
        # EventBridge, which tells of an account that may send no more, sends no condition's key.
        _admit(key, "events.amazonaws.com", None)
        _admit(key, "ses.amazonaws.com", None)
        _admit(key, "sns.amazonaws.com", {"ArnLike": {"aws:SourceArn": topics}})
        # The alarms' topic is under this key too ("Amazon SNS topics encrypted with KMS").
        _admit(
            key, "cloudwatch.amazonaws.com", {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        )
        return key


def admit_logs(key: kms.IKey) -> None:
    """Let CloudWatch encrypt the log groups of this account with a key that the stack makes.

    "Encrypt log data in CloudWatch Logs using AWS KMS" (user guide) has the statement.
    """
    groups = f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
            actions=["kms:GenerateDataKey*", "kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    )


def _admit(key: kms.Key, service: str, conditions: Mapping[str, Mapping[str, str]] | None) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=["kms:GenerateDataKey*", "kms:Decrypt"],
            resources=["*"],
            conditions=conditions,
        )
    )
