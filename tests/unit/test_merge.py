from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.decision import decide
from ses_suppression.evidence import Evidence, Kind, in_time
from ses_suppression.merge import (
    KEPT,
    KEPT_DAYS,
    KEPT_OF_AN_UNDO,
    KEPT_OF_ANY_OTHER,
    merge,
    trim,
)
from ses_suppression.policy import Policy
from ses_suppression.rules import Rule
from tests.strategies import (
    START,
    any_evidence,
    complaints,
    evidence_with_voids,
    permanent_bounces,
)
from tests.unit.test_decision import (
    JANE,
    block,
    complaint,
    delivery,
    hard,
    opt_in,
    opt_out,
    piece,
    tenant_bounce,
    tenant_complaint,
    transient,
    unsubscribed_bounce,
)

# One id, one event: its copies agree on when it was and what it is.
crowds = evidence_with_voids(any_evidence, max_size=40)


@st.composite
def crowds_of_one_kind(draw: st.DrawFn) -> list[Evidence]:
    """Draw far more of one class than is kept."""
    kinds = [transient, block, hard, complaint, opt_out, opt_in]
    make = draw(st.sampled_from(kinds))
    hours = draw(st.lists(st.integers(0, 24 * 60), min_size=20, max_size=120))
    return [
        replace(make(0), id=f"e{n}", at=START + timedelta(hours=hour))
        for n, hour in enumerate(hours)
    ]


def test_evidence_is_kept_oldest_first() -> None:
    assert merge([hard(3)], [hard(1), hard(2)]) == (hard(1), hard(2), hard(3))


def test_the_same_event_twice_is_kept_once() -> None:
    assert merge([hard(1)], [hard(1), hard(1)]) == (hard(1),)


def test_two_copies_of_an_event_complete_each_other() -> None:
    one, other = replace(hard(1), status=None), replace(hard(1), stream="news", status="5.1.1")
    assert merge([one], [other]) == (replace(hard(1), stream="news", status="5.1.1"),)


@pytest.mark.parametrize(
    ("rule", "make"), [(Rule.TRANSIENT_BOUNCE, transient), (Rule.BLOCK, block)]
)
def test_what_counts_once_a_day_is_kept_once_a_day_and_it_is_the_newest(
    rule: Rule, make: object
) -> None:
    days = KEPT_DAYS[rule] + 3
    every_six_hours = [make(number / 4) for number in range(days * 4)]  # type: ignore[operator]
    kept = trim(every_six_hours)
    assert len(kept) == KEPT_DAYS[rule]
    assert len({one.at.date() for one in kept}) == KEPT_DAYS[rule]
    assert kept[-1] == every_six_hours[-1]


def test_a_busy_day_does_not_push_out_the_days_before_it() -> None:
    row = [transient(at) for at in range(4)]
    burst = [transient(4 + minute / 1440) for minute in range(100)]
    assert decide(JANE, merge(row, burst), Policy()).suppressions


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (lambda number: delivery(number, mail_id=f"m{number}"), KEPT[Rule.DELIVERY]),
        (lambda number: piece(Kind.VOID, number, voids="x"), KEPT_OF_AN_UNDO),
        (hard, KEPT_OF_ANY_OTHER),
        (complaint, KEPT[Rule.COMPLAINT]),
        (lambda number: piece(Kind.REACTIVATE, number), KEPT_OF_ANY_OTHER),
    ],
    ids=["deliveries", "voids", "hard bounces", "complaints", "reactivations"],
)
def test_of_everything_else_the_newest_are_kept(make: object, limit: int) -> None:
    every = [make(number) for number in range(limit + 4)]  # type: ignore[operator]
    assert trim(every) == tuple(every[-limit:])


def test_one_rule_does_not_push_out_another() -> None:
    transients, blocks = [transient(at) for at in range(30)], [block(40 + at) for at in range(5)]
    assert trim([*transients, *blocks]) == (*transients, *blocks)


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (complaint, KEPT[Rule.COMPLAINT]),
        (hard, KEPT_OF_ANY_OTHER),
        (tenant_bounce, KEPT[Rule.TENANT_LIST_BOUNCE]),
        (tenant_complaint, KEPT[Rule.TENANT_LIST_COMPLAINT]),
    ],
)
def test_the_streams_and_tenants_of_feedback_share_a_limit(
    make: Callable[[float], Evidence], limit: int
) -> None:
    """The copy of an event that comes through the identity has neither."""
    names = [f"name-{at}" for at in range(limit + 2)]
    events = [replace(make(at), stream=name, tenant=name) for at, name in enumerate(names)]
    assert trim(events) == tuple(events[2:])


def test_one_stream_of_an_operator_does_not_push_out_another() -> None:
    first = piece(Kind.SUPPRESS, 0, stream="receipts")
    news = [piece(Kind.SUPPRESS, at, stream="news") for at in range(1, 30)]
    assert first in merge([first], news)


@pytest.mark.parametrize("make", [opt_out, opt_in])
def test_one_topic_of_subscriptions_does_not_push_out_another(
    make: Callable[..., Evidence],
) -> None:
    first, every = make(0, stream="receipts"), make(0.5)
    news = [make(at, stream="news") for at in range(1, 30)]
    assert merge([first, every], news) == (first, every, *news[-KEPT_OF_ANY_OTHER:])


def test_subscriptions_do_not_push_out_what_ses_did_not_send() -> None:
    bounces = [unsubscribed_bounce(at, stream="news") for at in range(30)]
    changes = [opt_out(40 + at, stream="news") for at in range(KEPT_OF_ANY_OTHER)]
    assert merge(bounces, changes) == (*bounces, *changes)


@given(crowds | crowds_of_one_kind(), crowds | crowds_of_one_kind())
def test_trimming_commutes_with_merging(one: list[Evidence], other: list[Evidence]) -> None:
    known = {piece.id: piece for piece in one}
    other = [known.get(piece.id, piece) for piece in other]  # an id is one event
    assert merge(trim(one), other) == merge(one, other) == merge(other, trim(one))


@given(crowds | crowds_of_one_kind(), st.data())
def test_arrival_order_and_batching_never_change_what_is_kept(
    evidence: list[Evidence], data: st.DataObject
) -> None:
    arriving = data.draw(st.permutations(evidence + evidence[::2]))
    kept: tuple[Evidence, ...] = ()
    for batch in in_batches(arriving, data):
        kept = merge(kept, batch)
    assert kept == merge((), evidence)
    assert kept == tuple(sorted(kept, key=in_time))


@given(
    st.lists(permanent_bounces | complaints, max_size=60, unique_by=lambda one: one.id), st.data()
)
def test_nor_when_the_copy_of_the_other_channel_has_no_stream_and_no_tenant(
    events: list[Evidence], data: st.DataObject
) -> None:
    copies = [*events, *(replace(event, stream=None, tenant=None) for event in events)]
    kept: tuple[Evidence, ...] = ()
    for batch in in_batches(data.draw(st.permutations(copies)), data):
        kept = merge(kept, batch)
    # Of an event that was pushed out once, both copies stay out.
    assert {piece.id for piece in kept} == {piece.id for piece in merge((), copies)}


def in_batches(evidence: list[Evidence], data: st.DataObject) -> Iterable[list[Evidence]]:
    while evidence:
        size = data.draw(st.integers(1, len(evidence)))
        yield evidence[:size]
        evidence = evidence[size:]
