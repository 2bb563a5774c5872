"""Who another policy would release, and who it would hold back."""

import pytest

from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.operations.batches import BatchWriter
from ses_suppression.operations.replay import replay
from ses_suppression.testing import InMemoryStore
from tests.builders import complaint, day, hard, transient

OTHER = Policy(
    transient_bounces=2,
    transient_hold_days=3650,
    longest_hold_days=3650,
    never_suppress=frozenset({"vip@example.com", "news@example.com"}),
)


def store() -> InMemoryStore:
    evidence = {
        "vip@example.com": [hard(0)],
        "news@example.com": [complaint(0, stream="news")],
        "two@example.org": [transient(0), transient(1)],
        "same@example.com": [hard(0)],
    }
    records = {
        address: update(Record(address=address), pieces, Policy()) or Record(address=address)
        for address, pieces in evidence.items()
    }
    return InMemoryStore(clock=lambda: day(2), records=records)


@pytest.mark.parametrize("apply", [False, True])
def test_a_replay_counts_who_is_released_and_added_and_writes_only_if_asked(*, apply: bool) -> None:
    table = store()
    before, writer = dict(table.records), BatchWriter(table, OTHER)
    found = replay(list(before.values()), at=day(2), writer=writer, apply=apply)
    assert found.records == 4
    assert sorted(found.released) == ["news@example.com", "vip@example.com"]
    assert found.added == ["two@example.org"]
    assert (table.records == before) == (not apply)
    assert writer.written == (3 if apply else 0)
