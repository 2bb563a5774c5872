"""From messages to records, through the in-memory store."""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.core.decision import decide
from ses_suppression.core.evidence import Evidence, Kind
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record, update
from ses_suppression.core.retention import DELIVERIES_FOR, WEEKS, merge
from ses_suppression.core.rules import Rule
from ses_suppression.errors import SESSuppressionError, StoreUnavailableError
from ses_suppression.ingest import Outcome, Status, ingest
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Loaded, chunks
from ses_suppression.testing import InMemoryStore
from tests.arrivals import apply_in_batches, twelve_notifications, without_revisions
from tests.builders import (
    ACCOUNT_ID,
    JANE,
    NOON,
    RECEIVED,
    bounce_notification,
    clock_at,
    complaint_notification,
    day,
    delivery,
    delivery_notification,
    hard,
    messages,
    subscription_event,
    transient,
)
from tests.strategies import START, evidence_with_voids, without_deliveries

POLICY = Policy()


def test_the_topics_of_a_subscription_count_once_for_each_rule_and_address() -> None:
    body = subscription_event(
        JANE, unsubscribe_all=True, topics={"news": "OptOut", "offers": "OptOut", "help": "OptIn"}
    )
    store = InMemoryStore(clock=clock_at(RECEIVED))
    (outcome,) = ingest(messages(body), store=store, policy=POLICY, deadline=Deadline(5))
    assert outcome.rules == ((JANE, Rule.UNSUBSCRIBED), (JANE, Rule.SUBSCRIBED))
    assert sorted(store.records[JANE].suppressions) == ["*", "news", "offers"]


def ingested(store: InMemoryStore, *bodies: str, received_at: datetime = RECEIVED) -> list[Outcome]:
    return ingest(
        messages(*bodies, received_at=received_at),
        store=store,
        policy=POLICY,
        deadline=Deadline(5),
        account_ids=frozenset({ACCOUNT_ID}),
    )


@pytest.fixture
def store() -> InMemoryStore:
    return InMemoryStore(clock=clock_at(RECEIVED))


def test_a_bounce_ends_as_a_suppression(store: InMemoryStore) -> None:
    (outcome,) = ingested(store, bounce_notification(JANE))
    assert (outcome.status, outcome.rules) == (Status.APPLIED, ((JANE, Rule.HARD_BOUNCE),))
    assert store.records[JANE].suppressions["*"].reason is Reason.BOUNCE


def test_a_repeat_costs_no_write(store: InMemoryStore) -> None:
    ingested(store, bounce_notification(JANE))
    first = store.records[JANE]
    ingested(store, bounce_notification(JANE), bounce_notification(JANE))
    assert store.records[JANE] is first


def test_a_complaint_before_the_bounce_and_before_the_delivery_suppresses(
    store: InMemoryStore,
) -> None:
    ingested(store, complaint_notification(JANE))
    ingested(
        store,
        delivery_notification(JANE, at=NOON - timedelta(hours=1)),
        bounce_notification(JANE, feedback_id="f2"),
    )
    assert store.records[JANE].suppressions["*"].reason is Reason.COMPLAINT


def test_a_delivery_leaves_no_record_unless_there_are_transient_bounces(
    store: InMemoryStore,
) -> None:
    (outcome,) = ingested(store, delivery_notification(JANE))
    assert outcome.status is Status.APPLIED
    assert store.records == {}
    ingested(store, bounce_notification(JANE))
    ingested(store, delivery_notification(JANE))
    assert len(store.records[JANE].evidence) == 1


class ForgetfulStore(InMemoryStore):
    """Says nothing about one address, neither what is known nor why not."""

    def load(self, addresses: Collection[str], *, consistent: bool, deadline: Deadline) -> Loaded:
        loaded = super().load(addresses, consistent=consistent, deadline=deadline)
        loaded.records.pop(JANE, None)
        return loaded


def test_what_the_store_says_nothing_about_is_retried() -> None:
    store = ForgetfulStore(clock=clock_at(RECEIVED))
    first, second = ingested(
        store, bounce_notification(JANE), bounce_notification("joe@example.com", mail_id="m2")
    )
    assert (first.status, first.reason) == (Status.RETRIED, "NotAnswered")
    assert second.status is Status.APPLIED


def test_one_message_about_several_addresses_suppresses_each(store: InMemoryStore) -> None:
    document = json.loads(bounce_notification(JANE))
    addresses = [f"a{number}@example.com" for number in range(250)]
    document["bounce"]["bouncedRecipients"] = [{"emailAddress": one} for one in addresses]
    document["mail"]["destination"] = addresses
    (outcome,) = ingested(store, json.dumps(document))
    assert outcome.status is Status.APPLIED
    assert sorted(store.records) == sorted(addresses)


