"""What an app needs to ask the list: a policy to attach, and the table's name."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.suppression_table import SuppressionTable


class ReaderAccess(Construct):
    """A managed policy that lets an app ask and nothing else; the table's name as a parameter.

    Args:
        environment: the environment's name.
        table: what is asked.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: str, table: SuppressionTable
    ) -> None:
        super().__init__(scope, construct_id)
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            # IAM is not regional, and an environment may stand in two regions.
            managed_policy_name=f"ses-suppression-{environment}-{Stack.of(self).region}-reader",
            description="Ask the SES suppression list: may I send mail to this address?",
        )
        table.grant_verdicts(self.policy)
        ssm.StringParameter(
            self,
            "TableName",
            parameter_name=f"/ses-suppression/{environment}/table-name",
            description="The SES suppression list's table",
            string_value=table.reference,
        )
