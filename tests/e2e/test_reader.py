"""An app's role with the reader's policy: it can ask for verdicts, in whatever way.

What else it tries is in `tests/denials.py`.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.errors import StoreUnavailableError
from tests.builders import bounce_notification
from tests.denials import KEY, REFUSALS, VERDICT
from tests.e2e.stack import Stack


def test_a_reader_checks_and_screens(stack: Stack, reader_credentials: dict[str, str]) -> None:
    address = f"{uuid.uuid4().hex}@example.net"
    stack.publish(
        "Bounces", bounce_notification(address, at=datetime.now(UTC), feedback_id=uuid.uuid4().hex)
    )
    stack.await_suppression(address)
    client = stack.emulator.client("dynamodb", **reader_credentials)
    suppressions = SuppressionList.of_table(stack.deployment.table_name, client=client)
    assert suppressions.check(address) is not None
    screening = suppressions.screen([address, "clear@example.net"])
    assert (list(screening.suppressed), screening.allowed) == ([address], ("clear@example.net",))
    with pytest.raises(StoreUnavailableError, match="AccessDenied"):
        suppressions.suppress(address, by="app", note="a reader may not")


Read = Callable[[Any, str, dict[str, Any]], Any]
READS: dict[str, Read] = {
    "GetItem": lambda dynamodb, table, options: dynamodb.get_item(
        TableName=table, Key=KEY, **options
    ),
    "BatchGetItem": lambda dynamodb, table, options: dynamodb.batch_get_item(
        RequestItems={table: {"Keys": [KEY], **options}}
    ),
    "TransactGetItems": lambda dynamodb, table, options: dynamodb.transact_get_items(
        TransactItems=[{"Get": {"TableName": table, "Key": KEY, **options}}]
    ),
}
SHOWN: dict[str, dict[str, Any]] = {
    "both attributes": VERDICT,
    "one": {"ProjectionExpression": "suppressions"},
    "part of one": {"ProjectionExpression": "suppressions.news.since"},
    "by other names": {
        "ProjectionExpression": "#a, #s",
        "ExpressionAttributeNames": {"#a": "address", "#s": "suppressions"},
    },
}
HIDDEN: dict[str, dict[str, Any]] = {
    "no projection": {},
    "evidence alone": {"ProjectionExpression": "evidence"},
    "evidence too": {"ProjectionExpression": "address, suppressions, evidence"},
    "part of the evidence": {"ProjectionExpression": "address, evidence[0].diagnostic"},
    "evidence by another name": {
        "ProjectionExpression": "address, #s",
        "ExpressionAttributeNames": {"#s": "evidence"},
    },
}


@pytest.mark.parametrize("options", SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_reader_gets_the_verdict(
    stack: Stack, reader_credentials: dict[str, str], read: Read, options: dict[str, Any]
) -> None:
    dynamodb = stack.emulator.client("dynamodb", **reader_credentials)
    assert read(dynamodb, stack.deployment.table_name, options)


@pytest.mark.parametrize("options", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_reader_gets_nothing_but_the_verdict(
    stack: Stack, reader_credentials: dict[str, str], read: Read, options: dict[str, Any]
) -> None:
    dynamodb = stack.emulator.client("dynamodb", **reader_credentials)
    with pytest.raises(ClientError) as raised:
        read(dynamodb, stack.deployment.table_name, options)
    assert raised.value.response["Error"]["Code"] in REFUSALS
    assert read(stack.emulator.client("dynamodb"), stack.deployment.table_name, options)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_reader_may_not_select_all(
    stack: Stack, reader_credentials: dict[str, str], read: Read
) -> None:
    """No SDK writes `Select` into these requests: somebody else may."""
    dynamodb = stack.emulator.client("dynamodb", **reader_credentials)
    dynamodb.meta.events.register("before-call.dynamodb", _select_all)
    with pytest.raises(ClientError) as raised:
        read(dynamodb, stack.deployment.table_name, VERDICT)
    assert raised.value.response["Error"]["Code"] in REFUSALS


def _select_all(params: dict[str, Any], **_: object) -> None:
    projection = b'"ProjectionExpression"'
    assert params["body"].count(projection) == 1
    params["body"] = params["body"].replace(
        projection, b'"Select": "ALL_ATTRIBUTES", ' + projection
    )


def test_an_app_finds_the_table_by_its_parameter(stack: Stack) -> None:
    name = "/ses-suppression/dev/table-name"
    parameter = stack.emulator.client("ssm").get_parameter(Name=name)["Parameter"]
    assert parameter["Value"] == stack.deployment.table_name
