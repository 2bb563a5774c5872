"""The canary: a round trip every so many minutes, and an alarm when it fails or falls silent."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from ses_suppression.core.address import SIMULATOR_DOMAIN
from ses_suppression.deployment import Variable
from stacks.checks import acknowledge
from stacks.config_values import Identity
from stacks.function import make_function
from stacks.suppression_table import SuppressionTable


class Canary(Construct):
    """A scheduled function that mails SES's mailbox simulator and waits for the verdict.

    Args:
        identity: it mails from this one.
        minutes: so often.
        table: where it waits for the verdict.
        code: of all functions.
        variables: of all functions.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        identity: Identity,
        minutes: int,
        table: SuppressionTable,
        code: lambda_.Code,
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        sender = identity.name if "@" in identity.name else f"canary@{identity.name}"
        self.function = make_function(
            self,
            module="canary",
            description="sends a mail that bounces, and waits for the verdict",
            code=code,
            memory=256,
            timeout=Duration.seconds(90),
            environment={
                Variable.TABLE_NAME: variables[Variable.TABLE_NAME],
                Variable.ENVIRONMENT: variables[Variable.ENVIRONMENT],
                Variable.CANARY_SENDER: sender,
            },
        )
        table.grant_read(self.function)
        self._let_mail(sender)
        events.Rule(
            self,
            "Schedule",
            description="SES suppression list: lets the canary fly",
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
            # One that is late says nothing: the next will.
            targets=[targets.LambdaFunction(self.function, retry_attempts=0)],
        )

    def _let_mail(self, sender: str) -> None:
        """Let it mail the simulator from one address, and nobody else."""
        acknowledge(
            self.function.grant_principal,
            "IAM5[Resource::*]",
            reason="sender and recipients are named; SES asks for the identity's default "
            "configuration set too, which is not ours to know",
        )
        iam.Grant.add_to_principal(
            grantee=self.function,
            actions=["ses:SendEmail"],
            resource_arns=["*"],
            conditions={
                "ForAllValues:StringLike": {"ses:Recipients": [f"bounce+*@{SIMULATOR_DOMAIN}"]},
                "Null": {"ses:Recipients": "false"},  # which every one of no values would meet
                "StringEqualsIfExists": {"ses:FromAddress": sender},
            },
        )
