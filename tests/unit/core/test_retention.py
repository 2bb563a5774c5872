import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.core.actions import LONGEST_TEXT, import_entry, suppress
from ses_suppression.core.classification import rule_of
from ses_suppression.core.decision import decide, has_complained
from ses_suppression.core.evidence import EVERY_STREAM, TENANT_LIST, Evidence, Kind, in_time
from ses_suppression.core.policy import DAYS_KEPT, Policy, Reason
from ses_suppression.core.record import ROOM_FOR_OPERATORS, Record, refusal, update
from ses_suppression.core.retention import (
    COMPLAINTS,
    DELIVERIES,
    DELIVERIES_FOR,
    IN_FULL,
    LARGEST,
    NEWEST,
    OF_A_TENANT,
    OF_AN_UNDO,
    OLDEST,
    RECORDED,
    SHORTENED,
    STREAMS,
    TENANTS,
    UNDOS,
    WEEKS,
    merge,
    size_of,
    streams_of,
    trim,
)
from ses_suppression.core.rules import Rule
from ses_suppression.core.undo import Incident, caused_by, void_caused
from ses_suppression.store.items import to_item
from tests.builders import (
    JANE,
    block,
    complaint,
    day,
    delivery,
    hard,
    opt_in,
    opt_out,
    piece,
    reactivate,
    tenant_bounce,
    tenant_complaint,
    transient,
    void,
)
from tests.strategies import START, any_evidence, evidence_with_voids

POLICY = Policy(complaints_do_not_block=frozenset({"security"}))

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


def held(evidence: Iterable[Evidence]) -> dict[str, datetime | None]:
    """Give until when mail is held back, by stream."""
    found = decide(JANE, evidence, POLICY).suppressions
    return {stream: suppression.until for stream, suppression in found.items()}


def kept_one_by_one(evidence: Iterable[Evidence]) -> Record:
    record = Record(address=JANE)
    for one in evidence:
        record = update(record, [one], POLICY) or record
    return record


def suppression(at: float, **fields: object) -> Evidence:
    return piece(Kind.SUPPRESS, at, **fields)


def tallies(evidence: Iterable[Evidence]) -> list[Evidence]:
    return [one for one in evidence if one.kind is Kind.TALLY]


def test_evidence_is_kept_oldest_first() -> None:
    assert merge([hard(3)], [hard(1), hard(2)]) == (hard(1), hard(2), hard(3))


def test_the_same_event_twice_is_kept_once() -> None:
    assert merge([hard(1)], [hard(1), hard(1)]) == (hard(1),)


def test_two_copies_of_an_event_complete_each_other() -> None:
    one, other = replace(hard(1), status=None), replace(hard(1), stream="news", status="5.1.1")
    assert merge([one], [other]) == (replace(hard(1), stream="news", status="5.1.1"),)


# --- what repeats, and what counts once a day


@pytest.mark.parametrize("make", [transient, block])
def test_of_each_day_the_first_and_the_last_are_kept(make: Callable[[float], Evidence]) -> None:
    days = DAYS_KEPT[rule_of(make(0))]
    every = [make(number / 4) for number in range((days + 3) * 4)]
    kept = trim(every)
    assert len({one.at.date() for one in kept}) == days
    assert len(kept) in {2 * days, 2 * days - 1}
    assert kept[-1] == every[-1]


def test_the_words_of_a_reply_are_kept_for_the_newest_days_and_its_rule_for_all() -> None:
    words = {"status": "4.2.2", "diagnostic": "full", "reported_as": "x@forward.example"}
    every = [transient(at, **words) for at in range(12)]
    older, newer = trim(every)[:-IN_FULL], trim(every)[-IN_FULL:]
    assert all(one.diagnostic == "full" for one in newer)
    assert all((one.diagnostic, one.status) == (None, None) for one in older)
    assert all((one.bounce_type, one.bounce_sub_type) == (None, None) for one in older)
    assert {one.reported_as for one in older} == {"x@forward.example"}, "an undo asks for it"
    assert {rule_of(one) for one in older} == {Rule.TRANSIENT_BOUNCE}
    assert held(trim(every)) == held(every)


