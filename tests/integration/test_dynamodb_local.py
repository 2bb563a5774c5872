"""The store against the genuine DynamoDB Local: what an emulator of ours may only believe.

`make conformance` fetches it and runs this; elsewhere it is skipped, with the reason.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local.cdk import ROOT
from local.emulator import free_port
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.errors import ConflictError, StoreUnavailableError
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore
from ses_suppression.store.items import to_item
from tests.builders import hard
from tests.integration.servers import ACCESS
from tests.integration.tables import TABLE_NAME, create_table
from tests.processes import running

FOLDER = ROOT / ".dynamodb-local" / "package" / "emulator"
OLDEST_JAVA = 17
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def cannot_run(why: str) -> NoReturn:
    """Skip, or fail where somebody asked for these tests alone."""
    if os.environ.get("CONFORMANCE"):
        pytest.fail(why)
    pytest.skip(why)


def java() -> str:
    """Give the path of a Java that DynamoDB Local runs on."""
    path = shutil.which("java")
    if not path:
        cannot_run("Java is not installed")
    answer = subprocess.run(
        [path, "-version"], capture_output=True, text=True, timeout=60, check=False
    )
    version = re.search(r'version "(\d+)', answer.stderr)
    if not version or int(version[1]) < OLDEST_JAVA:
        cannot_run(f"Java {OLDEST_JAVA} is needed, this is: {answer.stderr.partition(chr(10))[0]}")
    return path


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    path = java()
    if not FOLDER.is_dir():
        cannot_run("DynamoDB Local is not here: make conformance")
    port = free_port()
    client: Any = boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}", **ACCESS)

    def is_up() -> bool:
        try:
            client.list_tables()
        except EndpointConnectionError:
            return False
        return True

    command = [
        path,
        f"-Djava.library.path={FOLDER / 'DynamoDBLocal_lib'}",
        "-jar",
        str(FOLDER / "DynamoDBLocal.jar"),
        "-inMemory",
        "-port",
        str(port),
        "-disableTelemetry",
    ]
    # Where it runs it writes a file of its own.
    with running("DynamoDB Local", command, is_up=is_up, seconds=60, cwd=FOLDER):
        create_table(client, TABLE_NAME)
        yield client


@pytest.fixture
def store(dynamodb: Any) -> DynamoDBStore:
    return DynamoDBStore(dynamodb, TABLE_NAME, clock=lambda: NOW)


def record_of(address: str, days: int = 1) -> Record:
    record = update(Record(address=address), [hard(day) for day in range(days)], Policy())
    assert record is not None
    return record


def save(store: DynamoDBStore, *records: Record) -> Any:
    return store.save(records, deadline=Deadline(10))


def load(store: DynamoDBStore, *addresses: str) -> Any:
    return store.load(addresses, consistent=True, deadline=Deadline(30))


def test_of_two_writers_of_a_new_item_one_is_refused(store: DynamoDBStore) -> None:
    record = record_of("new@example.com")
    assert save(store, record) == {}
    assert isinstance(save(store, record)["new@example.com"], ConflictError)


def test_a_writer_that_read_an_older_revision_is_refused(store: DynamoDBStore) -> None:
    save(store, record_of("old@example.com"))
    read = load(store, "old@example.com").records["old@example.com"]
    assert save(store, read) == {}
    assert isinstance(save(store, read)["old@example.com"], ConflictError)


def test_a_deleted_item_is_not_written_over(store: DynamoDBStore) -> None:
    save(store, record_of("gone@example.com"))
    read = load(store, "gone@example.com").records["gone@example.com"]
    store.erase("gone@example.com")
    assert isinstance(save(store, read)["gone@example.com"], ConflictError)


def test_what_one_answer_does_not_hold_is_asked_for_again(
    dynamodb: Any, store: DynamoDBStore
) -> None:
    """DynamoDB answers with at most 16 MB, and names the keys of the rest as unprocessed."""
    addresses = [f"large-{number}@example.com" for number in range(100)]
    ballast = {"of_a_newer_version": {"S": "x" * 200 * 1024}}
    for address in addresses:
        item = to_item(record_of(address), "r1") | ballast
        dynamodb.put_item(TableName=TABLE_NAME, Item=item)
    keys = [{"address": {"S": address}} for address in addresses]
    answer = dynamodb.batch_get_item(RequestItems={TABLE_NAME: {"Keys": keys}})
    assert answer["UnprocessedKeys"]
    loaded = load(store, *addresses)
    assert loaded.failures == {}
    assert all(loaded.records[address].evidence for address in addresses)


def test_the_longest_address_is_a_key_and_a_longer_one_is_refused_with_its_reason(
    store: DynamoDBStore,
) -> None:
    longest = f"{'a' * (2048 - len('@example.com'))}@example.com"
    assert save(store, record_of(longest)) == {}
    assert load(store, longest).records[longest].evidence
    error = save(store, record_of(f"a{longest}"))[f"a{longest}"]
    assert isinstance(error, StoreUnavailableError)
    assert error.code == "ValidationException"


def test_an_item_of_more_than_400_kb_is_refused(dynamodb: Any) -> None:
    item = {"address": {"S": "big@example.com"}, "note": {"S": "x" * 401 * 1024}}
    with pytest.raises(ClientError, match="Item size"):
        dynamodb.put_item(TableName=TABLE_NAME, Item=item)


def test_a_duplicate_key_is_an_error_that_the_store_never_makes(
    dynamodb: Any, store: DynamoDBStore
) -> None:
    key = {"address": {"S": "twice@example.com"}}
    with pytest.raises(ClientError, match="duplicates"):
        dynamodb.batch_get_item(RequestItems={TABLE_NAME: {"Keys": [key, key]}})
    assert load(store, "twice@example.com", "twice@example.com").failures == {}
