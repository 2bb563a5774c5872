"""An action is the newest word on an address, and does what it says or raises."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ses_suppression.client.acting import act
from ses_suppression.core.actions import reactivate, suppress
from ses_suppression.core.evidence import EVERY_STREAM, Evidence
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record
from ses_suppression.core.retention import STREAMS
from ses_suppression.errors import InvalidActionError, NoEffectError
from ses_suppression.ingest import apply
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Loaded
from ses_suppression.testing import InMemoryStore, InMemorySuppressionList
from tests.builders import JANE, NOON, POLICY, hard

MINUTE = timedelta(minutes=1)


class Server(InMemoryStore):
    """A table whose clock is right, whatever the hosts' clocks say."""

    now = NOON

    def load(self, addresses: Collection[str], *, consistent: bool, deadline: Deadline) -> Loaded:
        loaded = super().load(addresses, consistent=consistent, deadline=deadline)
        return replace(loaded, answered_at=self.now)


def suppressed(at: datetime, **more: object) -> Evidence:
    return suppress(by="ann", note="asked", at=at, **more)  # type: ignore[arg-type]  # tests vary


def reactivated(at: datetime) -> Evidence:
    return reactivate(by="joe", note="agreed", at=at, consent=True)


def acted(store: InMemoryStore, action: Evidence, policy: Policy = POLICY) -> Record:
    return act(JANE, action, store=store, policy=policy, deadline=Deadline(5))


@pytest.mark.parametrize("ahead", [timedelta(0), 2 * MINUTE, timedelta(days=400)], ids=str)
def test_a_reactivation_of_a_host_that_is_ahead_does_not_void_what_comes_next(
    ahead: timedelta,
) -> None:
    store = Server(clock=lambda: NOON)
    acted(store, reactivated(NOON + ahead))
    acted(store, suppressed(NOON - MINUTE))
    assert store.records[JANE].suppressions[EVERY_STREAM].until is None


def test_a_reactivation_of_a_host_that_is_behind_lifts_what_has_just_bounced() -> None:
    store = Server(clock=lambda: NOON)
    just_now = replace(hard(), at=NOON - MINUTE)
    apply({JANE: [just_now]}, store=store, policy=POLICY, deadline=Deadline(5))
    assert store.records[JANE].suppressions
    assert acted(store, reactivated(NOON - 9 * MINUTE)).suppressions == {}


def test_a_host_that_is_behind_still_has_the_last_word() -> None:
    store = Server(clock=lambda: NOON)
    acted(store, suppressed(NOON))
    assert acted(store, reactivated(NOON - 9 * MINUTE)).suppressions == {}
    assert acted(store, suppressed(NOON - 9 * MINUTE)).suppressions != {}


def test_bounces_of_the_next_hour_count_after_a_reactivation_by_a_host_that_is_ahead() -> None:
    store = Server(clock=lambda: NOON)
    acted(store, reactivated(NOON + timedelta(hours=1)))
    (reactivation,) = store.records[JANE].evidence
    assert reactivation.at == NOON


def test_the_same_action_after_a_lost_answer_is_one() -> None:
    store = Server(clock=lambda: NOON)
    action = suppressed(NOON)
    assert acted(store, action).evidence == acted(store, action).evidence


def test_an_action_without_an_effect_raises_and_writes_nothing() -> None:
    store = Server(clock=lambda: NOON)
    never = Policy(never_suppress=frozenset({"example.com"}))
    with pytest.raises(NoEffectError, match="never_suppress"):
        acted(store, suppressed(NOON), never)
    assert store.records == {}
    suppressions = InMemorySuppressionList(policy=never)
    with pytest.raises(NoEffectError):
        suppressions.suppress(JANE, by="ann", note="asked")


def test_what_is_held_back_longer_already_is_no_error() -> None:
    store = Server(clock=lambda: NOON)
    acted(store, suppressed(NOON))
    acted(store, suppressed(NOON, until=NOON + MINUTE))
    acted(store, suppressed(NOON, stream="news"))
    acted(store, suppressed(NOON, until=NOON + timedelta(days=9, microseconds=5), stream="x"))


def test_one_more_stream_than_there_is_room_for_is_refused() -> None:
    store = Server(clock=lambda: NOON)
    for number in range(STREAMS):
        acted(store, suppressed(NOON, stream=f"s{number}"))
    with pytest.raises(InvalidActionError, match="100 is the most"):
        acted(store, suppressed(NOON, stream="one more"))
