"""What an incident caused is voided, and nothing else; and it can be taken back."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.core.evidence import Evidence, Kind
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.core.retention import OF_AN_UNDO, merge
from ses_suppression.core.undo import (
    Incident,
    account_level_entry,
    caused_by,
    deleted_entries,
    restored_entries,
    revert_undo,
    toggle_void,
    void_caused,
)
from ses_suppression.errors import InvalidActionError
from tests.builders import JANE, block, complaint, day, delivery, hard, piece, reactivate, transient
from tests.strategies import any_evidence

POLICY = Policy()
WHO: dict[str, Any] = {"by": "ann", "note": "the provider was wrong"}


def incident(start: float = 10, end: float = 11, **more: Any) -> Incident:
    return Incident(start=day(start), end=day(end), **more)


def record(*evidence: Evidence, address: str = JANE) -> Record:
    return with_more(Record(address=address), evidence)


def with_more(known: Record, evidence: Any) -> Record:
    return update(known, evidence, POLICY) or known


def voids(known: Record, of: Incident, at: float) -> tuple[Evidence, ...]:
    return void_caused(known, caused_by(known, of), undo=of.id, at=day(at), **WHO)


def undo(known: Record, of: Incident, at: float = 20) -> Record:
    return with_more(known, voids(known, of, at))


def revert(known: Record, of: Incident, at: float = 30) -> Record:
    return with_more(known, revert_undo(known, of.id, at=day(at), **WHO))


def echo(at: float) -> Evidence:
    return hard(at, bounce_sub_type="OnAccountSuppressionList")


def test_an_undo_releases_and_its_revert_holds_back_again() -> None:
    held = record(hard(10.5))
    released = undo(held, incident())
    assert released.suppressions == {}
    (void,) = released.evidence[1:]
    assert (void.kind, void.voids, void.undo, void.by) == (
        Kind.VOID, "bounce-10.5", incident().id, "ann",
    )  # fmt: skip
    assert revert(released, incident()).suppressions == held.suppressions


def test_doing_it_again_changes_nothing() -> None:
    released = undo(record(hard(10.5)), incident())
    assert voids(released, incident(), 21) == ()
    taken_back = revert(released, incident())
    assert revert_undo(taken_back, incident().id, at=day(31), **WHO) == ()


def test_it_can_be_done_taken_back_and_done_again_and_again_whatever_the_clocks_say() -> None:
    known = record(hard(10.5))
    for _ in range(5):
        known = undo(known, incident())
        assert known.suppressions == {}
        known = revert(known, incident(), at=5)
        assert known.suppressions != {}


def test_older_evidence_keeps_its_effect() -> None:
    released = undo(record(hard(3), hard(10.5)), incident())
    assert released.suppressions["*"].evidence_id == "bounce-3"


def test_what_happened_beside_it_keeps_its_effect() -> None:
    after = undo(record(hard(10.5), complaint(10.6), hard(11)), incident())
    assert after.suppressions["*"].reason == "COMPLAINT"
    assert [line.id for line in caused_by(after, incident())] == ["bounce-10.5"]


@pytest.mark.parametrize(
    ("evidence", "more", "is_caused"),
    [
        (hard(10), {}, True),
        (hard(11), {}, False),
        (hard(9.9), {}, False),
        (block(10.5), {}, True),
        (transient(10.5), {}, True),
        (hard(10.5, bounce_sub_type="Suppressed"), {}, False),
        (hard(10.5, bounce_sub_type="Suppressed"), {"bounce_sub_type": "Suppressed"}, True),
        (hard(10.5, bounce_sub_type="UnsubscribedRecipient"), {}, False),
        (hard(10.5, bounce_sub_type="NoEmail"), {"bounce_sub_type": "General"}, False),
        (hard(10.5, status="5.1.1"), {"diagnostic": "5.1.1"}, True),
        (hard(10.5, diagnostic="smtp; 550-5.1.1 no"), {"diagnostic": "550-5.1.1"}, True),
        (hard(10.5, diagnostic="smtp; 552 full"), {"diagnostic": "5.1.1"}, False),
        (hard(10.5), {"diagnostic": "5.1.1"}, False),
        (hard(10.5), {"domains": frozenset({"example.com"})}, True),
        (hard(10.5), {"domains": frozenset({"gmail.com"})}, False),
        (hard(10.5, reported_as="x@gmail.com"), {"domains": frozenset({"gmail.com"})}, True),
        (complaint(10.5), {}, False),
        (delivery(10.5), {}, False),
        (reactivate(10.5), {}, False),
    ],
)
def test_these_bounces_are_the_incidents(
    evidence: Evidence, more: dict[str, Any], is_caused: bool
) -> None:
    known = Record(address=JANE, evidence=(evidence,))
    assert bool(caused_by(known, incident(**more))) is is_caused


def test_the_echoes_of_sess_own_list_go_with_their_cause() -> None:
    known = record(hard(10.5), echo(10.7), echo(13), echo(15))
    caused = caused_by(known, incident(diagnostic=None))
    assert [one.at for one in caused] == [day(10.5), day(10.7), day(13), day(15)]
    released = undo(known, incident())
    assert released.suppressions == {}
    assert revert(released, incident()).suppressions == known.suppressions


@pytest.mark.parametrize("before", [hard(3), echo(3)])
def test_echoes_of_an_older_entry_stay(before: Evidence) -> None:
    known = record(before, hard(10.5), echo(13))
    assert [one.id for one in caused_by(known, incident())] == ["bounce-10.5"]
    assert undo(known, incident()).suppressions["*"].since == day(3)


def test_an_older_entry_that_was_lifted_is_not_what_echoes() -> None:
    known = record(hard(3), reactivate(5), hard(10.5, mail_at=day(10.4)), echo(13))
    assert len(caused_by(known, incident())) == 2
    assert undo(known, incident()).suppressions == {}


def test_an_echo_without_the_incident_is_left_alone() -> None:
    assert caused_by(record(echo(10.5)), incident()) == ()


def test_two_undos_do_not_disturb_each_other() -> None:
    one, other = incident(), incident(10, 12)
    known = undo(undo(record(hard(10.5)), one), other)
    assert revert(known, one).suppressions == {}
    assert revert(revert(known, one), other).suppressions != {}


def test_an_entry_at_ses_that_an_undo_deleted_is_known_to_its_revert() -> None:
    known, of = record(hard(10.5)), incident()
    target = account_level_entry("Jane@Example.com")
    more = [*voids(known, of, 20), toggle_void(known, target, undo=of.id, at=day(20), **WHO)]
    known = with_more(known, more)
    assert list(deleted_entries(known, of.id)) == ["Jane@Example.com"]
    assert list(deleted_entries(known, "another")) == []
    assert list(deleted_entries(revert(known, of), of.id)) == []


def test_an_entry_that_was_put_back_is_known_to_the_next_undo() -> None:
    known, of = record(hard(10.5)), incident()
    target = account_level_entry("Jane@Example.com")
    more = [*voids(known, of, 20), toggle_void(known, target, undo=of.id, at=day(20), **WHO)]
    known = with_more(known, more)
    assert list(restored_entries(known, of.id)) == []
    assert list(restored_entries(revert(known, of), of.id)) == ["Jane@Example.com"]


def test_the_same_incident_is_the_same_undo() -> None:
    one = incident(domains=frozenset({"b.example", "a.example"}))
    assert one.id == incident(domains=frozenset({"a.example", "b.example"})).id
    others = [
        incident(),
        incident(10, 12),
        incident(9),
        incident(diagnostic="5.1.1"),
        incident(bounce_sub_type="General"),
    ]
    assert len({one.id, *(other.id for other in others)}) == 1 + len(others)


@pytest.mark.parametrize("end", [day(10), day(9), datetime(2027, 1, 1)])  # noqa: DTZ001  # what is refused
def test_an_incident_that_cannot_be_meant_is_refused(end: datetime) -> None:
    with pytest.raises(InvalidActionError, match="to"):
        Incident(start=day(10), end=end)


def test_one_undo_never_voids_more_than_is_kept() -> None:
    """Else its oldest voids would be trimmed, and what they voided would count again."""
    span = timedelta(hours=1)
    everything = [
        replace(make(0, **fields), id=f"{number}-{hour}", at=day(0) + hour * span)
        for hour in range(24 * 40)
        for number, (make, fields) in enumerate(
            [
                (hard, {}),
                (block, {}),
                (hard, {"status": "5.4.4"}),
                (transient, {}),
                (hard, {"bounce_sub_type": "OnAccountSuppressionList"}),
            ]
        )
    ]
    known = Record(address=JANE, evidence=merge((), everything))
    whole = incident(0, 41)
    voided = voids(known, whole, 50)
    assert 30 < len(voided) <= OF_AN_UNDO
    for number in range(3):
        known = undo(known, whole, 50 + number)
        assert known.suppressions == {}
        known = revert(known, whole, 50.5 + number)
        assert known.suppressions != {}


@given(st.lists(any_evidence, max_size=12, unique_by=lambda one: one.id))
def test_any_history_is_as_before_after_an_undo_and_its_revert(evidence: list[Evidence]) -> None:
    known = record(*evidence)
    whole = incident(-1, 400)
    after = revert(undo(known, whole, at=500), whole, at=600)
    assert after.suppressions == known.suppressions
    caused = {one.id for one in caused_by(known, whole)}
    spared = [one for one in known.evidence if one.id not in caused]
    assert undo(known, whole, at=500).suppressions == dict(
        with_more(Record(address=JANE), spared).suppressions
    )


@given(st.lists(any_evidence, max_size=12, unique_by=lambda piece: piece.id))
def test_a_revert_brings_back_nothing_from_before_a_later_reactivation(
    evidence: list[Evidence],
) -> None:
    known, whole = record(*evidence), incident(0, 200)
    undone_ = with_more(known, voids(known, whole, 300))
    consented = with_more(undone_, [reactivate(400)])
    back = with_more(consented, revert_undo(consented, whole.id, by="ann", note="x", at=day(500)))
    assert back.suppressions == {}


def test_an_undo_is_evidence_like_everything_else() -> None:
    known = undo(record(hard(10.5)), incident())
    assert known.evidence[-1] == piece(
        Kind.VOID, 20, id=known.evidence[-1].id, voids="bounce-10.5", undo=incident().id, **WHO
    )
