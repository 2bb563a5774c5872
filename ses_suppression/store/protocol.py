"""What a store is, whatever keeps it: the table, or memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from ses_suppression.core.record import Record
from ses_suppression.core.suppression import Verdict
from ses_suppression.errors import SESSuppressionError
from ses_suppression.store.deadline import Deadline

KEYS_A_REQUEST = 100
"""What one BatchGetItem may ask for ("BatchGetItem", DynamoDB API reference)."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read: the records, and for every other address why it could not be read.

    Attributes:
        answered_at: the server's time, UTC, to the end of its second; None: it did not say.
    """

    records: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, SESSuppressionError] = field(default_factory=dict)
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked: the verdicts, and for every other address why nothing is known about it."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    failures: dict[str, SESSuppressionError] = field(default_factory=dict)


class Store(Protocol):
    """Where records are kept: the table, or memory."""

    def find_many(self, addresses: Sequence[str], *, deadline: Deadline) -> Found:
        """Read the verdicts on at most 100 addresses, each named once."""
        ...

    def load(self, addresses: Collection[str], *, consistent: bool, deadline: Deadline) -> Loaded:
        """Read records; an address without one has an empty record."""
        ...

    def save(
        self, records: Collection[Record], *, deadline: Deadline
    ) -> Mapping[str, SESSuppressionError]:
        """Write records that no one else has written since; return the failures by address."""
        ...


def chunks(items: Sequence[_Item], size: int = KEYS_A_REQUEST) -> Iterator[Sequence[_Item]]:
    """Divide items into parts; without a size, as many as one BatchGetItem may ask for."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
