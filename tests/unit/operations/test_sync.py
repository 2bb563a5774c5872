"""What `sync` takes for a difference between the two lists, and that it finds none twice."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.core.decision import lasting_reason
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record, update
from ses_suppression.ingest import apply
from ses_suppression.operations.batches import BatchWriter
from ses_suppression.operations.sync import Differences, compare, pull
from ses_suppression.ses_account.account_list import AccountLevelEntry
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Loaded
from ses_suppression.testing import InMemoryStore
from tests.builders import (
    JANE,
    complaint,
    day,
    hard,
    opt_out,
    reactivate,
    tenant_bounce,
    tenant_complaint,
    verdict,
)
from tests.command import ListAtSES, command
from tests.strategies import evidence_with_voids, moments, without_deliveries

POLICY = Policy()
NOW = day(400)


def record(*evidence: Evidence) -> Record:
    return update(Record(address=JANE), evidence, POLICY) or Record(address=JANE)


def entry(reason: Reason, at: datetime, spelling: str = JANE) -> AccountLevelEntry:
    return AccountLevelEntry(spelling, reason, at)


def found(known: Record, *entries: AccountLevelEntry) -> Differences:
    return compare(entries, [known], POLICY)


def pushed(*evidence: Evidence) -> list[tuple[str, Reason]]:
    """Compare what is known about an address with a list at SES that has nothing."""
    return found(record(*evidence)).push


def test_a_tenants_hold_is_never_pushed_to_the_account_level_list() -> None:
    without_end = replace(verdict(tenant_bounce(0))["tenant:acme"], until=None)
    hold = Record(address=JANE, suppressions={"tenant:acme": without_end})
    assert found(hold).push == []
    assert pushed(tenant_bounce(0)) == []
    assert pushed(tenant_complaint(0)) == []
    assert pushed(tenant_bounce(0, tenant="*")) == []
    assert pushed(tenant_complaint(0), hard(1)) == [(JANE, Reason.BOUNCE)]


def test_an_unsubscription_is_not_pushed_as_ses_knows_no_such_reason() -> None:
    assert pushed(opt_out(0)) == []


def test_an_entry_that_says_what_is_true_is_not_deleted_though_a_reactivation_was_later() -> None:
    known = record(reactivate(5), hard(10))
    differences = found(known, entry(Reason.BOUNCE, day(2)))
    assert (differences.delete, differences.push, differences.same) == ([], [], 1)


def test_a_complaint_at_ses_is_outdated_by_a_reactivation_with_consent_only() -> None:
    at_ses = entry(Reason.COMPLAINT, day(2))
    assert found(record(hard(0), reactivate(5)), at_ses).delete == [at_ses]
    without = found(record(hard(0), reactivate(5, consent=False)), at_ses)
    assert (without.delete, without.pull) == ([], [at_ses])


def test_of_two_spellings_the_complaint_is_pulled_and_pushed_to_the_other() -> None:
    bounced, complained = (
        entry(Reason.BOUNCE, day(2)),
        entry(Reason.COMPLAINT, day(3), "JANE@example.com"),
    )
    differences = found(record(hard(0)), bounced, complained)
    assert differences.pull == [complained]
    assert differences.push == [(JANE, Reason.COMPLAINT)]


spellings = st.sampled_from(["jane@example.com", "Jane@example.com", "JANE@example.com"])
entries_at_ses = st.dictionaries(
    spellings, st.tuples(st.sampled_from([Reason.BOUNCE, Reason.COMPLAINT]), moments), max_size=3
)


@given(evidence_with_voids(without_deliveries, max_size=12), entries_at_ses)
def test_a_second_run_finds_nothing_to_do(
    evidence: list[Evidence], at_ses: dict[str, tuple[Reason, datetime]]
) -> None:
    known, listed = record(*evidence), dict(at_ses)
    first = found(known, *(entry(*held, spelling=one) for one, held in listed.items()))
    store = InMemoryStore(clock=lambda: NOW)
    store.records[JANE] = known
    pull(first.pull, by="ann", writer=BatchWriter(store, POLICY))
    known = store.records[JANE]
    for spelling, reason in first.push:
        assert lasting_reason(JANE, known.evidence, POLICY) is reason  # it looks again
        listed[spelling] = (reason, NOW + timedelta(days=1))
    for one in first.delete:
        del listed[one.spelling]
    second = found(known, *(entry(*held, spelling=one) for one, held in listed.items()))
    assert (second.pull, second.push, second.delete) == ([], [], [])


def test_a_complaint_here_is_pushed_over_a_bounce_at_ses() -> None:
    differences = found(record(complaint(0)), entry(Reason.BOUNCE, day(1)))
    assert differences.push == [(JANE, Reason.COMPLAINT)]


def test_an_entry_of_an_address_that_is_not_in_the_table_is_pulled_and_a_simulators_is_not() -> (
    None
):
    entries = [
        entry(Reason.BOUNCE, day(1), spelling)
        for spelling in (JANE, "Other@example.com", "no address", "x@simulator.amazonses.com")
    ]
    differences = compare(entries, [record(hard(0))], POLICY)
    assert [one.spelling for one in differences.pull] == ["Other@example.com"]
    assert (differences.same, differences.invalid) == (1, 1)


class ReleasedMeanwhile(InMemoryStore):
    """A table of which one address is released as soon as it has been read."""

    def scan(self) -> Iterator[Loaded]:
        yield from super().scan()
        apply({JANE: [reactivate(10)]}, store=self, policy=POLICY, deadline=Deadline(1))


class Bucket:
    """What SES's import jobs read."""

    def __init__(self) -> None:
        self.pushed = ""

    def put_object(self, **options: Any) -> None:
        self.pushed += options["Body"].decode()

    def create_import_job(self, **_: object) -> dict[str, str]:
        return {"JobId": "job-1"}


@pytest.mark.parametrize("options", [[], ["--import-job", "s3://bucket/prefix"]])
def test_whom_somebody_releases_meanwhile_is_not_pushed(options: list[str]) -> None:
    store, at_ses, bucket = ReleasedMeanwhile(clock=lambda: NOW), ListAtSES(), Bucket()
    bounced = {JANE: [hard(0)], "other@example.com": [hard(0)]}
    apply(bounced, store=store, policy=POLICY, deadline=Deadline(1))
    parts = {"account_level_list": at_ses.opened(), "client": lambda _: bucket}
    assert command(store, "sync", *options, "--apply", **parts) == 0
    pushed = bucket.pushed or "".join(f"{one},BOUNCE\n" for one in at_ses.listed)
    assert pushed == "other@example.com,BOUNCE\n"


class ComplainedMeanwhile(InMemoryStore):
    """A table in which somebody complains as soon as it has been read."""

    def scan(self) -> Iterator[Loaded]:
        yield from super().scan()
        apply({JANE: [complaint(10)]}, store=self, policy=POLICY, deadline=Deadline(1))


def test_what_is_pushed_is_the_reason_of_now() -> None:
    store, at_ses = ComplainedMeanwhile(clock=lambda: NOW), ListAtSES()
    apply({JANE: [hard(0)]}, store=store, policy=POLICY, deadline=Deadline(1))
    assert command(store, "sync", "--apply", account_level_list=at_ses.opened()) == 0
    assert [one.reason for one in at_ses.listed.values()] == [Reason.COMPLAINT]