def test_bad_messages_cost_their_neighbours_nothing(store: InMemoryStore) -> None:
    outcomes = ingested(
        store,
        "",
        bounce_notification(JANE),
        "[]",
        '{"eventType": "Open"}',
        complaint_notification("joe@example.com"),
    )
    assert [outcome.status for outcome in outcomes] == [
        Status.REJECTED,
        Status.APPLIED,
        Status.REJECTED,
        Status.ACKNOWLEDGED,
        Status.APPLIED,
    ]
    assert outcomes[0].reason == "empty"
    assert sorted(store.records) == [JANE, "joe@example.com"]


def test_a_broken_recipient_rejects_the_message_and_the_others_are_applied(
    store: InMemoryStore,
) -> None:
    document = json.loads(bounce_notification(JANE))
    document["bounce"]["bouncedRecipients"].append({"emailAddress": None})
    (outcome,) = ingested(store, json.dumps(document))
    assert outcome.status is Status.REJECTED
    assert outcome.reason == (
        "bounce.bouncedRecipients[1].emailAddress: a string is needed, this is null or missing"
    )
    assert store.records[JANE].suppressions["*"].reason is Reason.BOUNCE


def test_feedback_that_names_nobody_is_acknowledged(store: InMemoryStore) -> None:
    document = json.loads(complaint_notification(JANE))
    document["complaint"] |= {
        "complainedRecipients": [],
        "complaintSubType": "OnAccountSuppressionList",
    }
    del document["mail"]["destination"]
    (outcome,) = ingested(store, json.dumps(document))
    assert (outcome.status, outcome.reason) == (Status.ACKNOWLEDGED, "feedback that names nobody")


def test_feedback_of_several_destinations_that_names_none_of_them_is_counted(
    store: InMemoryStore,
) -> None:
    document = json.loads(bounce_notification("other@elsewhere.example"))
    document["mail"]["destination"] = [JANE, "joe@example.com"]
    (outcome,) = ingested(store, json.dumps(document))
    assert (outcome.status, outcome.unattributed) == (Status.ACKNOWLEDGED, 1)
    assert store.records == {}


def test_another_accounts_feedback_is_rejected(store: InMemoryStore) -> None:
    document = json.loads(bounce_notification(JANE))
    document["mail"]["sendingAccountId"] = "999999999999"
    (outcome,) = ingested(store, json.dumps(document))
    assert (outcome.status, outcome.reason) == (
        Status.REJECTED,
        "mail.sendingAccountId: another account's",
    )
    assert store.records == {}


def test_an_expired_record_is_as_good_as_none() -> None:
    store = InMemoryStore(clock=clock_at(NOON))
    ingested(store, bounce_notification(JANE, bounce_type="Transient", sub_type="MailboxFull"))
    later = NOON + timedelta(days=401)
    store = InMemoryStore(clock=clock_at(later), records=store.records)
    ingested(store, bounce_notification(JANE, at=later, feedback_id="f2"), received_at=later)
    assert [piece.id for piece in store.records[JANE].evidence] == ["f2"]


class LosingStore(InMemoryStore):
    """Another writer is faster, a number of times."""

    def __init__(self, races: int) -> None:
        super().__init__(clock=clock_at(RECEIVED))
        self.races = races
        self.read_consistently: list[bool] = []

    def load(self, addresses: Collection[str], *, consistent: bool, deadline: Deadline) -> Loaded:
        self.read_consistently.append(consistent)
        return super().load(addresses, consistent=consistent, deadline=deadline)

    def save(
        self, records: Collection[Record], *, deadline: Deadline
    ) -> Mapping[str, SESSuppressionError]:
        if self.races:
            self.races -= 1
            other = update(Record(address=JANE), [hard(self.races)], POLICY)
            assert other is not None
            self.records[JANE] = replace(other, revision=f"other-{self.races}")
        return super().save(records, deadline=deadline)


def test_a_lost_race_is_read_again_and_nobodys_evidence_is_lost() -> None:
    store = LosingStore(races=3)
    (outcome,) = ingested(store, complaint_notification(JANE))
    assert outcome.status is Status.APPLIED
    assert store.read_consistently == [True] * 4
    assert {piece.id for piece in store.records[JANE].evidence} == {"bounce-0", "feedback-1"}


def test_the_first_look_up_of_a_delivery_may_be_stale_and_no_other() -> None:
    store = LosingStore(races=1)
    known = update(Record(address=JANE), [transient(0)], POLICY)
    assert known is not None
    store.records[JANE] = replace(known, revision="r0")
    ingested(store, delivery_notification(JANE))
    assert store.read_consistently == [False, True]


