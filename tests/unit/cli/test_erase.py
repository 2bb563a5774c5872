"""What `erase` leaves behind: nothing that names the address."""

import pytest

from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.store.deadline import Deadline
from ses_suppression.testing import InMemoryStore
from tests.builders import JANE, day, hard
from tests.command import command

FORWARDER, PERSON = "forwarder@example.com", "jane@example.net"


def erased(*options: str) -> tuple[InMemoryStore, int]:
    """Erase a person to whom another address forwards; give what is left."""
    store = InMemoryStore(clock=lambda: day(1))
    others = [
        hard(0, reported_as=PERSON),
        hard(0.1, reported_as=f"rfc822; {PERSON.upper()}"),
        hard(0.2, reported_as=f"not.{PERSON}"),
        hard(0.3, reported_as=f"{PERSON}.au"),
    ]
    for address, pieces in ((FORWARDER, others), (PERSON, [hard(0)]), (JANE, [hard(0)])):
        record = update(Record(address=address), pieces, Policy())
        assert record
        store.save([record], deadline=Deadline(1))

    return store, command(store, "erase", PERSON, *options)


def test_an_address_is_erased_from_the_evidence_about_others_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, _ = erased()
    assert "it would be taken out of the evidence about 1 others" in capsys.readouterr().out
    assert before.records.keys() == {FORWARDER, PERSON, JANE}
    assert before.records[FORWARDER].evidence[0].reported_as == PERSON
    store, status = erased("--apply")
    assert "it is taken out of the evidence about 1 others" in capsys.readouterr().out
    assert (set(store.records), status) == ({FORWARDER, JANE}, 0)
    after = store.records[FORWARDER]
    reports = [None, None, f"not.{PERSON}", f"{PERSON}.au"]
    assert [piece.reported_as for piece in after.evidence] == reports
    assert after.suppressions == before.records[FORWARDER].suppressions