def test_half_a_report_stays_half_a_report() -> None:
    half = {"bounce_sub_type": "General", "status": "4.4.1"}
    every = [transient(at, mail_at=day(at - 0.5), **half) for at in range(12)]
    while_under_way = delivery(4.8)
    assert held([*every, while_under_way]) != held(every)
    assert held([*trim(every), while_under_way]) == held([*every, while_under_way])


def test_a_busy_day_does_not_push_out_the_days_before_it() -> None:
    row = [transient(at) for at in range(4)]
    burst = [transient(4 + minute / 1440) for minute in range(100)]
    assert held(merge(row, burst))


# --- classes


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (lambda number: piece(Kind.VOID, number, voids=f"{number}"), OF_AN_UNDO),
        (reactivate, RECORDED),
        (opt_in, RECORDED),
        (lambda number: hard(number, status="5.7.26"), RECORDED),
        (lambda number: complaint(number, feedback_type="not-spam"), COMPLAINTS),
    ],
    ids=["voids", "reactivations", "opt-ins", "faults of the sender", "not spam"],
)
def test_of_what_holds_nothing_back_the_last_are_kept(make: object, limit: int) -> None:
    every = [make(number) for number in range(limit + 4)]  # type: ignore[operator]
    assert trim(every) == tuple(every[-limit:])


def test_of_many_undos_the_newest_are_kept_and_who_goes_is_held_again() -> None:
    voids = [replace(void(at, hard(0)), id=f"v{at}", undo=f"u{at}") for at in range(UNDOS + 2)]
    assert trim(voids) == tuple(voids[2:])


def test_of_what_holds_mail_back_the_first_and_the_last_are_kept_and_a_tally() -> None:
    every = [hard(number) for number in range(30)]
    first, *rest, tally = sorted(trim(every), key=lambda one: (one.kind is Kind.TALLY, one.at))
    assert OLDEST == 1
    assert [first, *rest] == [every[0], *every[-NEWEST:]]
    assert (tally.first_at, tally.at, tally.rule) == (day(1), day(29 - NEWEST), "hard-bounce")


def test_a_tally_holds_mail_back_until_a_reactivation_that_covers_it() -> None:
    every = [complaint(at, stream="news") for at in range(40)]
    (tally,) = tallies(trim(every))
    assert held([tally]) == {"news": None}
    assert held([tally, reactivate(39 - COMPLAINTS)]) == {"news": None}
    assert held([tally, reactivate(41 - COMPLAINTS)]) == {}
    assert held([tally, reactivate(41 - COMPLAINTS, consent=False)]) == {"news": None}
    assert held([tally, void(50, tally)]) == {}


@pytest.mark.parametrize(
    ("one", "crowd"),
    [
        (piece(Kind.SUPPRESS, 0), [piece(Kind.SUPPRESS, at, until=day(90)) for at in range(1, 9)]),
        (complaint(0, stream="news"), [complaint(at, stream="security") for at in range(1, 40)]),
        (
            piece(Kind.IMPORT, 0, reason="COMPLAINT"),
            [piece(Kind.IMPORT, at, reason="BOUNCE") for at in range(1, 30)],
        ),
        (hard(0), [hard(300 + at / 100, status="5.1.1", diagnostic=f"{at}") for at in range(60)]),
        (block(0), [block(0.1 + at / 100, diagnostic=f"{at}") for at in range(60)]),
        (opt_out(0, stream="news"), [opt_out(at, stream="offers") for at in range(1, 30)]),
        (piece(Kind.SUPPRESS, 0, stream="a"), [reactivate(at, stream="b") for at in range(1, 30)]),
    ],
    ids=["an end", "a stream", "a reason", "months ago", "of that morning", "a topic", "a kind"],
)
def test_what_decides_nothing_pushes_out_nothing_that_does(
    one: Evidence, crowd: list[Evidence]
) -> None:
    kept = kept_one_by_one([one, *crowd])
    assert one in kept.evidence
    assert held(kept.evidence) == held([one, *crowd])
    assert held([*kept.evidence, *(void(900, other) for other in kept.evidence if other != one)])


