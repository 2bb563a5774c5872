"""The suppression table: the one module that talks to DynamoDB.

A write is conditional on the revision that was read, so two writers cannot overwrite each other,
and an item that was deleted in between is not brought back by half. What went wrong is told per
address: one that cannot be read or written never holds up another.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ses_suppression.arns import region_and_name
from ses_suppression.core.record import Record
from ses_suppression.errors import (
    ConflictError,
    MissingSettingError,
    SESSuppressionError,
    StoreUnavailableError,
    UnreadableItemError,
)
from ses_suppression.store.daemon_pool import DaemonPool
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.fork import Connections
from ses_suppression.store.items import Item, to_item, to_record, to_suppressions
from ses_suppression.store.protocol import Found, Loaded, chunks
from ses_suppression.store.rate_limit import Pace

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


VERDICT_ATTRIBUTES = ("address", "suppressions")
"""What a check reads of an item, and all that an app's policy lets it read."""

CONNECTIONS = 16
"""Requests at a time; a client for the store wants a connection pool as large."""

SEGMENTS = 4
"""Parts of the table that a scan reads at a time."""

READ_UNITS_A_SECOND = 1000.0
"""What a scan may take of the table: some 8 MB a second ("Read consistency", DynamoDB guide)."""

_ITEMS_A_PAGE = 500  # so that what is under way is small, whatever the size of the table

_In = TypeVar("_In")
_Out = TypeVar("_Out")

_CHANGED = "ConditionalCheckFailedException"


