"""An app's role with the reader's policy: it can ask, and it can do nothing else."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ses_suppression.client import SuppressionList
from ses_suppression.errors import StoreUnavailableError
from tests.e2e.stack import Stack
from tests.sent_by_ses import bounce


def test_a_reader_checks_and_screens(stack: Stack, reader_credentials: dict[str, str]) -> None:
    address = f"{uuid.uuid4().hex}@example.net"
    stack.publish("Bounces", bounce(address, at=datetime.now(UTC), feedback_id=uuid.uuid4().hex))
    stack.await_suppression(address)
    client = stack.emulator.client("dynamodb", **reader_credentials)
    suppressions = SuppressionList.of_table(stack.deployment.table_name, client=client)
    assert suppressions.check(address) is not None
    screening = suppressions.screen([address, "clear@example.net"])
    assert (list(screening.suppressed), screening.allowed) == ([address], ("clear@example.net",))
    with pytest.raises(StoreUnavailableError, match="AccessDenied"):
        suppressions.suppress(address, by="app", note="a reader may not")


KEY = {"address": {"S": "jane@example.com"}}
FORBIDDEN: dict[str, Callable[[Any, str], Any]] = {
    "PutItem": lambda dynamodb, table: dynamodb.put_item(TableName=table, Item=KEY),
    "DeleteItem": lambda dynamodb, table: dynamodb.delete_item(TableName=table, Key=KEY),
    "UpdateItem": lambda dynamodb, table: dynamodb.update_item(TableName=table, Key=KEY),
    "Scan": lambda dynamodb, table: dynamodb.scan(TableName=table),
    "DescribeTable": lambda dynamodb, table: dynamodb.describe_table(TableName=table),
    "GetItem elsewhere": lambda dynamodb, _table: dynamodb.get_item(TableName="other", Key=KEY),
}


@pytest.mark.parametrize("attempt", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_reader_can_do_nothing_else(
    stack: Stack, reader_credentials: dict[str, str], attempt: Callable[[Any, str], Any]
) -> None:
    dynamodb = stack.emulator.client("dynamodb", **reader_credentials)
    with pytest.raises(ClientError) as raised:
        attempt(dynamodb, stack.deployment.table_name)
    assert raised.value.response["Error"]["Code"] in {"AccessDeniedException", "AccessDenied"}


def test_an_app_finds_the_table_by_its_parameter(stack: Stack) -> None:
    name = "/ses-suppression/dev/table-name"
    parameter = stack.emulator.client("ssm").get_parameter(Name=name)["Parameter"]
    assert parameter["Value"] == stack.deployment.table_name
