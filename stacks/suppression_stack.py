"""The stack: it composes, and does nothing else."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from aws_cdk import aws_ses as ses
from constructs import Construct

from ses_suppression.deployment import NotificationType, StackOutput, Variable, topic_name
from stacks.alarms import Alarms
from stacks.bundle import function_code
from stacks.canary import Canary
from stacks.config import Config
from stacks.config_values import Feed
from stacks.dashboard import Dashboard
from stacks.email_identities import EmailIdentities
from stacks.encryption_key import EncryptionKey, admit_logs
from stacks.event_publishing import EventPublishing
from stacks.feedback_channel import FeedbackChannel
from stacks.function import parts_before
from stacks.function_variables import check_variables, ingest_variables
from stacks.identity_settings import IdentitySettings
from stacks.reader_access import ReaderAccess
from stacks.suppression_table import SuppressionTable

_DESCRIPTIONS = {
    StackOutput.SENDING: "when the identities last changed; doctor tells how it is now"
}


class SuppressionStack(cdk.Stack):
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
        synthesizer: cdk.IStackSynthesizer | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Amazon SES application-level suppression list",
            env=cdk.Environment(account=account, region=config.region),
            synthesizer=synthesizer,
            termination_protection=config.termination_protection,
            suppress_template_indentation=True,  # of a template's megabyte a third would be blanks
        )
        check_variables(config)
        for name, text in config.tags.items():
            cdk.Tags.of(self).add(name, text)
        key = EncryptionKey(
            self,
            "Encryption",
            topic_names=topic_name(None, config.environment),
            existing=config.key,
        ).key
        table = SuppressionTable(
            self, "SuppressionTable", key=key, existing=config.table, existing_key=config.table_key
        )
        self._config, self._key, self._table, self._code = config, key, table, function_code()
        self._variables = ingest_variables(
            config,
            table=table.reference,
            account=cdk.Aws.ACCOUNT_ID,
            # The random part of the stack's id: a key for each deployment, and nothing to keep.
            fingerprint_key=cdk.Fn.select(2, cdk.Fn.split("/", cdk.Aws.STACK_ID)),
        )
        self._channels = {
            carries: FeedbackChannel(
                self,
                carries.plural.capitalize(),
                config=config,
                carries=carries,
                key=key,
                table=table,
                code=self._code,
                variables=self._variables,
            )
            for carries in NotificationType
            if config.deliveries or carries is not NotificationType.DELIVERY
        }
        configuration_set, settings = self._connect_ses()
        canary = self._canary()
        alarms = Alarms(
            self,
            "Alarms",
            environment=config.environment,
            channels=self._channels,
            key=key,
            emails=config.alarm_emails,
            suppressions_an_hour=config.suppressions_an_hour,
            canary_minutes=config.canary_minutes if canary else None,
        )
        Dashboard(
            self,
            "Dashboard",
            environment=config.environment,
            channels=self._channels,
            table=table.table,
        )
        reader = ReaderAccess(self, "Reader", environment=config.environment, table=table)
        table.node.add_dependency(
            *alarms.before_functions,
            *(part for channel in self._channels.values() for part in channel.before_function),
            *(parts_before(canary.function) if canary else ()),
            *((settings,) if settings else ()),
        )
        self._keep_logs()
        self._warn()
        self._write_outputs(
            {
                StackOutput.TABLE_NAME: table.reference,
                StackOutput.TABLE_KEY_ARN: table.key.key_arn if table.key else None,
                StackOutput.KEY_ARN: key.key_arn,
                StackOutput.POLICY: self._variables[Variable.POLICY],
                StackOutput.READER_POLICY_ARN: reader.policy.managed_policy_arn,
                StackOutput.ALARMS_TOPIC: alarms.topic.topic_arn,
                StackOutput.CANARY_FUNCTION_NAME: canary.function.function_name if canary else None,
                StackOutput.FEED: config.feed,
                StackOutput.CONFIGURATION_SET_NAME: configuration_set.configuration_set_name,
                StackOutput.IDENTITIES: ",".join(one.name for one in config.identities),
                StackOutput.SENDING: settings.sending if settings else None,
            }
        )

    def _connect_ses(self) -> tuple[ses.ConfigurationSet, IdentitySettings | None]:
        """Let SES publish to the topics: by the identities, or by a configuration set."""
        config = self._config
        topics = {carries: channel.topic for carries, channel in self._channels.items()}
        ways_in = [part for channel in self._channels.values() for part in channel.way_in]
        by_set = config.feed is Feed.CONFIGURATION_SET
        publishing = EventPublishing(
            self,
            "EventPublishing",
            environment=config.environment,
            topics=topics if by_set else {},
            after=ways_in,
        )
        new = [identity for identity in config.identities if identity.create]
        created = EmailIdentities(self, "EmailIdentities", identities=new)
        if not config.identities:
            return publishing.configuration_set, None
        return publishing.configuration_set, IdentitySettings(
            self,
            "IdentitySettings",
            identities=config.identities,
            topics={} if by_set else topics,
            configuration_set=publishing.configuration_set,
            is_default=by_set,
            code=self._code,
            after=[*ways_in, publishing, created],
        )

    def _canary(self) -> Canary | None:
        config = self._config
        if not (config.identities and config.canary_minutes):
            return None
        return Canary(
            self,
            "Canary",
            identity=config.identities[0],
            minutes=config.canary_minutes,
            table=self._table,
            code=self._code,
            variables=self._variables,
        )

    def _keep_logs(self) -> None:
        """Set for every log group how long it is kept, and under which key."""
        config = self._config
        if config.encrypt_logs and not config.key:
            admit_logs(self._key)
        for part in self.node.find_all():
            if isinstance(part, logs.CfnLogGroup):
                part.retention_in_days = config.log_retention_days
                part.kms_key_id = self._key.key_arn if config.encrypt_logs else None

    def _warn(self) -> None:
        """Warn at synth of what is allowed, and perhaps not meant."""
        config, annotations = self._config, cdk.Annotations.of(self)
        if not config.alarm_emails:
            annotations.add_warning_v2(
                "ses-suppression:nobody-is-called",
                f"alarm_emails: empty; subscribe to the output {StackOutput.ALARMS_TOPIC}, or no "
                "alarm reaches a person",
            )
        if not config.identities and config.feed is Feed.IDENTITY:
            annotations.add_warning_v2(
                "ses-suppression:nothing-is-connected",
                "identities: empty; SES publishes nothing to this stack, and no canary runs",
            )

    def _write_outputs(self, outputs: Mapping[StackOutput, str | None]) -> None:
        for name, value in outputs.items():
            if value:
                cdk.CfnOutput(self, name, value=value, description=_DESCRIPTIONS.get(name))
        for channel in self._channels.values():
            for of_channel, value in channel.outputs.items():
                cdk.CfnOutput(self, of_channel, value=value)