class DynamoDBStore:
    """The table in DynamoDB.

    Args:
        client: a boto3 DynamoDB client.
        table_name: the table.
        clock: the time, UTC: a record that has expired but is not deleted yet is as good as none.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table_name: str,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._connections = Connections(client)
        self._table_name = table_name
        self._place = f"table {table_name} in {client.meta.region_name}"
        self._clock = clock
        self._answered_at: datetime | None = None  # by the server's clock, whoever asked last
        self._pool = DaemonPool(CONNECTIONS, "dynamodb")

    def __str__(self) -> str:
        """Return where it is, for messages."""
        return f"DynamoDB ({self._place})"

    @classmethod
    def of_table(
        cls, table: str, make_client: Callable[[str | None], "DynamoDBClient"]
    ) -> "DynamoDBStore":
        """Use a table by its name, or by its ARN: then it is asked in its own region.

        Args:
            table: the stack's output `SuppressionTableName`.
            make_client: gives a boto3 DynamoDB client of a region; None: of the region that boto3
                finds.

        Raises:
            MissingSettingError: the client is of another region.

        >>> import boto3
        >>> DynamoDBStore.of_table(
        ...     "arn:aws:dynamodb:eu-west-1:111122223333:table/suppressions",
        ...     lambda region: boto3.client("dynamodb", region_name=region),
        ... )  # doctest: +ELLIPSIS
        <ses_suppression.store.dynamodb.DynamoDBStore object at ...>
        """
        region, name = region_and_name(table)
        client = make_client(region)
        if region and client.meta.region_name != region:
            raise MissingSettingError(
                f"the table is in {region}, the client asks in {client.meta.region_name}"
            )
        return cls(client, name)

    def load(self, addresses: Collection[str], *, consistent: bool, deadline: Deadline) -> Loaded:
        """Read records with BatchGetItem, 100 addresses a request, several requests at a time."""
        loaded = Loaded()
        parts = list(chunks(list(dict.fromkeys(addresses))))
        for part in self._each(
            lambda chunk: self._load_chunk(chunk, consistent=consistent, deadline=deadline), parts
        ):
            loaded.records.update(part.records)
            loaded.failures.update(part.failures)
        return replace(loaded, answered_at=self._answered_at)

    def save(
        self, records: Collection[Record], *, deadline: Deadline
    ) -> Mapping[str, SESSuppressionError]:
        """Write records with PutItem, several at a time; none is begun after the deadline."""
        records = list(records)
        errors = self._each(lambda record: self._save_one(record, deadline), records)
        return {
            record.address: error for record, error in zip(records, errors, strict=True) if error
        }

    def find_many(self, addresses: Sequence[str], *, deadline: Deadline) -> Found:
        """Read the verdicts on at most 100 addresses with one BatchGetItem."""
        options = {"ProjectionExpression": ", ".join(VERDICT_ATTRIBUTES)}
        items, failures = self._ask(addresses, options, deadline)
        found = Found(failures=failures)
        for address, item in items.items():
            try:
                found.verdicts[address] = to_suppressions(item) if item is not None else {}
            except UnreadableItemError as error:
                found.failures[address] = error
        return found

    def scan(self, *, segments: int = SEGMENTS, pace: Pace | None = None) -> Iterator[Loaded]:
        """Read the whole table page by page, in no order, in memory that does not depend on it.

        Args:
            segments: how many parts of the table are read at a time.
            pace: the limit in read units; None: 1,000 a second.

        Yields:
            The records of a page; what cannot be read is among its failures. A record that has
            expired, and is not deleted yet, is left out.

        Raises:
            StoreUnavailableError: DynamoDB did not answer, or refused.
        """
        pace = pace or Pace(READ_UNITS_A_SECOND)
        pool = ThreadPoolExecutor(segments, thread_name_prefix="scan")

        def ask(segment: int, start: Item | None) -> "Future[tuple[int, Loaded, Item | None]]":
            return pool.submit(self._page, segment, segments, start, pace)

        try:
            pending = {ask(segment, None) for segment in range(segments)}
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    segment, loaded, next_start = future.result()
                    if next_start:
                        pending.add(ask(segment, next_start))
                    yield loaded
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def erase(self, address: str) -> None:
        """Delete the item of an address, with all that is known about it.

        The evidence about another address may still name it, where that forwards its mail: see
        `without_reports_of`.

        Raises:
            StoreUnavailableError: DynamoDB did not confirm it.
        """
        self._ask_metered(self._client.delete_item, Key={"address": {"S": address}})

    def _page(
        self, segment: int, segments: int, start: Item | None, pace: Pace
    ) -> tuple[int, Loaded, Item | None]:
        options: dict[str, Any] = {"ExclusiveStartKey": start} if start else {}
        pace.spend(0)  # waits for what the pages before it have taken
        answer = self._ask_metered(
            self._client.scan,
            Segment=segment,
            TotalSegments=segments,
            Limit=_ITEMS_A_PAGE,
            **options,
        )
        pace.spend(answer["ConsumedCapacity"].get("CapacityUnits", 0))
        loaded = Loaded()
        for item in answer.get("Items", []):
            self._read(_address_in(item), item, loaded)
        present = {address: record for address, record in loaded.records.items() if record.evidence}
        return segment, Loaded(present, loaded.failures), answer.get("LastEvaluatedKey")

    def _each(self, function: Callable[[_In], _Out], inputs: Sequence[_In]) -> list[_Out]:
        if len(inputs) == 1:
            return [function(inputs[0])]
        tasks = [self._pool.submit(partial(function, one)) for one in inputs]
        return [task.result() for task in tasks]

    def _load_chunk(
        self, addresses: Sequence[str], *, consistent: bool, deadline: Deadline
    ) -> Loaded:
        items, failures = self._ask(addresses, {"ConsistentRead": consistent}, deadline)
        loaded = Loaded(failures=failures)
        for address, item in items.items():
            self._read(address, item, loaded)
        return loaded

    def _ask(
        self, addresses: Sequence[str], options: Mapping[str, Any], deadline: Deadline
    ) -> tuple[dict[str, Item | None], dict[str, SESSuppressionError]]:
        """Ask for at most 100 items until all are answered for, or the time is over."""
        answered: dict[str, Item | None] = {}
        pending = list(addresses)
        attempt = 0
        while pending:
            if not deadline.remaining:
                failure = StoreUnavailableError(
                    "OutOfTime", f"there was no time left to ask {self}"
                )
                return answered, dict.fromkeys(pending, failure)
            keys: Any = [{"address": {"S": address}} for address in pending]
            request: Any = {self._table_name: {"Keys": keys, **options}}
            try:
                answer = self._answer(
                    self._client.batch_get_item, "Responses", RequestItems=request
                )
                by_address, unanswered = self._read_answer(answer, pending)
            except StoreUnavailableError as error:
                return answered, dict.fromkeys(pending, error)
            for address in pending:
                if address not in unanswered:
                    answered[address] = by_address.get(address)
            pending = [address for address in pending if address in unanswered]
            if pending and not deadline.pause(attempt):
                failure = StoreUnavailableError(
                    "UnprocessedKeys", f"{self} did not answer for this key in time"
                )
                return answered, dict.fromkeys(pending, failure)
            attempt += 1
        return answered, {}

    def _read_answer(
        self, answer: Mapping[str, Any], asked: Sequence[str]
    ) -> tuple[dict[str, Item], set[str]]:
        """Return the items of an answer and the addresses that it leaves out, each one asked for.

        Raises:
            StoreUnavailableError: it answers something else.
        """
        try:
            left = answer.get("UnprocessedKeys", {})
            unanswered = {
                _address_in(key) for key in left.get(self._table_name, {}).get("Keys", [])
            }
            responses = answer["Responses"].get(self._table_name)
            items = {_address_in(one): one for one in responses or []}
            nothing_said = not isinstance(responses, list) and unanswered != {*asked}
            is_foreign = not {*left, *answer["Responses"]} <= {self._table_name}
        except (AttributeError, TypeError):
            raise self._not_dynamodb() from None
        if nothing_said or is_foreign or not {*items, *unanswered} <= {*asked}:
            raise self._not_dynamodb()
        return items, unanswered

    def _read(self, address: str, item: Item | None, loaded: Loaded) -> None:
        if item is None:
            loaded.records[address] = Record(address=address)
            return
        try:
            record = to_record(item)
        except UnreadableItemError as error:
            loaded.failures[address] = error
            return
        if record.expires_at is not None and record.expires_at <= self._clock().timestamp():
            record = Record(address=address, revision=record.revision)
        loaded.records[address] = record

    def _save_one(self, record: Record, deadline: Deadline) -> SESSuppressionError | None:
        if not deadline.remaining:
            return StoreUnavailableError(
                "OutOfTime", f"there was no time left to write the record to {self}"
            )
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(revision)"}
        if record.revision is not None:
            condition = {
                "ConditionExpression": "revision = :read",
                "ExpressionAttributeValues": {":read": {"S": record.revision}},
            }
        try:
            self._ask_metered(
                self._client.put_item, Item=to_item(record, uuid.uuid4().hex), **condition
            )
        except StoreUnavailableError as error:
            if error.code == _CHANGED:
                return ConflictError("another writer changed the record in between")
            return error
        return None

    def _ask_metered(self, operation: Callable[..., Any], **request: object) -> Mapping[str, Any]:
        """Ask for something whose answer holds nothing else that only DynamoDB can know.

        So it has to hold what the request cost: `{}` is the answer of PutItem, and also all that
        the SDK finds in a page of HTML.
        """
        answer = self._answer(
            operation,
            "ConsumedCapacity",
            TableName=self._table_name,
            ReturnConsumedCapacity="TOTAL",
            **request,
        )
        cost = answer["ConsumedCapacity"]
        of_table = str(cost.get("TableName")).rpartition("/")[2] == self._table_name
        if not of_table or not isinstance(cost.get("CapacityUnits"), int | float):
            raise self._not_dynamodb()
        return answer

    def _answer(
        self, operation: Callable[..., Any], part: str, **request: object
    ) -> Mapping[str, Any]:
        """Ask DynamoDB, and take no other's answer.

        Args:
            operation: of the client.
            part: a structure of the answer that DynamoDB never leaves out. A proxy, or a wrong
                endpoint, answers 200 without it.
            request: the operation's arguments.

        Raises:
            StoreUnavailableError: DynamoDB refused, or somebody else answered, or nobody.
        """
        try:
            answer: Mapping[str, Any] = operation(**request)
        except ClientError as error:
            # By its code alone: the SDK's texts can hold the key, which is an address.
            raise StoreUnavailableError(
                error.response["Error"]["Code"],
                f"DynamoDB refused {error.operation_name} on {self._place}",
            ) from None
        except BotoCoreError as error:
            raise StoreUnavailableError(type(error).__name__, f"{self} did not answer") from None
        except Exception as error:  # noqa: BLE001  # whatever an unreadable answer makes of the SDK
            raise StoreUnavailableError(
                type(error).__name__, f"the answer of {self} could not be read"
            ) from None
        if not isinstance(answer.get(part), dict):
            raise self._not_dynamodb()
        self._answered_at = _server_time(answer)
        return answer

    def _not_dynamodb(self) -> StoreUnavailableError:
        return StoreUnavailableError(
            "UnreadableAnswer",
            f"something else answered for {self}: check the endpoint and the proxies",
        )


def _address_in(item: Item) -> str:
    return str(item.get("address", {}).get("S", "an item without address"))


def _server_time(answer: Mapping[str, Any]) -> datetime | None:
    """Read the `Date` of an answer, which is in whole seconds: the end of that second."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(date).astimezone(UTC) + timedelta(seconds=1)
    except (TypeError, ValueError):
        return None
