"""What an app asks before it sends."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from ses_suppression.address import normalise
from ses_suppression.errors import MissingSettingError
from ses_suppression.evidence import EVERY_STREAM
from ses_suppression.store import DynamoDBStore, Store
from ses_suppression.suppression import Suppression, lasts_longest

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

TABLE_NAME_VARIABLE = "SUPPRESSION_TABLE_NAME"

# boto3's own time-outs are a minute with five tries: a sender would hang.
_SEND_PATH = Config(
    connect_timeout=0.3, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2}
)


class SuppressionList:
    """The application-level suppression list: may I send mail to this address?

    Args:
        store: where the records are; `SuppressionList.from_env()` and `.of_table()` build the
            ordinary one.
        clock: the time, UTC.

    >>> from ses_suppression.testing import InMemoryStore
    >>> SuppressionList(InMemoryStore()).check("jane@example.com") is None
    True
    """

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._clock = clock

    @classmethod
    def of_table(
        cls, table_name: str, *, client: "DynamoDBClient | None" = None
    ) -> "SuppressionList":
        """Use a table in DynamoDB.

        Args:
            table_name: the table; the stack's output `SuppressionTableName`.
            client: a boto3 DynamoDB client; without one, one whose time-outs suit a sender is made.
        """
        return cls(DynamoDBStore(client or boto3.client("dynamodb", config=_SEND_PATH), table_name))

    @classmethod
    def from_env(cls) -> "SuppressionList":
        """Use the table that the environment variable `SUPPRESSION_TABLE_NAME` names.

        Raises:
            MissingSettingError: it is not set.
        """
        table_name = os.environ.get(TABLE_NAME_VARIABLE)
        if not table_name:
            raise MissingSettingError(
                f"set {TABLE_NAME_VARIABLE} to the stack's output SuppressionTableName"
            )
        return cls.of_table(table_name)

    def check(self, address: str, stream: str | None = None) -> Suppression | None:
        """Ask whether mail to an address is held back. One GetItem.

        Args:
            address: in any spelling.
            stream: the stream of the mail; what holds for every stream is always asked too.

        Returns:
            The suppression that lasts longest, or None: mail may be sent.

        Raises:
            InvalidAddressError: the text is no address.
            StoreUnavailableError: DynamoDB did not answer. Nothing is known: do not take it for a
                yes.
        """
        found = self._store.find(normalise(address))
        now = self._clock()
        asked = [
            found[name] for name in (EVERY_STREAM, stream) if name is not None and name in found
        ]
        return lasts_longest(suppression for suppression in asked if suppression.holds_at(now))