def test_after_thirty_imports_consent_is_still_demanded() -> None:
    entry = piece(Kind.IMPORT, 0, reason="COMPLAINT")
    later = [piece(Kind.IMPORT, at, reason="MANUAL") for at in range(1, 30)]
    assert has_complained(JANE, kept_one_by_one([entry, *later]).evidence, POLICY, stream=None)


def test_late_bounces_of_old_mail_do_not_push_out_a_new_one() -> None:
    new = hard(10)
    late = [hard(11 + at, mail_at=day(1), status="5.1.1") for at in range(30)]
    everything = [new, reactivate(5), *late]
    assert new in kept_one_by_one(everything).evidence
    assert held(kept_one_by_one(everything).evidence) == {"*": None}


def test_what_ends_last_is_kept_beside_the_tally_so_that_a_reactivation_lifts_it() -> None:
    longest = suppression(3, until=day(9000))
    every = [suppression(at, until=day(200 + at)) for at in range(40)]
    everything = [*every[:3], longest, *every[4:]]
    assert longest in trim(everything)
    lifted = [*everything, reactivate(20)]
    assert held(trim(lifted)) == held(lifted) == {"*": day(239)}


def test_a_stream_and_a_tenant_tell_nothing_of_what_holds_back_every_stream() -> None:
    for name in ("stream", "tenant"):
        every = [hard(at, **{name: f"{at}"}) for at in range(30)]
        assert len(trim(every)) == OLDEST + NEWEST + 1
    assert streams_of([hard(0, stream="a"), reactivate(1, stream="b"), hard(2)]) == {"b"}


def test_uncertain_complaints_are_kept_apart_from_certain_ones() -> None:
    uncertain = [complaint(at, certain=False) for at in range(40)]
    certain = [complaint(100 + at) for at in range(40)]
    kept = trim([*uncertain, *certain])
    assert {one for one in kept if one.kind is Kind.COMPLAINT} == {
        uncertain[0], *uncertain[-COMPLAINTS:], certain[0], *certain[-COMPLAINTS:],
    }  # fmt: skip
    assert [one.certain for one in tallies(kept)] == [False, None]
    assert [one.certain for one in decide(JANE, tallies(kept), POLICY).suppressions.values()] == [
        True
    ]


def test_a_tally_of_late_bounces_of_old_mail_is_behind_a_reactivation() -> None:
    late = [hard(11 + at, mail_at=day(1)) for at in range(60)]
    kept = kept_one_by_one([reactivate(5), *late]).evidence
    assert tallies(kept)
    assert held(kept) == {}


def test_tallies_that_differ_in_anything_are_two() -> None:
    def tally_of(
        make: Callable[..., Evidence],
        first: float = 1,
        last: float = 21,
        newest: int = NEWEST,
        **fields: object,
    ) -> Evidence:
        times = [0, first, *range(2, 21), last, *range(22, 22 + newest)]
        (tally,) = tallies(trim([make(at, **fields) for at in times]))
        assert (tally.first_at, tally.at) == (day(first), day(last))
        return tally

    entry = partial(piece, Kind.IMPORT)
    found = [
        tally_of(suppression),
        tally_of(suppression, stream="news"),
        tally_of(complaint, newest=COMPLAINTS, stream="news"),
        tally_of(suppression, until=day(100)),
        tally_of(suppression, until=day(101)),
        tally_of(opt_out, stream="news"),
        tally_of(hard),
        tally_of(hard, status="5.1.1"),
        tally_of(hard, reported_as="x@forward.example"),
        tally_of(hard, first=1.5),
        tally_of(hard, last=20.5),
        tally_of(entry, reason="BOUNCE"),
        tally_of(entry, reason="COMPLAINT"),
    ]
    assert len({one.id for one in found}) == len(found)


# --- deliveries


def test_deliveries_of_an_address_without_a_transient_bounce_are_not_kept() -> None:
    assert trim([delivery(1), hard(0)]) == (hard(0),)


