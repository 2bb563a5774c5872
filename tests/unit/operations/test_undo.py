"""The undo over a whole table, without a command: what it counts, in which order it writes."""

from collections.abc import Iterator
from typing import Any

import pytest

from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record
from ses_suppression.core.undo import Incident, deleted_entries
from ses_suppression.errors import StoreUnavailableError
from ses_suppression.ingest import apply
from ses_suppression.operations.batches import ADDRESSES_A_BATCH, BatchWriter, plan
from ses_suppression.operations.undo import revert, undo
from ses_suppression.ses_account.account_list import AccountLevelEntry
from ses_suppression.store.deadline import Deadline
from ses_suppression.testing import InMemoryStore
from tests.builders import block, day, hard
from tests.command import ListAtSES

INCIDENT = Incident(start=day(10), end=day(11))
WHO: dict[str, Any] = {"by": "ann", "note": "the provider was wrong", "at": day(20)}
LATER = {**WHO, "at": day(30)}
ENTRY = AccountLevelEntry("Jane@Example.com", Reason.BOUNCE, day(10))


class _StoppedError(Exception):
    pass


class StoppedAtSES(ListAtSES):
    """SES's list, which ends the run at the first change."""

    def put_suppressed_destination(self, **_: str) -> None:
        raise _StoppedError

    def delete_suppressed_destination(self, **_: str) -> None:
        raise _StoppedError


def store_of(**evidence: list[Evidence]) -> InMemoryStore:
    store = InMemoryStore(clock=lambda: day(20))
    new = {f"{name}@example.com": pieces for name, pieces in evidence.items()}
    apply(new, store=store, policy=Policy(), deadline=Deadline(1))
    return store


def records(store: InMemoryStore) -> Iterator[Record]:
    for loaded in store.scan():
        yield from loaded.records.values()


def held(store: InMemoryStore) -> set[str]:
    return {record.address for record in records(store) if record.active(day(20))}


def undone(store: InMemoryStore, **options: Any) -> dict[str, int]:
    writer = BatchWriter(store, Policy())
    domains = undo(records(store), INCIDENT, **WHO, writer=writer, **options)
    assert not writer.failures
    return {"released": domains["example.com"].released, "kept": domains["example.com"].kept}


def test_a_dry_run_counts_and_writes_nothing() -> None:
    store = store_of(jane=[hard(10)], joe=[hard(3), hard(10, id="again")], ann=[hard(12)])
    before = list(records(store))
    assert undone(store) == {"released": 1, "kept": 1}
    assert list(records(store)) == before
    assert undone(store, apply=True) == {"released": 1, "kept": 1}
    assert held(store) == {"joe@example.com", "ann@example.com"}


def test_what_an_undo_deletes_at_ses_is_in_the_table_first() -> None:
    store = store_of(jane=[hard(10)])
    stopped = StoppedAtSES([ENTRY]).opened()
    with pytest.raises(_StoppedError):
        undone(store, account_level_list=stopped, apply=True)
    (record,) = records(store)
    assert list(deleted_entries(record, INCIDENT.id)) == [ENTRY.spelling]
    at_ses = ListAtSES([ENTRY])
    undone(store, account_level_list=at_ses.opened(), apply=True)
    assert not at_ses.listed


def test_an_entry_is_put_back_before_the_table_says_so() -> None:
    store, at_ses = store_of(jane=[hard(10)]), ListAtSES([ENTRY])
    undone(store, account_level_list=at_ses.opened(), apply=True)
    before, writer = list(records(store)), BatchWriter(store, Policy())
    stopped = StoppedAtSES().opened()
    with pytest.raises(_StoppedError):
        revert(before, INCIDENT.id, **LATER, writer=writer, account_level_list=stopped, apply=True)
    assert list(records(store)) == before
    for expected in (1, 0):
        counts = revert(
            records(store),
            INCIDENT.id,
            **LATER,
            writer=writer,
            account_level_list=at_ses.opened(),
            apply=True,
        )
        assert counts.put_back_at_ses == counts.addresses == counts.held_back == expected
    assert set(at_ses.listed) == {ENTRY.spelling}
    assert held(store) == {"jane@example.com"}


def test_where_the_table_did_not_take_it_nothing_is_deleted_at_ses() -> None:
    class Full(InMemoryStore):
        def save(self, changed: Any, *, deadline: Deadline) -> dict[str, Any]:
            del deadline
            return {one.address: StoreUnavailableError("Full", "no room") for one in changed}

    store, at_ses = Full(), ListAtSES([ENTRY])
    writer = BatchWriter(store, Policy())
    known = list(records(store_of(jane=[hard(10)])))
    opened = at_ses.opened()
    undo(known, INCIDENT, **WHO, writer=writer, account_level_list=opened, apply=True)
    assert set(writer.failures) == {"jane@example.com"}
    assert set(at_ses.listed) == {ENTRY.spelling}


def test_a_full_batch_is_written_at_once_and_the_rest_when_it_is_asked_for() -> None:
    store = InMemoryStore()
    writer = BatchWriter(store, Policy())
    for number in range(ADDRESSES_A_BATCH + 1):
        writer.add(f"{number}@example.com", [hard(0, id=f"b{number}")])
    assert writer.written == ADDRESSES_A_BATCH
    writer.flush()
    assert writer.written == ADDRESSES_A_BATCH + 1
    assert len(held(store)) == writer.written


def test_a_plan_is_what_a_write_changes() -> None:
    store = store_of(jane=[hard(10)])
    new = {"jane@example.com": [hard(10)], "joe@example.com": [block(1)]}
    planned = plan(new, store=store, policy=Policy())
    assert set(planned.changed) == {"joe@example.com"}
    assert held(store) == {"jane@example.com"}
    written = BatchWriter(store, Policy()).write(new)
    assert {name: one.evidence for name, one in written.items()} == {
        name: one.evidence for name, one in planned.changed.items()
    }
