"""The table: one item an address. What it holds is described in `docs/data-model.md`."""

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.checks import acknowledge


class SuppressionTable(Construct):
    """The suppression table: on demand, recoverable, protected, expiring by TTL."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.table = dynamodb.TableV2(
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
        grant_key_through(self._key, grantee, "dynamodb", "kms:Decrypt", "kms:GenerateDataKey*")

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let somebody ask, and nothing else."""
        self.table.grant(grantee, "dynamodb:GetItem", "dynamodb:BatchGetItem")
        grant_key_through(self._key, grantee, "dynamodb", "kms:Decrypt")


def grant_key_through(key: kms.IKey, grantee: iam.IGrantable, service: str, *actions: str) -> None:
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
        conditions={"StringEquals": {"kms:ViaService": f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}"}},
    )
