"""The table: one item an address. What it holds is described in `docs/data-model.md`."""

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from ses_suppression.arns import region_and_name
from ses_suppression.store.dynamodb import VERDICT_ATTRIBUTES
from stacks.checks import acknowledge


class SuppressionTable(Construct):
    """The suppression table: on demand, recoverable, protected, expiring by TTL.

    Args:
        key: what it is encrypted with.
        existing: the ARN of a table that is used instead, perhaps in another region.
        existing_key: the ARN of that table's customer-managed key, if it has one.

    Attributes:
        table: the table.
        reference: what functions and apps are told: its name; of a table in another region its ARN.
        region: where it is.
        key: what it is encrypted with; None: a key that DynamoDB owns.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        existing: str | None,
        existing_key: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.table: dynamodb.ITableV2
        self.key: kms.IKey | None
        if existing:
            self.region = region_and_name(existing)[0] or Aws.REGION
            self.key = (
                kms.Key.from_key_arn(self, "ExistingKey", existing_key) if existing_key else None
            )
            self.table = dynamodb.TableV2.from_table_attributes(
                self, "Table", table_arn=existing, encryption_key=self.key
            )
            elsewhere = self.region != Stack.of(self).region
            self.reference = existing if elsewhere else self.table.table_name
        else:
            self.region = Aws.REGION
            self.key = key
            self.table = self._make(key)
            self.reference = self.table.table_name

    def _make(self, key: kms.IKey) -> dynamodb.TableV2:
        return dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="address", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(key),
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def grant_ingest(self, grantee: iam.IGrantable) -> None:
        """Let a function read and write items; a grant on the table does not include its key."""
        self.table.grant(grantee, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        self._grant_key(grantee, "kms:Decrypt", "kms:GenerateDataKey*")

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let somebody ask, and nothing else."""
        self.table.grant(grantee, "dynamodb:GetItem", "dynamodb:BatchGetItem")
        self._grant_key(grantee, "kms:Decrypt")

    def grant_verdicts(self, grantee: iam.IGrantable) -> None:
        """Let an app ask for verdicts; a request that would return any other attribute is refused.

        The condition is that of "Using IAM policy conditions for fine-grained access control"
        (DynamoDB developer guide); without `Null`, a request that names no attribute would meet it.
        """
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["dynamodb:GetItem", "dynamodb:BatchGetItem"],
            resource_arns=[self.table.table_arn],
            conditions={
                "ForAllValues:StringEquals": {"dynamodb:Attributes": list(VERDICT_ATTRIBUTES)},
                "Null": {"dynamodb:Attributes": "false"},
                "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
            },
        )
        self._grant_key(grantee, "kms:Decrypt")

    def _grant_key(self, grantee: iam.IGrantable, *actions: str) -> None:
        if self.key:
            grant_key_through(self.key, grantee, "dynamodb", *actions, region=self.region)


def grant_key_through(
    key: kms.IKey, grantee: iam.IGrantable, service: str, *actions: str, region: str = Aws.REGION
) -> None:
    """Let a principal use a key, but only through a service: never to decrypt by itself."""
    for action in actions:
        if action.endswith("*"):
            acknowledge(
                grantee.grant_principal,
                f"IAM5[Action::{action}]",
                reason="AWS documents it so; the key and the service are named",
            )
    iam.Grant.add_to_principal(
        grantee=grantee,
        actions=list(actions),
        resource_arns=[key.key_arn],
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{region}.{Aws.URL_SUFFIX}"}},
    )
