"""An ingest behind a fault proxy: whatever fails, nothing is lost and nothing is counted twice.

What is given back comes again, as it does by SQS; what was written before its answer was lost comes
again too.
"""

import io
import math
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.ingest import CLIENT, SECONDS_TO_HAND_BACK, IngestFunction
from ses_suppression.core.notification import Bounce
from ses_suppression.core.policy import Policy
from ses_suppression.ingest import Message, Status, ingest
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import CONNECTIONS, DynamoDBStore
from tests.builders import ACCOUNT_ID, NOON, bounce_notification
from tests.fault_proxy import FaultProxy, running_fault_proxy
from tests.integration import tables
from tests.integration.context import Context
from tests.integration.servers import ACCESS, running_moto

POLICY = Policy()
TABLE_NAME = "ingested"
DAYS = 4  # one transient bounce a day: counted once each, they do not hold mail back yet


@pytest.fixture(scope="module")
def faulty() -> Iterator[FaultProxy]:
    with running_moto(TABLE_NAME) as upstream, running_fault_proxy(upstream) as proxy:
        patient = boto3.client("dynamodb", endpoint_url=proxy.url, **ACCESS)
        patient.describe_table(TableName=TABLE_NAME)  # its first request takes seconds
        yield proxy


def store_behind(faulty: FaultProxy, config: Config) -> DynamoDBStore:
    client = boto3.client("dynamodb", endpoint_url=faulty.url, config=config, **ACCESS)
    return DynamoDBStore(client, TABLE_NAME)


FAULTS: dict[str, list[dict[str, Any]]] = {
    "throttled twice": [{"error": {"code": "ProvisionedThroughputExceededException"}, "times": 2}],
    "throttled for ever": [{"error": {"code": "ProvisionedThroughputExceededException"}}],
    "500s": [{"error": {"code": "InternalServerError"}}],
    "table gone": [{"error": {"code": "ResourceNotFoundException", "status": 400}}],
    "access denied": [{"error": {"code": "AccessDeniedException", "status": 400}}],
    "key disabled": [{"error": {"code": "KMSDisabledException", "status": 400}}],
    "credentials expired": [{"error": {"code": "ExpiredTokenException", "status": 400}}],
    "reset before the write": [{"operation": "PutItem", "reset": True}],
    "answer lost after the write": [
        {"operation": "PutItem", "response": {"abort_frac": 0.1}, "times": 3}
    ],
    "read time-out": [{"operation": "PutItem", "latency": 3_000, "times": 2}],
    "answers cut off": [{"operation": "BatchGetItem", "response": {"abort_frac": 0.4}}],
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_fails_is_given_back_and_in_the_end_all_is_counted_once(
    faulty: FaultProxy, fault: list[dict[str, Any]], request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id.replace(" ", "-")
    messages = [
        Message(
            id=f"{address}{day}",
            body=bounce_notification(
                f"{address}-{name}@example.com",
                bounce_type="Transient",
                sub_type="MailboxFull",
                status="4.2.2",
                at=NOON.replace(day=day),
                feedback_id=f"{name}-{address}-{day}",
            ),
            received_at=NOON.replace(day=20),
        )
        for address in ("a", "b", "c")
        for day in range(1, DAYS + 1)
    ]
    store = store_behind(faulty, CLIENT)
    before = faulty.injected().total()
    faulty.use(*fault)
    given_back = tried(store, messages)
    assert faulty.injected().total() > before
    faulty.use()
    assert tried(store, given_back) == []
    addresses = [f"{address}-{name}@example.com" for address in ("a", "b", "c")]
    assert_counted_once(store, addresses)
    assert tried(store, messages) == [], "all of it once more changes nothing"
    assert_counted_once(store, addresses)


def test_of_a_slow_table_a_function_takes_what_there_is_time_for_and_hands_back_the_rest(
    faulty: FaultProxy,
) -> None:
    seconds_to_work, seconds_a_write = 1, 0.4
    rounds_begun = math.ceil(seconds_to_work / seconds_a_write)  # at most, of CONNECTIONS each
    names = [f"slow-{number}@example.com" for number in range(CONNECTIONS * rounds_begun + 20)]
    event = {
        "Records": [
            {
                "messageId": name,
                "body": bounce_notification(name, feedback_id=name),
                "attributes": {"SentTimestamp": "0"},
            }
            for name in names
        ]
    }
    store = store_behind(faulty, CLIENT)
    function = IngestFunction(
        store=store,
        policy=POLICY,
        account_ids=frozenset({ACCOUNT_ID}),
        reject=lambda _outcome: pytest.fail("nothing is to be rejected"),
        kind=Bounce,
        fingerprint_key="key",
        logger=Logger(service="slow", stream=io.StringIO()),
        metrics=Metrics(namespace="slow", service="slow"),
        environment="test",
    )
    faulty.use({"operation": "PutItem", "latency": seconds_a_write * 1000})
    seconds, begun = SECONDS_TO_HAND_BACK + seconds_to_work, time.monotonic()
    answer = function(event, Context(seconds))
    assert time.monotonic() - begun < seconds - 2
    faulty.use()
    given_back = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    assert 0 < len(given_back) < len(names)
    loaded = store.load(names, consistent=True, deadline=Deadline(10)).records
    assert {name for name in names if loaded[name].evidence} == {*names} - given_back
    assert function(event, Context(30)) == {"batchItemFailures": []}
    loaded = store.load(names, consistent=True, deadline=Deadline(10)).records
    assert {len(loaded[name].evidence) for name in names} == {1}


class Expiring:
    """A DynamoDB client whose credentials expire after a few writes."""

    def __init__(self, client: Any, writes: int) -> None:
        self._client = client
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **arguments: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ClientError({"Error": {"Code": "ExpiredTokenException"}}, "PutItem")
        return self._client.put_item(**arguments)


def test_credentials_that_expire_in_mid_batch_give_back_what_is_not_written(client: Any) -> None:
    names = [f"a{number}@example.com" for number in range(10)]
    messages = [
        Message(id=name, body=bounce_notification(name, feedback_id=name), received_at=NOON)
        for name in names
    ]
    store = DynamoDBStore(Expiring(client, writes=4), tables.TABLE_NAME)  # type: ignore[arg-type]
    given_back = tried(store, messages)
    assert len(given_back) == 6
    fresh = DynamoDBStore(client, tables.TABLE_NAME)
    written = fresh.load(names, consistent=True, deadline=Deadline(4)).records
    assert {name for name in names if written[name].evidence} == {*names} - {
        message.id for message in given_back
    }
    assert tried(fresh, given_back) == []
    written = fresh.load(names, consistent=True, deadline=Deadline(4)).records
    assert all(len(written[name].evidence) == 1 for name in names)


def assert_counted_once(store: DynamoDBStore, addresses: list[str]) -> None:
    loaded = store.load(addresses, consistent=True, deadline=Deadline(10))
    for address in addresses:
        assert len(loaded.records[address].evidence) == DAYS
        assert loaded.records[address].suppressions == {}


def tried(store: DynamoDBStore, messages: list[Message]) -> list[Message]:
    """Ingest; give what has to come again."""
    outcomes = ingest(messages, store=store, policy=POLICY, deadline=Deadline(4))
    assert {outcome.status for outcome in outcomes} <= {Status.APPLIED, Status.RETRIED}
    return [outcome.message for outcome in outcomes if outcome.status is Status.RETRIED]
