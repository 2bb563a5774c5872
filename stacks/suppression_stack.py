"""The stack: it composes, and does nothing else."""

import json

from aws_cdk import Aws, CfnOutput, Duration, Environment, Fn, IStackSynthesizer, Stack, Tags
from constructs import Construct

from stacks.alarms import Alarms
from stacks.bundle import function_code
from stacks.canary import Canary
from stacks.config import Config
from stacks.dashboard import Dashboard
from stacks.encryption_key import EncryptionKey
from stacks.feedback_channel import Batching, FeedbackChannel, topic_name
from stacks.identity_settings import IdentitySettings
from stacks.reader_access import ReaderAccess
from stacks.suppression_table import SuppressionTable

# Lambda wants a window of at least a second for more than ten messages.
BATCHING = {
    "bounces": Batching(size=100, window=1),
    "complaints": Batching(size=10, window=0),
    "deliveries": Batching(size=1000, window=10),
}
_SES_KINDS = {"bounces": "Bounce", "complaints": "Complaint", "deliveries": "Delivery"}


class SuppressionStack(Stack):
    """The application-level suppression list of one environment."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        account: str | None = None,
        synthesizer: IStackSynthesizer | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Amazon SES application-level suppression list",
            env=Environment(account=account, region=config.region),
            synthesizer=synthesizer,
        )
        for name, value in config.tags.items():
            Tags.of(self).add(name, value)
        key = EncryptionKey(self, "Encryption", topic_names=topic_name("*", config.environment)).key
        table = SuppressionTable(self, "SuppressionTable", key=key)
        code = function_code()
        # The random part of the stack's id: one key a deployment, that nobody has to keep.
        fingerprint_key = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        variables = {
            "SUPPRESSION_TABLE_NAME": table.table.table_name,
            "SUPPRESSION_POLICY": json.dumps(config.policy, sort_keys=True),
            "SENDING_ACCOUNT_IDS": ",".join([Aws.ACCOUNT_ID, *config.sending_account_ids]),
            "FINGERPRINT_KEY": fingerprint_key,
            "SUPPRESSION_ENVIRONMENT": config.environment,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        self.channels: dict[str, FeedbackChannel] = {}
        for kind in BATCHING if config.deliveries else ("bounces", "complaints"):
            channel = FeedbackChannel(
                self,
                kind.capitalize(),
                kind=kind,
                environment=config.environment,
                identity_names=[identity.name for identity in config.identities],
                key=key,
                code=code,
                timeout=Duration.seconds(config.function_timeout_seconds),
                batching=BATCHING[kind],
                variables=variables,
            )
            table.grant_ingest(channel.function)
            self.channels[kind] = channel
        if config.identities:
            settings = IdentitySettings(
                self,
                "IdentitySettings",
                identities=config.identities,
                topics={_SES_KINDS[kind]: channel.topic for kind, channel in self.channels.items()},
                code=code,
                after=[part for channel in self.channels.values() for part in channel.way_in],
            )
            # What is most likely to fail in a first deploy, an identity that SES does not know or
            # that is somebody else's, fails before there is a protected table that nothing can roll
            # back.
            table.node.add_dependency(settings)
        alarms = Alarms(
            self,
            "Alarms",
            environment=config.environment,
            channels=self.channels,
            key=key,
            emails=config.alarm_emails,
            suppressions_an_hour=config.suppressions_an_hour,
        )
        CfnOutput(self, "AlarmsTopic", value=alarms.topic.topic_arn)
        if config.identities and config.canary_minutes:
            canary = Canary(
                self,
                "Canary",
                identity=config.identities[0],
                minutes=config.canary_minutes,
                table=table,
                code=code,
                variables=variables,
            )
            alarms.watch_canary(minutes=config.canary_minutes)
            CfnOutput(self, "CanaryFunctionName", value=canary.function.function_name)
        Dashboard(
            self,
            "Dashboard",
            environment=config.environment,
            channels=self.channels,
            table=table.table,
        )
        reader = ReaderAccess(self, "Reader", environment=config.environment, table=table)
        CfnOutput(self, "ReaderPolicyArn", value=reader.policy.managed_policy_arn)
        CfnOutput(self, "SuppressionTableName", value=table.table.table_name)
        CfnOutput(self, "SuppressionKeyArn", value=key.key_arn)
        CfnOutput(self, "SuppressionPolicy", value=variables["SUPPRESSION_POLICY"])
        for kind, channel in self.channels.items():
            name = kind.capitalize()
            CfnOutput(self, f"{name}TopicArn", value=channel.topic.topic_arn)
            CfnOutput(self, f"{name}QueueUrl", value=channel.queue.queue_url)
            CfnOutput(self, f"{name}DeadLetterQueueUrl", value=channel.dead_letter_queue.queue_url)
            CfnOutput(self, f"{name}UndeliveredQueueUrl", value=channel.undelivered_queue.queue_url)
