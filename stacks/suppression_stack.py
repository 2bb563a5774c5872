"""The stack: it composes, and does nothing else."""

from collections.abc import Sequence

from aws_cdk import (
    Annotations,
    Aws,
    CfnOutput,
    Duration,
    Environment,
    Fn,
    IStackSynthesizer,
    Stack,
    Tags,
)
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from ses_suppression.deployment import (
    NotificationType,
    StackOutput,
    Variable,
    configuration_set_name,
    topic_name,
)
from stacks.alarms import Alarms
from stacks.bundle import function_code
from stacks.canary import Canary
from stacks.config import Config
from stacks.config_values import Feed
from stacks.dashboard import Dashboard
from stacks.email_identities import EmailIdentities
from stacks.encryption_key import EncryptionKey, admit_logs
from stacks.event_publishing import EventPublishing
from stacks.feedback_channel import Batching, FeedbackChannel
from stacks.function import parts_before
from stacks.function_variables import ingest_variables
from stacks.identity_settings import IdentitySettings
from stacks.reader_access import ReaderAccess
from stacks.suppression_table import SuppressionTable

# Lambda wants a window of at least a second for more than ten messages.
BATCHING = {
    NotificationType.BOUNCE: Batching(size=100, window=1),
    NotificationType.COMPLAINT: Batching(size=10, window=0),
    NotificationType.DELIVERY: Batching(size=1000, window=10),
}


class SuppressionStack(Stack):
    """The application-level suppression list of one environment.

    The table is protected, so CloudFormation cannot roll it back: a first deploy that fails after
    it leaves a stack that nothing can be done with. So the table is made after everything that
    does not need it (decision 8).
    """

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
            termination_protection=config.termination_protection,
            suppress_template_indentation=True,  # of a template's megabyte a third would be blanks
        )
        for name, value in config.tags.items():
            Tags.of(self).add(name, value)
        key = EncryptionKey(
            self,
            "Encryption",
            topic_names=topic_name(None, config.environment),
            existing=config.key,
        ).key
        table = SuppressionTable(
            self,
            "SuppressionTable",
            key=key,
            existing=config.table,
            existing_key=config.table_key,
        )
        code = function_code()
        # The random part of the stack's id: one key a deployment, that nobody has to keep.
        fingerprint_key = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        variables = ingest_variables(
            config,
            table=table.reference,
            account=Aws.ACCOUNT_ID,
            fingerprint_key=fingerprint_key,
        )
        self.channels: dict[NotificationType, FeedbackChannel] = {}
        for carries in NotificationType:
            if carries is NotificationType.DELIVERY and not config.deliveries:
                continue
            channel = FeedbackChannel(
                self,
                carries.plural.capitalize(),
                carries=carries,
                environment=config.environment,
                sources=_sources(config),
                endpoints=config.endpoints.get(carries.plural, ()),
                key=key,
                code=code,
                timeout=Duration.seconds(config.function_timeout_seconds),
                batching=BATCHING[carries],
                variables=variables,
            )
            table.grant_ingest(channel.function)
            self.channels[carries] = channel
        self._connect_ses(config, code=code, table=table)
        self._warn(config)
        alarms = Alarms(
            self,
            "Alarms",
            environment=config.environment,
            channels=self.channels,
            key=key,
            emails=config.alarm_emails,
            suppressions_an_hour=config.suppressions_an_hour,
        )
        CfnOutput(self, StackOutput.ALARMS_TOPIC, value=alarms.topic.topic_arn)
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
            CfnOutput(self, StackOutput.CANARY_FUNCTION_NAME, value=canary.function.function_name)
            table.node.add_dependency(*parts_before(canary.function))
        table.node.add_dependency(*alarms.before_functions)
        for channel in self.channels.values():
            table.node.add_dependency(*channel.before_function)
        self._keep_logs(config, key)
        Dashboard(
            self,
            "Dashboard",
            environment=config.environment,
            channels=self.channels,
            table=table.table,
        )
        reader = ReaderAccess(self, "Reader", environment=config.environment, table=table)
        CfnOutput(self, StackOutput.READER_POLICY_ARN, value=reader.policy.managed_policy_arn)
        CfnOutput(self, StackOutput.TABLE_NAME, value=table.reference)
        CfnOutput(self, StackOutput.KEY_ARN, value=key.key_arn)
        if table.key:
            CfnOutput(self, StackOutput.TABLE_KEY_ARN, value=table.key.key_arn)
        CfnOutput(self, StackOutput.POLICY, value=variables[Variable.POLICY])
        for carries, channel in self.channels.items():
            for name, text in channel.outputs.items():
                CfnOutput(self, name.of(carries), value=text)

    def _keep_logs(self, config: Config, key: kms.IKey) -> None:
        """Say for every log group how long it is kept, and under which key."""
        if config.encrypt_logs and not config.key:
            admit_logs(key)
        for part in self.node.find_all():
            if isinstance(part, logs.CfnLogGroup):
                part.retention_in_days = config.log_retention_days
                part.kms_key_id = key.key_arn if config.encrypt_logs else None

    def _warn(self, config: Config) -> None:
        """Tell at synth what is allowed, and perhaps not meant."""
        annotations = Annotations.of(self)
        if not config.alarm_emails:
            annotations.add_warning_v2(
                "ses-suppression:nobody-is-called",
                "alarm_emails: nobody is called by the alarms, unless somebody subscribes to the "
                "output AlarmsTopic",
            )
        if not config.identities and config.feed is Feed.IDENTITY:
            annotations.add_warning_v2(
                "ses-suppression:nothing-is-connected",
                "identities: none is named, so SES publishes nothing here, and no canary flies",
            )

    def _connect_ses(self, config: Config, *, code: lambda_.Code, table: SuppressionTable) -> None:
        """Let SES publish to the topics: by the identities, or by a configuration set."""
        topics = {carries: channel.topic for carries, channel in self.channels.items()}
        after: list[IDependable] = [
            part for channel in self.channels.values() for part in channel.way_in
        ]
        publishes = config.feed is Feed.CONFIGURATION_SET
        publishing = EventPublishing(
            self,
            "EventPublishing",
            environment=config.environment,
            topics=topics if publishes else {},
            after=after,
        )
        after.append(publishing)
        CfnOutput(self, StackOutput.FEED, value=config.feed)
        CfnOutput(
            self,
            StackOutput.CONFIGURATION_SET_NAME,
            value=publishing.configuration_set.configuration_set_name,
        )
        new = [identity for identity in config.identities if identity.create]
        if new:
            after.append(EmailIdentities(self, "EmailIdentities", identities=new))
        if config.identities:
            names = [identity.name for identity in config.identities]
            CfnOutput(self, StackOutput.IDENTITIES, value=",".join(names))
            settings = IdentitySettings(
                self,
                "IdentitySettings",
                identities=config.identities,
                topics={} if publishes else topics,
                configuration_set=publishing.configuration_set,
                is_default=publishes,
                code=code,
                after=after,
            )
            table.node.add_dependency(settings)
            CfnOutput(
                self,
                StackOutput.SENDING,
                value=settings.sending,
                description="as of the last change of the identities: doctor reads it again",
            )


def _sources(config: Config) -> Sequence[str]:
    """Give what may publish to the topics: both feeds, so that nothing is lost when it changes."""
    names = [f"identity/{identity.name}" for identity in config.identities]
    if not names and config.feed is Feed.IDENTITY:
        return ()
    return [*names, f"configuration-set/{configuration_set_name(config.environment)}"]
