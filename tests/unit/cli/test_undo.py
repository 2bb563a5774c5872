"""What `undo` and `remove` say and do where not every bounce is kept, or SES's list changes."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ses_suppression.core.actions import suppress
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.ingest import apply
from ses_suppression.ses_account.account_list import AccountLevelEntry
from ses_suppression.store.deadline import Deadline
from ses_suppression.testing import InMemoryStore
from tests.builders import JANE, block, complaint, day, hard, transient
from tests.command import ListAtSES, command

NOW = datetime.now(UTC)


def store_of(evidence: Sequence[Evidence], now: float) -> InMemoryStore:
    store = InMemoryStore(clock=lambda: day(now))
    apply({JANE: evidence}, store=store, policy=Policy(), deadline=Deadline(1))
    return store


def undo(store: InMemoryStore, start: datetime, end: datetime, *options: str, **parts: Any) -> None:
    span = ("--from", start.isoformat(), "--to", end.isoformat())
    assert command(store, "undo", *span, *options, **parts) == 0


def repeated(of: Evidence, number: int, every: timedelta) -> list[Evidence]:
    """As many bounces, one after the other."""
    return [replace(of, id=f"{of.id}-{one}", at=of.at + one * every) for one in range(number)]


def after(minutes: float) -> datetime:
    return day(10) + timedelta(minutes=minutes)


A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)
BURST = repeated(hard(10, status="5.1.1", diagnostic="550 unknown user"), 60, A_MINUTE)
FIRST_DAY = NOW - 8 * A_DAY
DAYS = repeated(replace(block(diagnostic="550 blocked"), at=FIRST_DAY), 8, A_DAY)
FORWARDED = [
    replace(one, reported_as="jane@gmail.com", diagnostic=f"550 {number}")
    for number, one in enumerate(BURST)
]
ON_THE_LIST = repeated(hard(10, bounce_sub_type="OnAccountSuppressionList"), 60, A_MINUTE)


@pytest.mark.parametrize(
    ("evidence", "start", "end", "options"),
    [
        (BURST, after(10), after(30), ()),
        (DAYS, FIRST_DAY, FIRST_DAY + 3 * A_DAY, ("--diagnostic", "5.7.1")),
        (FORWARDED, after(0), after(60), ("--domain", "gmail.com", "--diagnostic", "550 7")),
        (ON_THE_LIST, after(10), after(20), ("--sub-type", "OnAccountSuppressionList")),
    ],
    ids=["part of a tally", "words of days that are not kept", "forwarded", "a sub type"],
)
def test_who_stays_held_back_because_words_are_not_kept_is_told(
    evidence: Sequence[Evidence],
    start: datetime,
    end: datetime,
    options: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = store_of(evidence, now=12)
    assert store.records[JANE].suppressions
    undo(store, start, end, *options)
    assert "1 are held back and uncertain" in capsys.readouterr().out
    undo(store, start, end, *options, "--apply")
    assert store.records[JANE].suppressions, "the error is never towards mailing"


def test_nobody_is_uncertain_whose_bounces_are_all_there_or_elsewhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    elsewhere = repeated(hard(20), 60, A_MINUTE)
    for evidence in ([hard(10)], BURST, [transient(10)], elsewhere):
        undo(store_of(evidence, now=30), after(0), after(60))
        assert "uncertain" not in capsys.readouterr().out


def test_an_entry_at_ses_that_became_a_complaint_meanwhile_stays() -> None:
    bounced = AccountLevelEntry(JANE, Reason.BOUNCE, day(10))
    complained = AccountLevelEntry(JANE, Reason.COMPLAINT, day(11))
    at_ses = ListAtSES([bounced], meanwhile=[complained])
    store = store_of([hard(10)], now=12)
    undo(store, after(0), after(60), "--ses", "--apply", account_level_list=at_ses.opened())
    assert not store.records[JANE].suppressions
    assert list(at_ses.listed.values()) == [complained]


@pytest.mark.parametrize("consent", [[], ["--consent", ""], ["--consent", " \t"]])
def test_after_a_complaint_a_remove_wants_the_consent_in_words(consent: list[str]) -> None:
    store = store_of([complaint(10)], now=12)
    assert command(store, "remove", JANE, "--note", "x", *consent) == 2
    assert store.records[JANE].suppressions


def test_a_manual_hold_hides_no_bounce_from_an_undo_or_a_sync() -> None:
    genuine, asked = hard(1), suppress(by="ann", note="asked", at=day(5))
    entry = AccountLevelEntry(JANE, Reason.BOUNCE, day(10))
    at_ses = ListAtSES([entry])
    store = store_of([genuine, asked, hard(10, id="incident")], now=12)
    undo(store, after(0), after(60), "--ses", "--apply", account_level_list=at_ses.opened())
    assert list(at_ses.listed.values()) == [entry], "an older bounce says the same"
    at_ses = ListAtSES()
    assert command(store, "sync", "--apply", account_level_list=at_ses.opened()) == 0
    assert list(at_ses.listed) == [JANE]


def test_a_remove_leaves_a_complaint_at_ses_that_came_meanwhile(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bounced = AccountLevelEntry(JANE, Reason.BOUNCE, day(10))
    complained = AccountLevelEntry(JANE, Reason.COMPLAINT, day(11))
    for meanwhile in ([], [complained]):
        at_ses = ListAtSES([bounced], meanwhile=meanwhile)
        store = store_of([hard(10)], now=12)
        parts = {"account_level_list": at_ses.opened()}
        assert command(store, "--json", "remove", JANE, "--ses", "--note", "x", **parts) == 0
        written, warned = capsys.readouterr()
        assert json.loads(written)["deleted_at_ses"] == ([] if meanwhile else [JANE])
        assert ("has changed meanwhile and stays" in warned) is bool(meanwhile)
        assert list(at_ses.listed.values()) == meanwhile