def test_a_race_that_is_lost_until_the_time_is_over_is_retried() -> None:
    now = [0.0]
    deadline = Deadline(
        1, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)
    )
    (outcome,) = ingest(
        messages(complaint_notification(JANE)),
        store=LosingStore(races=10_000),
        policy=POLICY,
        deadline=deadline,
    )
    assert (outcome.status, outcome.reason) == (Status.RETRIED, "ConflictError")
    assert now[0] <= 1


class SlowStore(InMemoryStore):
    """Every write takes a second of the clock that the deadline goes by."""

    def __init__(self, now: list[float]) -> None:
        super().__init__(clock=clock_at(RECEIVED))
        self.now = now

    def save(
        self, records: Collection[Record], *, deadline: Deadline
    ) -> Mapping[str, SESSuppressionError]:
        failures: dict[str, SESSuppressionError] = {}
        for record in records:
            if deadline.remaining:
                failures |= super().save([record], deadline=deadline)
                self.now[0] += 1
            else:
                failures[record.address] = StoreUnavailableError("OutOfTime", "no time left")
        return failures


def test_what_there_was_no_time_for_is_retried_and_nothing_is_half_acknowledged() -> None:
    now = [0.0]
    bodies = [
        bounce_notification(f"a{number}@example.com", feedback_id=str(number))
        for number in range(10)
    ]
    store = SlowStore(now)
    outcomes = ingest(
        messages(*bodies), store=store, policy=POLICY, deadline=Deadline(4, clock=lambda: now[0])
    )
    assert [outcome.status for outcome in outcomes] == [Status.APPLIED] * 4 + [Status.RETRIED] * 6
    assert len(store.records) == 4


class FailingStore(InMemoryStore):
    """Some addresses cannot be read, others not be written."""

    def load(self, addresses: Collection[str], *, consistent: bool, deadline: Deadline) -> Loaded:
        loaded = super().load(addresses, consistent=consistent, deadline=deadline)
        if "unreadable@example.com" in loaded.records:
            del loaded.records["unreadable@example.com"]
            loaded.failures["unreadable@example.com"] = StoreUnavailableError(
                "Throttling", "try later"
            )
        return loaded

    def save(
        self, records: Collection[Record], *, deadline: Deadline
    ) -> Mapping[str, SESSuppressionError]:
        failures = dict(
            super().save(
                [one for one in records if one.address != "unwritable@example.com"],
                deadline=deadline,
            )
        )
        if len(failures) < len(records) and any(
            one.address == "unwritable@example.com" for one in records
        ):
            failures["unwritable@example.com"] = StoreUnavailableError("AccessDenied", "no")
        return failures


def test_what_cannot_be_read_or_written_is_retried_and_the_others_are_applied() -> None:
    store = FailingStore(clock=clock_at(RECEIVED))
    outcomes = ingested(
        store,
        bounce_notification("unreadable@example.com", feedback_id="1"),
        bounce_notification(JANE, feedback_id="2"),
        bounce_notification("unwritable@example.com", feedback_id="3"),
    )
    assert [(outcome.status, outcome.reason) for outcome in outcomes] == [
        (Status.RETRIED, "Throttling"),
        (Status.APPLIED, ""),
        (Status.RETRIED, "AccessDenied"),
    ]
    assert list(store.records) == [JANE]


def test_one_write_of_a_notification_of_many_recipients_fails_and_the_others_stay() -> None:
    store = FailingStore(clock=clock_at(RECEIVED))
    names = [f"a{number}@example.com" for number in range(30)]
    document = json.loads(bounce_notification("unwritable@example.com"))
    (recipient,) = document["bounce"]["bouncedRecipients"]
    document["mail"]["destination"] += names
    document["bounce"]["bouncedRecipients"] += [{**recipient, "emailAddress": one} for one in names]
    (outcome,) = ingested(store, json.dumps(document))
    assert (outcome.status, outcome.reason) == (Status.RETRIED, "AccessDenied")
    assert sorted(store.records) == sorted(names)
    before, mended = dict(store.records), InMemoryStore(clock=clock_at(RECEIVED))
    mended.records.update(before)
    (outcome,) = ingested(mended, json.dumps(document))
    assert outcome.status is Status.APPLIED
    assert mended.records.pop("unwritable@example.com").suppressions
    assert mended.records == before, "what was written is not written again"


def test_ten_bad_messages_of_ten_are_ten_rejected(store: InMemoryStore) -> None:
    outcomes = ingested(store, *(str(number) for number in range(10)))
    assert [outcome.status for outcome in outcomes] == [Status.REJECTED] * 10
    assert all(outcome.reason for outcome in outcomes)


