"""Evidence about many addresses, written in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.errors import SESSuppressionError
from ses_suppression.ingest import Applied, apply
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Store

ADDRESSES_A_BATCH = 400
BATCH_SECONDS = 120.0
"""An operator waits longer for a table that is slow than a sender would."""


@dataclass
class BatchWriter:
    """Writes evidence in batches. What fails is collected, and the rest goes on.

    Attributes:
        store: where the records are.
        policy: the thresholds of the verdict.
        written: how many records were changed.
        failures: why evidence could not be added, by address.

    >>> from datetime import UTC, datetime
    >>> from ses_suppression.core import actions
    >>> from ses_suppression.testing import InMemoryStore
    >>> at = datetime(2026, 12, 1, tzinfo=UTC)
    >>> writer = BatchWriter(InMemoryStore(), Policy())
    >>> writer.add("jane@example.com", [actions.suppress(by="ann", note="by phone", at=at)])
    >>> writer.flush()
    >>> writer.written, writer.failures
    (1, {})
    """

    store: Store
    policy: Policy
    written: int = 0
    failures: dict[str, SESSuppressionError] = field(default_factory=dict)
    _pending: dict[str, Sequence[Evidence]] = field(default_factory=dict)

    def add(self, address: str, evidence: Sequence[Evidence]) -> None:
        """Add evidence about one address; a full batch is written."""
        self._pending[address] = [*self._pending.get(address, ()), *evidence]
        if len(self._pending) >= ADDRESSES_A_BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        batch, self._pending = self._pending, {}
        if batch:
            self.write(batch)

    def write(self, batch: Mapping[str, Sequence[Evidence]]) -> dict[str, Record]:
        """Write a batch, and return the records that changed."""
        deadline = Deadline(BATCH_SECONDS)
        applied = apply(batch, store=self.store, policy=self.policy, deadline=deadline)
        self.written += len(applied.changed)
        self.failures.update(applied.failures)
        return applied.changed


def plan(new: Mapping[str, Sequence[Evidence]], *, store: Store, policy: Policy) -> Applied:
    """Return what `BatchWriter.write` would change, without writing it."""
    loaded = store.load(new, consistent=False, deadline=Deadline(BATCH_SECONDS))
    changed = {
        address: change
        for address, record in loaded.records.items()
        if (change := update(record, new[address], policy))
    }
    return Applied(changed=changed, failures=loaded.failures)


def load_all(store: Store, addresses: Sequence[str]) -> Mapping[str, Record]:
    """Return the records of normalised addresses.

    Raises:
        SESSuppressionError: the first reason why one could not be read.
    """
    loaded = store.load(addresses, consistent=True, deadline=Deadline(BATCH_SECONDS))
    for failure in loaded.failures.values():
        raise failure
    return loaded.records
