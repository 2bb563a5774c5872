"""A store without AWS, for tests."""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ses_suppression.core.record import Record
from ses_suppression.errors import ConflictError, SESSuppressionError
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.fork import Lock
from ses_suppression.store.protocol import Found, Loaded


class InMemoryStore:
    """A store without AWS, with the table's own conditions.

    Args:
        clock: the time, UTC.
        records: what it holds from the start, by address.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        records: Mapping[str, Record] | None = None,
    ) -> None:
        self.records: dict[str, Record] = dict(records or {})
        self._lock = Lock()
        self._clock = clock

    def __str__(self) -> str:
        """Return where it is, for messages."""
        return "the store in memory"

    def load(self, addresses: Collection[str], *, consistent: bool, deadline: Deadline) -> Loaded:
        """Read records; an address without one has an empty record."""
        del consistent, deadline  # Memory is always consistent, and answers at once.
        return Loaded(
            records={address: self._load_one(address) for address in addresses},
            answered_at=self._clock(),
        )

    def save(
        self, records: Collection[Record], *, deadline: Deadline
    ) -> Mapping[str, SESSuppressionError]:
        """Write records, each only if nobody else wrote it since."""
        del deadline
        failures: dict[str, SESSuppressionError] = {}
        for record in records:
            with self._lock:
                current = self.records.get(record.address)
                if record.revision != (current.revision if current else None):
                    failures[record.address] = ConflictError(
                        "another writer changed the record in between"
                    )
                else:
                    self.records[record.address] = replace(record, revision=uuid.uuid4().hex)
        return failures

    def find_many(self, addresses: Sequence[str], *, deadline: Deadline) -> Found:
        """Read the verdicts on some addresses."""
        del deadline
        return Found(
            verdicts={address: self._load_one(address).suppressions for address in addresses}
        )

    def scan(self) -> Iterator[Loaded]:
        """Read all records."""
        found = [self._load_one(address) for address in list(self.records)]
        yield Loaded(records={record.address: record for record in found if record.evidence})

    def erase(self, address: str) -> None:
        """Delete the record of an address."""
        self.records.pop(address, None)

    def _load_one(self, address: str) -> Record:
        record = self.records.get(address, Record(address=address))
        if record.expires_at is not None and record.expires_at <= self._clock().timestamp():
            return Record(address=address, revision=record.revision)
        return record