def test_no_messages_no_outcomes(store: InMemoryStore) -> None:
    assert ingested(store) == []


# --- any order, any repetition, any batching


@given(twelve_notifications, st.data())
def test_any_order_repetition_and_batching_gives_the_verdict_of_the_sorted_set(
    bodies: list[str], data: st.DataObject
) -> None:
    received_at = START + timedelta(days=31)
    in_order = InMemoryStore(clock=clock_at(received_at))
    ingested(in_order, *bodies, received_at=received_at)
    arriving = data.draw(st.permutations(bodies + bodies[::2]))
    shuffled = InMemoryStore(clock=clock_at(received_at))
    while arriving:
        size = data.draw(st.integers(1, len(arriving)))
        ingested(shuffled, *arriving[:size], received_at=received_at)
        arriving = arriving[size:]
    assert without_revisions(shuffled) == without_revisions(in_order)


@given(evidence_with_voids(without_deliveries, max_size=12), st.data())
def test_any_set_of_evidence_and_actions_gives_one_verdict_in_any_order_and_batching(
    evidence: list[Evidence], data: st.DataObject
) -> None:
    store = InMemoryStore(clock=clock_at(START))
    apply_in_batches(store, evidence, data)
    expected = merge((), evidence)
    record = store.records.get(JANE, Record(address=JANE))
    assert record.evidence == expected
    assert record.suppressions == decide(JANE, expected, POLICY).suppressions


@pytest.mark.parametrize("a_day", [1, 2, 5])
def test_a_mailbox_that_accepts_and_then_lets_bounce_is_held_back_however_much_it_gets(
    a_day: int,
) -> None:
    record, mails = Record(address=JANE), range(10 * a_day)
    for number in mails:
        at, mail_id = number // a_day + number % a_day / 20, f"m{number}"
        for piece_ in (delivery(at, mail_id), transient(at + 0.01, mail_at=day(at))):
            record = update(record, [piece_], POLICY) or record
    assert record.suppressions["*"].rule is Rule.TRANSIENT_BOUNCE
    for number in mails:
        again = delivery(number // a_day + number % a_day / 20, f"m{number}")
        record = update(record, [again], POLICY) or record
    assert record.suppressions["*"].rule is Rule.TRANSIENT_BOUNCE


def test_a_delivery_to_an_address_without_a_transient_bounce_costs_no_write() -> None:
    assert update(Record(address=JANE), [delivery(1)], POLICY) is None
    dead = update(Record(address=JANE), [hard(0)], POLICY)
    assert dead is not None
    assert update(dead, [delivery(1)], POLICY) is None


def test_a_delivery_is_kept_by_its_time_alone_soon_after_a_bounce_then_one_a_week() -> None:
    record = update(Record(address=JANE), [transient(0)], POLICY)
    for at in range(1, 100):
        assert record is not None
        record = update(record, [delivery(at, mail_id=f"m{at}")], POLICY) or record
    assert record is not None
    kept = [piece_ for piece_ in record.evidence if piece_.kind is Kind.DELIVERY]
    assert len(kept) == DELIVERIES_FOR.days + WEEKS
    assert {(piece_.mail_id, piece_.mail_at, piece_.identity) for piece_ in kept} == {(None,) * 3}


def test_of_nothing_nothing_follows() -> None:
    assert update(Record(address=JANE), [], POLICY) is None


def test_a_delivery_is_kept_with_the_transient_bounce_that_comes_with_it() -> None:
    record = update(Record(address=JANE), [transient(0), delivery(1)], POLICY)
    assert record is not None
    assert len(record.evidence) == 2


class CountingStore(InMemoryStore):
    """Counts what a table would be asked for."""

    reads = writes = 0

    def load(self, addresses: Collection[str], *, consistent: bool, deadline: Deadline) -> Loaded:
        self.reads += 1
        return super().load(addresses, consistent=consistent, deadline=deadline)

    def save(
        self, records: Collection[Record], *, deadline: Deadline
    ) -> Mapping[str, SESSuppressionError]:
        self.writes += len(records)
        return super().save(records, deadline=deadline)


def test_ten_thousand_events_of_one_address_are_a_read_and_at_most_a_write_a_batch() -> None:
    store = CountingStore(clock=clock_at(RECEIVED))
    bodies = [
        bounce_notification(JANE, feedback_id=str(number), at=NOON - timedelta(minutes=number))
        for number in range(10_000)
    ]
    for batch in chunks(bodies, 100):
        ingested(store, *batch)
    assert store.reads == 100
    assert store.writes == 100, "each batch is older, and the tally begins earlier"
    for batch in chunks(bodies[::-1], 100):
        ingested(store, *batch)
    assert store.writes == 100
