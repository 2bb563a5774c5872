"""What the stack's roles must not do, and what they may: each tried as the role itself.

`tests/e2e` tries it on the emulator, `make acceptance` on a real account.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.waiting import wait_for

REFUSALS = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
ClientOf = Callable[..., Any]
DENIALS = "denials"
"""In the names of the roles that are made to try it."""

KEY = {"address": {"S": "jane@example.com"}}
MESSAGE = {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}
BOUNCING = "bounce+denials@simulator.amazonses.com"
DELIVERED = "success+denials@simulator.amazonses.com"  # no hole in a policy mails a person
OTHER = "ses-suppression-denials-no-such-table"
VERDICT = {"ProjectionExpression": "address, suppressions"}


@dataclass(frozen=True)
class Caller:
    """Somebody with credentials of a role, before a deployed stack.

    Attributes:
        client_of: makes a boto3 client; takes a service and credentials.
        credentials: of the role.
        outputs: of the stack.
        identity: the first that mail is sent from.
    """

    client_of: ClientOf
    credentials: Mapping[str, str]
    outputs: Mapping[str, str]
    identity: str

    def client(self, service: str) -> Any:
        return self.client_of(service, **self.credentials)

    @property
    def table(self) -> str:
        return self.outputs["SuppressionTableName"]

    @property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    def mail(self, address: str, source: str) -> Any:
        return self.client("ses").send_email(
            Source=source, Destination={"ToAddresses": [address]}, Message=MESSAGE
        )

    @property
    def canary(self) -> str:
        return self.identity if "@" in self.identity else f"canary@{self.identity}"

    @property
    def sender(self) -> str:
        return self.identity if "@" in self.identity else f"shop@{self.identity}"


Attempt = Callable[[Caller], Any]

_EVERY_FUNCTION: dict[str, Attempt] = {
    "scan the table": lambda role: role.dynamodb.scan(TableName=role.table),
    "delete an item": lambda role: role.dynamodb.delete_item(TableName=role.table, Key=KEY),
    "update an item": lambda role: role.dynamodb.update_item(TableName=role.table, Key=KEY),
    "write to another table": lambda role: role.dynamodb.put_item(TableName=OTHER, Item=KEY),
    "read another table": lambda role: role.dynamodb.batch_get_item(
        RequestItems={OTHER: {"Keys": [KEY]}}
    ),
    "delete the table": lambda role: role.dynamodb.delete_table(TableName=role.table),
    "publish feedback": lambda role: role.client("sns").publish(
        TopicArn=role.outputs["BouncesTopicArn"], Message="x"
    ),
    "send to the queue": lambda role: role.client("sqs").send_message(
        QueueUrl=role.outputs["BouncesQueueUrl"], MessageBody="x"
    ),
    "read another kind's queue": lambda role: role.client("sqs").receive_message(
        QueueUrl=role.outputs["ComplaintsQueueUrl"]
    ),
    "verify an identity": lambda role: role.client("ses").verify_domain_identity(
        Domain="evil.example"
    ),
    "list roles": lambda role: role.client("iam").list_roles(),
    "list functions": lambda role: role.client("lambda").list_functions(),
}
FORBIDDEN: dict[str, dict[str, Attempt]] = {
    "Bounces": {
        **_EVERY_FUNCTION,
        "mail another recipient": lambda role: role.mail(DELIVERED, role.sender),
        "set an identity's topic": lambda role: role.client("ses").set_identity_notification_topic(
            Identity=role.identity, NotificationType="Bounce"
        ),
        "mail the simulator": lambda role: role.mail(BOUNCING, role.sender),
    },
    "Canary": {
        **_EVERY_FUNCTION,
        "suppress": lambda role: role.dynamodb.put_item(TableName=role.table, Item=KEY),
        "take a message": lambda role: role.client("sqs").receive_message(
            QueueUrl=role.outputs["BouncesQueueUrl"]
        ),
        "mail another recipient": lambda role: role.mail(DELIVERED, role.canary),
    },
    "IdentitySettings": {
        **_EVERY_FUNCTION,
        "read the table": lambda role: role.dynamodb.get_item(TableName=role.table, Key=KEY),
    },
    "Reader": {
        "PutItem": lambda role: role.dynamodb.put_item(TableName=role.table, Item=KEY),
        "DeleteItem": lambda role: role.dynamodb.delete_item(TableName=role.table, Key=KEY),
        "UpdateItem": lambda role: role.dynamodb.update_item(TableName=role.table, Key=KEY),
        "Scan": lambda role: role.dynamodb.scan(TableName=role.table),
        "Query": lambda role: role.dynamodb.query(
            TableName=role.table,
            Select="ALL_ATTRIBUTES",
            KeyConditionExpression="address = :address",
            ExpressionAttributeValues={":address": KEY["address"]},
        ),
        "ExecuteStatement": lambda role: role.dynamodb.execute_statement(
            Statement=f'SELECT * FROM "{role.table}"'  # noqa: S608  # a table of ours
        ),
        "DescribeTable": lambda role: role.dynamodb.describe_table(TableName=role.table),
        "GetItem without a projection": lambda role: role.dynamodb.get_item(
            TableName=role.table, Key=KEY
        ),
        "GetItem of the evidence": lambda role: role.dynamodb.get_item(
            TableName=role.table, Key=KEY, ProjectionExpression="address, evidence"
        ),
        "GetItem elsewhere": lambda role: role.dynamodb.get_item(
            TableName=OTHER, Key=KEY, **VERDICT
        ),
        "BatchGetItem elsewhere too": lambda role: role.dynamodb.batch_get_item(
            RequestItems={name: {"Keys": [KEY], **VERDICT} for name in (role.table, OTHER)}
        ),
        "TransactGetItems, one without a projection": lambda role: role.dynamodb.transact_get_items(
            TransactItems=[
                {"Get": {"TableName": role.table, "Key": KEY, **VERDICT}},
                {"Get": {"TableName": role.table, "Key": {"address": {"S": "joe@x.example"}}}},
            ]
        ),
    },
}
"""What a role must not do: by the role, with a name for each attempt."""

ALLOWED: dict[str, Attempt] = {
    "Bounces": lambda role: role.dynamodb.batch_get_item(
        RequestItems={role.table: {"Keys": [KEY]}}
    ),
    "Canary": lambda role: role.mail(BOUNCING, role.canary),
    "IdentitySettings": lambda role: role.client("ses").get_identity_notification_attributes(
        Identities=[role.identity]
    ),
    "Reader": lambda role: role.dynamodb.get_item(TableName=role.table, Key=KEY, **VERDICT),
}
"""What each may: without it a refusal would prove nothing."""


def not_refused(caller: Caller, role: str) -> list[str]:
    """Try all that a role must not do, and return what was not refused."""
    allowed = []
    for what, attempt in attempts_of(caller, role).items():
        try:
            attempt(caller)
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                allowed.append(f"{what}: {error}")
        else:
            allowed.append(what)
    return allowed


def attempts_of(caller: Caller, role: str) -> Mapping[str, Attempt]:
    """Return what a role must not do, by name."""
    if role != "Canary" or caller.sender == caller.canary:
        return FORBIDDEN[role]
    another: Attempt = lambda canary: canary.mail(BOUNCING, canary.sender)  # noqa: E731
    return {**FORBIDDEN[role], "mail from another address": another}


@contextmanager
def role_with(
    client_of: ClientOf,
    account_id: str,
    *,
    documents: Sequence[Mapping[str, Any]] = (),
    policies: Sequence[str] = (),
    prefix: str = "ses-suppression",
    seconds: float = 0,
) -> Iterator[dict[str, str]]:
    """Make a role, return its credentials, and remove it at the end.

    Args:
        client_of: makes a boto3 client of a caller who may make roles.
        account_id: of the account.
        documents: its own policies.
        policies: the ARNs of those that are attached.
        prefix: of the role's name.
        seconds: how long to try: IAM takes a while until it knows a new role.
    """
    iam, name = client_of("iam"), f"{prefix}-{DENIALS}-{uuid.uuid4().hex[:8]}"
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": account_id},  # in every partition
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]
    try:
        for number, document in enumerate(documents):
            text = json.dumps(document)
            iam.put_role_policy(RoleName=name, PolicyName=f"own-{number}", PolicyDocument=text)
        for arn in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        yield _credentials(client_of("sts"), role["Arn"], seconds)
    finally:
        remove_role(iam, name)


def remove_role(iam: Any, name: str) -> None:
    """Remove a role with its policies."""
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for one in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=one["PolicyArn"])
    iam.delete_role(RoleName=name)


def _document(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _credentials(sts: Any, role_arn: str, seconds: float) -> dict[str, str]:
    def assumed() -> Any:
        try:
            answer = sts.assume_role(RoleArn=role_arn, RoleSessionName=DENIALS)
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                raise
            return None
        return answer["Credentials"]

    given = wait_for(f"the role {role_arn}", assumed, seconds=seconds, every=2)
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
