"""What a function's role must not do is refused by IAM: it is tried with the role's own policy."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.mailbox_simulator import sender_of
from tests.e2e.conftest import role_with
from tests.e2e.stack import Stack

KEY = {"address": {"S": "jane@example.com"}}
MESSAGE = {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}


class Role:
    """Somebody with the policy of one function's role."""

    def __init__(self, stack: Stack, credentials: dict[str, str]) -> None:
        self.stack = stack
        self._credentials = credentials

    def client(self, service: str) -> Any:
        return self.stack.emulator.client(service, **self._credentials)

    @property
    def table(self) -> str:
        return self.stack.deployment.table_name

    def output(self, name: str) -> str:
        return self.stack.deployment.outputs[name]

    def mail(self, address: str, *, source: str | None = None) -> Any:
        return self.client("ses").send_email(
            Source=source or sender_of(self.stack.config),
            Destination={"ToAddresses": [address]},
            Message=MESSAGE,
        )


@pytest.fixture(scope="module", params=["Bounces", "Canary", "IdentitySettings"])
def role(stack: Stack, request: pytest.FixtureRequest) -> Iterator[tuple[str, Role]]:
    document = json.dumps(stack.policy_of(request.param))

    def attach(iam: Any, name: str) -> None:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)

    with role_with(stack, attach) as credentials:
        yield request.param, Role(stack, credentials)


REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
Attempt = Callable[[Role], Any]
EVERYBODY: dict[str, Attempt] = {
    "scan the table": lambda role: role.client("dynamodb").scan(TableName=role.table),
    "delete an item": lambda role: role.client("dynamodb").delete_item(
        TableName=role.table, Key=KEY
    ),
    "update an item": lambda role: role.client("dynamodb").update_item(
        TableName=role.table, Key=KEY
    ),
    "write to another table": lambda role: role.client("dynamodb").put_item(
        TableName="other", Item=KEY
    ),
    "read another table": lambda role: role.client("dynamodb").batch_get_item(
        RequestItems={"other": {"Keys": [KEY]}}
    ),
    "delete the table": lambda role: role.client("dynamodb").delete_table(TableName=role.table),
    "publish feedback": lambda role: role.client("sns").publish(
        TopicArn=role.output("BouncesTopicArn"), Message="x"
    ),
    "send to the queue": lambda role: role.client("sqs").send_message(
        QueueUrl=role.output("BouncesQueueUrl"), MessageBody="x"
    ),
    "read another kind's queue": lambda role: role.client("sqs").receive_message(
        QueueUrl=role.output("ComplaintsQueueUrl")
    ),
    "verify an identity": lambda role: role.client("ses").verify_domain_identity(
        Domain="evil.example"
    ),
    "take another role": lambda role: role.client("iam").list_roles(),
    "change a function": lambda role: role.client("lambda").list_functions(),
}
CANARY = "canary@example.com"
SIMULATOR = "bounce+denials@simulator.amazonses.com"
ONE: dict[str, dict[str, Attempt]] = {
    "Canary": {
        "suppress": lambda role: role.client("dynamodb").put_item(TableName=role.table, Item=KEY),
        "take a message": lambda role: role.client("sqs").receive_message(
            QueueUrl=role.output("BouncesQueueUrl")
        ),
        "mail a person": lambda role: role.mail("jane@example.com", source=CANARY),
        "mail from another address": lambda role: role.mail(SIMULATOR),
    },
    "IdentitySettings": {
        "read the table": lambda role: role.client("dynamodb").get_item(
            TableName=role.table, Key=KEY
        ),
    },
    "Bounces": {
        "mail a person": lambda role: role.mail("jane@example.com"),
        "set an identity's topic": lambda role: role.client("ses").set_identity_notification_topic(
            Identity="example.com", NotificationType="Bounce"
        ),
        "mail the simulator": lambda role: role.mail("bounce@simulator.amazonses.com"),
    },
}  # fmt: skip


def test_a_role_is_refused_what_it_must_not_do(role: tuple[str, Role]) -> None:
    name, own = role
    allowed = []
    for what, attempt in {**EVERYBODY, **ONE[name]}.items():
        try:
            attempt(own)
        except ClientError as error:
            if error.response["Error"]["Code"] in REFUSALS:
                continue
            allowed.append(f"{what}: {error}")
        else:
            allowed.append(what)
    assert allowed == []


def test_a_role_may_do_its_own_work(role: tuple[str, Role]) -> None:
    """Else a refusal above would prove nothing."""
    name, own = role
    if name == "IdentitySettings":
        own.client("ses").get_identity_notification_attributes(Identities=["example.com"])
    else:
        own.client("dynamodb").batch_get_item(RequestItems={own.table: {"Keys": [KEY]}})
    if name == "Canary":
        own.mail(SIMULATOR, source=CANARY)