def test_many_deliveries_are_kept_up_to_a_limit() -> None:
    every = [delivery(1 + number / 100, mail_id=f"m{number}") for number in range(DELIVERIES + 9)]
    assert len(trim([transient(0), *every])) == DELIVERIES + 1


def test_a_delivery_while_mail_is_under_way_that_bounces_is_not_kept() -> None:
    bounced = transient(1, mail_at=day(0.9))
    assert trim([bounced, delivery(0.95)]) == (bounced,)


def test_a_delivery_before_the_first_bounce_is_kept_as_an_older_one_may_still_come() -> None:
    assert len(trim([delivery(3), transient(5)])) == 2


def test_long_after_the_last_bounce_the_first_delivery_of_a_week_is_kept() -> None:
    soon = DELIVERIES_FOR.days
    assert [
        one.at for one in trim([transient(0), *(delivery(soon + at, f"m{at}") for at in (0, 0.1))])
    ] == [day(0), day(soon), day(soon + 0.1)], "the first is within the time"
    every = [delivery(soon + 1 + at / 2, mail_id=f"m{at}") for at in range(200)]
    weeks: dict[int, list[datetime]] = {}
    for one in every:
        weeks.setdefault(one.at.toordinal() // 7, []).append(one.at)
    for arriving in (every, [*reversed(every)]):
        kept = [one.at for one in trim([transient(0), *arriving]) if one.kind is Kind.DELIVERY]
        assert kept == [min(of_it) for of_it in weeks.values()][:WEEKS]


def test_a_delivery_at_the_time_of_the_oldest_day_that_is_kept_is_not_before_it() -> None:
    row = [transient(at) for at in range(DAYS_KEPT[Rule.TRANSIENT_BOUNCE])]
    early = transient(0.25, mail_at=day(-0.2), id="sent before")
    assert len(trim([early, *row, delivery(-0.2)])) == len(trim([early, *row]))
    assert len(trim([early, *row, delivery(-0.3)])) == len(trim([early, *row]))
    half = transient(0.25, mail_at=day(-0.2), id="half", bounce_sub_type="General", status="4.4.1")
    assert len(trim([half, *row, delivery(-0.2)])) == len(trim([half, *row])) + 1


def test_a_mail_that_ses_gave_up_after_hours_was_not_under_way() -> None:
    """A newsletter a day that is given up, and twelve mails in between that are taken."""
    days = range(1, 31)
    given_up = [transient(at + 14 / 24, mail_at=day(at), status="4.4.7") for at in days]
    taken = [delivery(at + hour / 24, f"m{at}-{hour}") for at in days for hour in range(1, 13)]
    record = Record(address=JANE)
    for one in sorted([*given_up, *taken], key=in_time):
        record = update(record, [one], POLICY) or record
        assert not record.suppressions
    soon = [transient(at + 1 / 24, mail_at=day(at)) for at in days]
    same = [delivery(at + 0.5 / 24, f"d{at}") for at in days]
    assert held([*soon, *same]), "but one that is accepted and bounces soon after was"


def test_of_a_day_the_first_and_last_that_were_under_way_are_kept_too() -> None:
    first, last = transient(1.3, mail_at=day(1.29)), transient(1.5, mail_at=day(1.49))
    between = [transient(1.3 + at / 100, mail_at=day(1.29 + at / 100)) for at in range(1, 9)]
    given_up = [transient(1.0 + at / 10, mail_at=day(0.3 + at / 10)) for at in (0, 7)]
    kept = trim([first, *between, last, *given_up])
    assert {first, last, *given_up} <= set(kept)


def test_deliveries_from_before_the_days_that_are_kept_are_not_kept() -> None:
    row = [transient(at) for at in range(DAYS_KEPT[Rule.TRANSIENT_BOUNCE] + 9)]
    assert {one.kind for one in trim([*row, delivery(3.5)])} == {Kind.BOUNCE}


# --- an undo


def test_a_tally_keeps_the_words_that_all_its_pieces_have() -> None:
    every = [hard(at, status="5.1.1", diagnostic=f"550 unknown user {at}") for at in range(60)]
    (tally,) = tallies(kept_one_by_one(every).evidence)
    assert (tally.status, tally.diagnostic) == ("5.1.1", None)
    (tally,) = tallies(kept_one_by_one([*every, hard(5.5, status="5.1.2")]).evidence)
    assert (tally.status, tally.diagnostic) == (None, None)


@pytest.mark.parametrize("diagnostic", [None, "5.1.1"])
def test_an_undo_that_covers_a_tally_strikes_it_out(diagnostic: str | None) -> None:
    every = [
        hard(10 + number / 100, status="5.1.1", diagnostic=f"550 no {number}")
        for number in range(60)
    ]
    record = kept_one_by_one([hard(0, status="5.1.1"), *every])
    assert tallies(record.evidence)
    assert held(undo(record, 10, 11, diagnostic).evidence) == {"*": None}, "from long ago"
    record = kept_one_by_one(every)
    assert held(undo(record, 10, 11, diagnostic).evidence) == {}
    repeated = kept_one_by_one([*undo(record, 10, 11, diagnostic).evidence, *every])
    assert held(repeated.evidence) == {}, "repeats change nothing"


@pytest.mark.parametrize(
    "incident",
    [
        {"start": day(10), "end": day(10.3)},
        {"start": day(10.1), "end": day(11)},
        {"start": day(10), "end": day(11), "diagnostic": "unknown"},
    ],
    ids=str,
)
def test_an_undo_that_cannot_be_sure_leaves_the_tally(incident: dict[str, object]) -> None:
    every = [
        hard(10 + number / 100, diagnostic=f"550 unknown user {number}") for number in range(60)
    ]
    record = kept_one_by_one(every)
    wanted = Incident(**incident)  # type: ignore[arg-type]  # cases vary fields
    assert any(wanted.may_have_caused(JANE, one) for one in record.evidence)
    caused = caused_by(record, wanted)
    voids = void_caused(record, caused, undo="u", by="ann", note="x", at=day(20))
    assert held([*record.evidence, *voids]) == {"*": None}


def undo(record: Record, start: float, end: float, diagnostic: str | None) -> Record:
    wanted = Incident(start=day(start), end=day(end), diagnostic=diagnostic)
    assert not any(wanted.may_have_caused(JANE, one) for one in record.evidence)
    caused = caused_by(record, wanted)
    voids = void_caused(record, caused, undo=wanted.id, by="ann", note="x", at=day(end + 9))
    found = update(record, voids, POLICY)
    assert found is not None
    return found


# --- a bounded item


def test_on_more_streams_than_there_is_room_for_every_stream_is_held_back() -> None:
    names = [f"s{number}" for number in range(STREAMS + 1)]
    every = [complaint(number, stream=name) for number, name in enumerate(names)]
    kept = kept_one_by_one(every)
    assert len(streams_of(kept.evidence)) == STREAMS
    assert held(kept.evidence)["*"] is None
    assert kept.evidence == kept_one_by_one(reversed(every)).evidence
    kept_stream = min(streams_of(kept.evidence))
    one_lifted = kept_one_by_one([*kept.evidence, reactivate(900, stream=kept_stream)])
    assert kept_stream not in held(one_lifted.evidence)
    lifted = [*every, *(reactivate(900 + at, stream=name) for at, name in enumerate(names))]
    left = held(kept_one_by_one(lifted).evidence)
    assert set(left) == {"*"}, "what lifts a stream lifts that stream, and not all"
    assert held(kept_one_by_one([*lifted, reactivate(2000)]).evidence) == {}


def test_who_subscribes_to_all_mail_takes_back_no_topic_of_more_than_there_is_room_for() -> None:
    names = [f"t{number}" for number in range(STREAMS + 1)]
    every = [opt_out(at, stream=name) for at, name in enumerate(names)]
    after = kept_one_by_one([*every, opt_in(900)])
    assert held(after.evidence)["*"] is None
    assert held([*every, opt_in(900)]).keys() == set(names)
    of_all = kept_one_by_one([*every, opt_out(899), opt_in(900)])
    assert held(of_all.evidence).keys() == held(after.evidence).keys()


@pytest.mark.parametrize("seed", range(5))
def test_on_too_many_streams_order_repetition_and_batching_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    makes: list[Callable[..., Evidence]] = [
        complaint, opt_out, opt_in, suppression, reactivate,
    ]  # fmt: skip
    every = [
        replace(chance.choice(makes)(at, stream=f"s{chance.randrange(STREAMS + 30)}"), id=f"e{at}")
        for at in range(400)
    ]
    expected = merge((), every)
    assert EVERY_STREAM in {one.stream for one in expected}
    for _ in range(3):
        arriving = [*every, *every[::2]]
        chance.shuffle(arriving)
        kept: tuple[Evidence, ...] = ()
        while arriving:
            size = chance.randint(1, 60)
            kept, arriving = merge(kept, arriving[:size]), arriving[size:]
        assert kept == expected


def test_of_many_tenants_those_with_the_newest_holds_are_kept() -> None:
    number = TENANTS + 20
    newest = [tenant_bounce(9 + at / 100, tenant=f"t{number - at:03}") for at in range(number)]
    older = [tenant_bounce(1 - at / 100, tenant=f"t{number - at:03}") for at in range(number)]
    first = [tenant_bounce(0, tenant=f"t{at:03}", id=f"first-{at}") for at in range(number + 1)]
    every = [*first, *older, *newest]
    kept = merge((), every)
    assert {one.tenant for one in kept} == {one.tenant for one in newest[20:]}
    assert kept == merge((), reversed(every))


def test_tenants_that_are_only_named_take_no_room_of_those_with_holds() -> None:
    named = [
        complaint(1 + at / 100, stream=f"s{at % 4}", tenant=f"t{at}")
        for at in range(3 * COMPLAINTS)
    ]
    kept = merge((), [tenant_bounce(0), *named])
    assert tenant_bounce(0).id in {one.id for one in kept}


def test_what_names_no_tenant_holds_nothing_and_leaves_no_tally() -> None:
    """The identity does not name it; the configuration set's copy may come later."""
    nobodys = [tenant_bounce(at, tenant=None) for at in range(20)]
    assert trim(nobodys) == tuple(nobodys[-RECORDED:])
    named = [replace(one, tenant="acme") for one in nobodys]
    assert merge(trim(nobodys), named) == trim(named)


def test_of_a_tenant_the_last_pieces_are_kept_without_words_and_a_tally() -> None:
    words = {"diagnostic": "550 no", "mail_id": "m", "identity": "i", "stream": "news"}
    every = [
        tenant_bounce(at, mail_at=day(at - (0.5 if at != 3 else -30)), **words) for at in range(20)
    ]
    kept = trim(every)
    expected = [every[3], *every[-OF_A_TENANT:]]
    assert [one.id for one in kept if one.kind is not Kind.TALLY] == [one.id for one in expected]
    assert len(tallies(kept)) == 1
    for one, whole in zip(kept[-OF_A_TENANT:], expected[-OF_A_TENANT:], strict=True):
        assert (one.kind, one.at, one.mail_at) == (whole.kind, whole.at, whole.mail_at)
        assert (one.bounce_type, one.bounce_sub_type) == ("Permanent", TENANT_LIST)
        assert {one.diagnostic, one.mail_id, one.identity, one.stream} == {None}
        assert rule_of(one) is rule_of(whole)


def test_the_worst_of_tenants_leaves_room_for_operators_and_takes_no_stream_for_another() -> None:
    words = {"diagnostic": "\u00df" * 256, "mail_id": "m" * 90, "identity": "i" * 128}
    every = [
        replace(make(at + tenant / 1000, tenant=f"{tenant:0256}", **words), id=f"{at}-{number}-{n}")
        for at in range(12)
        for number, tenant in enumerate(range(2 * TENANTS))
        for n, make in enumerate([tenant_bounce, tenant_complaint])
    ]
    record = update(Record(address=JANE), every, POLICY)
    assert record is not None
    assert bytes_of(record) < 80_000
    assert refusal(record, [suppression(900)]) is None
    complained = update(record, [complaint(900, stream="news")], POLICY)
    assert complained is not None
    assert complained.suppressions["news"].until is None
    assert "*" not in complained.suppressions


def test_after_many_bounces_of_unsubscribed_mail_a_subscription_to_all_mail_counts() -> None:
    bounces = [hard(at, bounce_sub_type="UnsubscribedRecipient", stream="news") for at in range(30)]
    assert tallies(trim(bounces))
    assert set(held(kept_one_by_one(bounces).evidence)) == {"news"}
    assert held(kept_one_by_one([*bounces, opt_in(50)]).evidence) == {}
    topic = [opt_out(at, stream="news") for at in range(30)]
    assert set(held(kept_one_by_one([*topic, *bounces, opt_in(50)]).evidence)) == {"news"}


def test_a_late_bounce_of_its_own_is_in_no_tally_that_an_undo_by_domain_voided() -> None:
    forwarded = [hard(10 + at / 24, reported_as="x@forward.example") for at in range(30)]
    record = kept_one_by_one(forwarded)
    wanted = Incident(start=day(10), end=day(20), domains=frozenset({"forward.example"}))
    caused = caused_by(record, wanted)
    voids = void_caused(record, caused, undo=wanted.id, by="ann", note="x", at=day(30))
    record = update(record, voids, POLICY) or record
    assert not record.suppressions
    late = update(record, [hard(10 + 10.5 / 24)], POLICY)
    assert late is not None
    assert held(late.evidence) == {"*": None}


def test_a_size_is_one_of_bytes() -> None:
    plain, longer = (size_of([suppression(0, note=letter * 10)]) for letter in "aä")
    assert longer - plain == 10


def test_an_operator_is_refused_one_more_stream() -> None:
    full = kept_one_by_one(complaint(at, stream=f"s{at}") for at in range(STREAMS))
    assert refusal(full, [piece(Kind.SUPPRESS, 200, stream="s1")]) is None
    assert refusal(full, [piece(Kind.SUPPRESS, 200)]) is None
    assert refusal(full, [complaint(200, stream="another")]) is None
    assert str(refusal(full, [piece(Kind.SUPPRESS, 200, stream="another")])) == (
        "stream: the address has entries on 100 streams, 100 is the most; leave the stream out to "
        "mean every stream"
    )


def test_an_operator_is_refused_when_what_is_left_is_for_feedback() -> None:
    words = [suppression(at, note="n" * 1_500) for at in range(60)]
    full = Record(address=JANE, evidence=tuple(words))
    left = ROOM_FOR_OPERATORS - size_of([*words, suppression(60, note="")])
    assert left > 0
    assert refusal(full, [suppression(60, note="n" * left)]) is None
    assert refusal(full, [hard(60, diagnostic="n" * (left + 1_000))]) is None
    assert refusal(full, words) is None, "what is there already"
    over = Record(address=JANE, evidence=(*words, suppression(60, note="n" * (left + 1))))
    assert refusal(over, over.evidence[-1:]) is None, "and though there is too much of it"
    assert str(refusal(full, [suppression(60, note="n" * (left + 1))])) == (
        "the address has 60 entries, and no room for more words of operators. What is there stays "
        "in force; to hold it back all the same, put it on SES's account-level list"
    )


def worst_of_operators() -> Iterable[Evidence]:
    """As much as they can say, on as many streams as they may."""
    words = {"by": "ä" * (LONGEST_TEXT // 2), "note": "ö" * (LONGEST_TEXT // 2)}
    for at in range(3):
        for number in range(STREAMS):
            stream = f"{number:0256}"
            for until in (None, day(900 + at)):
                yield suppress(at=day(at), stream=stream, until=until, **words)
                for reason in Reason:
                    yield import_entry(
                        address=JANE, reason=reason, at=day(at), stream=stream, until=until, **words
                    )


def worst_of_feedback() -> Iterable[Evidence]:
    words = {"diagnostic": "ß" * 256, "status": "5.1.1", "identity": "i" * 128, "mail_id": "m" * 90}
    for at in range(60):
        for part in range(4):
            for make in (hard, block, transient):
                one = make(at + part / 5, mail_at=day(at - part), **words)
                yield replace(one, id=f"{one.id}-{part}-{make.__name__}")
    for number in range(2 * STREAMS):
        for at in range(4):
            stream = f"{number:0256}"
            yield complaint(at, stream=stream, certain=at < 2, id=f"c{number}-{at}", **words)
            yield opt_out(at, stream=stream, id=f"o{number}-{at}")


def test_the_worst_item_is_less_than_half_of_what_dynamodb_takes_and_feedback_finds_room() -> None:
    record, refused = Record(address=JANE), 0
    for action in worst_of_operators():
        if refusal(record, [action]):
            refused += 1
        else:
            record = update(record, [action], POLICY) or record
    assert refused
    assert size_of(record.evidence) <= ROOM_FOR_OPERATORS
    record = update(record, worst_of_feedback(), POLICY) or record
    assert held(record.evidence)["*"] is None
    words = {len(one.by or "") + len(one.note or "") for one in record.evidence if one.by}
    assert words == {2 * SHORTENED}, "the words of operators are cut first"
    assert size_of(record.evidence) <= LARGEST
    assert bytes_of(record) < 200_000


def bytes_of(record: Record) -> int:
    """Give the size of an item as DynamoDB counts it ("Item sizes and formats")."""

    def size(value: dict[str, object]) -> int:
        ((kind, content),) = value.items()
        match kind, content:
            case "M", dict():
                return 3 + sum(1 + len(name.encode()) + size(one) for name, one in content.items())
            case "L", list():
                return 3 + sum(1 + size(one) for one in content)
            case "N", str():
                return len(content) // 2 + 2
            case _:
                return len(str(content).encode())

    return sum(len(name) + size(value) for name, value in to_item(record, "r" * 32).items())


@pytest.mark.parametrize(("bounces", "limit"), [(1, 700), (5, 3_100), (60, 17_500)])
def test_an_ordinary_address_costs_no_more_than_it_did(bounces: int, limit: int) -> None:
    words = {
        "mail_id": "0100019000000000-00000000-0000-0000-0000-000000000000-000000",
        "identity": "arn:aws:ses:eu-west-1:123456789012:identity/shop.example",
        "action": "failed",
        "status": "4.2.2",
        "diagnostic": "smtp; 452 4.2.2 The email account that you tried to reach is over quota",
    }
    every = [
        transient(at, mail_at=day(at), id=f"0100019000000000-feedback-{at:040}", **words)
        for at in range(bounces)
    ]
    assert bytes_of(kept_one_by_one(every)) < limit


# --- laws


@given(crowds | crowds_of_one_kind(), crowds | crowds_of_one_kind())
def test_trimming_commutes_with_merging(one: list[Evidence], other: list[Evidence]) -> None:
    known = {piece.id: piece for piece in one}
    other = [known.get(piece.id, piece) for piece in other]  # an id is one event
    one, other = without_deliveries(one), without_deliveries(other)
    assert merge(trim(one), other) == merge(one, other) == merge(other, trim(one))


@given(crowds | crowds_of_one_kind(), st.data())
def test_arrival_order_and_batching_never_change_what_is_kept(
    evidence: list[Evidence], data: st.DataObject
) -> None:
    evidence = without_deliveries(evidence)
    arriving = data.draw(st.permutations(evidence + evidence[::2]))
    kept: tuple[Evidence, ...] = ()
    for batch in in_batches(arriving, data):
        kept = merge(kept, batch)
    assert kept == merge((), evidence)
    assert kept == tuple(sorted(kept, key=in_time))


def without_deliveries(evidence: list[Evidence]) -> list[Evidence]:
    """Leave out what is not kept before the first bounce: tests.retention has it."""
    return [one for one in evidence if one.kind is not Kind.DELIVERY]


def in_batches(evidence: list[Evidence], data: st.DataObject) -> Iterable[list[Evidence]]:
    while evidence:
        size = data.draw(st.integers(1, len(evidence)))
        yield evidence[:size]
        evidence = evidence[size:]
