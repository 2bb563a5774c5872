"""The mix of the chaos run: does it hold what it is to try out?"""

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from ses_suppression.core.classification import rule_of
from ses_suppression.core.evidence import Kind
from ses_suppression.core.record import Record
from ses_suppression.core.rules import Rule
from ses_suppression.core.suppression import Suppression
from ses_suppression.core.undo import Incident, void_caused
from ses_suppression.ingest import apply
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Loaded
from ses_suppression.testing import InMemoryStore
from tests.builders import hard
from tests.e2e.chaos.__main__ import is_as_expected
from tests.e2e.chaos.commands import NAMES, lost_words, not_reverted, not_undone, undone_too_much
from tests.e2e.chaos.feedback import (
    COMPLAINTS,
    DELIVERIES,
    KINDS,
    POLICY,
    Action,
    Feedback,
    Post,
    feedback,
    ingested,
    reason_of,
)
from tests.e2e.chaos.run import Report, wrong_letters, wrong_records

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@cache
def made(seed: int = 1, notifications: int = 5_000) -> Feedback:
    return feedback(
        random.Random(seed), notifications=notifications, addresses=notifications * 3 // 10, now=NOW
    )


@cache
def expected() -> Mapping[str, Record]:
    return made().expected()


def is_transient(one: Post | Action) -> bool:
    return isinstance(one, Post) and '"Transient"' in one.body


def is_permanent(one: Post | Action) -> bool:
    return isinstance(one, Post) and '"Permanent"' in one.body


def is_complaint(one: Post | Action) -> bool:
    return isinstance(one, Post) and one.kind == COMPLAINTS


def is_delivery(one: Post | Action) -> bool:
    return isinstance(one, Post) and one.kind == DELIVERIES


def is_subscription(one: Post | Action) -> bool:
    return isinstance(one, Post) and '"Subscription"' in one.body


def is_action(kind: Kind) -> Callable[[Post | Action], bool]:
    return lambda one: isinstance(one, Action) and one.evidence.kind is kind


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param(is_permanent, id="permanent bounces"),
        pytest.param(is_transient, id="transient bounces"),
        pytest.param(is_complaint, id="complaints"),
        pytest.param(is_delivery, id="deliveries"),
        pytest.param(is_subscription, id="subscriptions"),
        *(
            pytest.param(is_action(kind), id=kind)
            for kind in (Kind.SUPPRESS, Kind.REACTIVATE, Kind.VOID, Kind.IMPORT)
        ),
    ],
)
def test_verdicts_depend_on_each_kind_of_what_happens(
    left_out: Callable[[Post | Action], bool],
) -> None:
    with_it, without = expected(), made().without(left_out).expected()
    changed = [
        address
        for address in {*with_it, *without}
        if verdict_of(with_it, address) != verdict_of(without, address)
    ]
    assert len(changed) >= 10


def verdict_of(records: Mapping[str, Record], address: str) -> Mapping[str, Suppression]:
    return records.get(address, Record(address=address)).suppressions


def test_there_are_holds_for_rows_of_transient_bounces_and_for_good_and_addresses_without() -> None:
    records = expected()
    suppressions = [tuple(record.suppressions.values()) for record in records.values()]
    rules = {one.rule for each in suppressions for one in each}
    assert {Rule.TRANSIENT_BOUNCE, Rule.HARD_BOUNCE, Rule.BLOCK, Rule.COMPLAINT} <= rules
    assert sum(not each for each in suppressions) > 50


def test_the_model_holds_back_whoever_bounced_for_good_and_nobody_to_whom_all_was_delivered() -> (
    None
):
    """By the JSON alone: not by the parser that is tried."""
    happening, records = made(), expected()
    of_actions = {action.address for action in happening.actions}
    failed, named = set(), set()
    for post in happening.posts:
        named |= post.addresses
        if post in happening.rejected or post.kind == DELIVERIES:
            continue
        document = json.loads(post.body)
        for recipient in document.get("bounce", {}).get("bouncedRecipients", []):
            if recipient.get("status") == "5.1.1":
                failed.add(recipient["emailAddress"].lower())
    assert len(failed) > 50
    assert all(records[address].suppressions for address in failed - of_actions)
    assert {*records} <= named | of_actions


def test_every_rule_is_met() -> None:
    met = {rule_of(piece) for record in expected().values() for piece in record.evidence}
    assert met == {*Rule}


def test_what_is_to_be_rejected_is_rejected_with_a_reason_and_nothing_else_is() -> None:
    happening = made()
    assert {post for post in happening.posts if reason_of(post)} == happening.rejected


def test_feedback_comes_by_both_channels_and_some_of_it_by_both() -> None:
    channels = defaultdict(set)
    for post in made().posts:
        if feedback_id := re.search(r'"feedbackId": "([^"]+)"', post.body):
            channels[feedback_id[1]].add('"eventType"' in post.body)
    numbers = Counter(frozenset(of) for of in channels.values())
    assert min(numbers.values()) > 50
    assert len(numbers) == 3


def test_a_table_that_is_wrong_anywhere_is_found() -> None:
    model = expected()
    address, record = next(item for item in model.items() if item[1].suppressions)
    others = {name: one for name, one in model.items() if name != address}
    wrong = {
        "lost": others,
        "its verdict": {**model, address: replace(record, suppressions={})},
        "its evidence": {**model, address: replace(record, evidence=record.evidence[1:])},
        "one too many": {**model, "nobody@example.net": record},
        "its end": {**model, address: replace(record, expires_at=1)},
    }
    assert not list(wrong_records([Loaded(records=dict(model))], model))
    for what, records in wrong.items():
        (found,) = wrong_records([Loaded(records=records)], model)
        assert found.startswith("nobody@example.net" if what == "one too many" else address), what


def test_what_undos_left_or_lost_is_found() -> None:
    incident = Incident(start=NOW - timedelta(days=1), end=NOW)
    bounced = replace(hard(), at=NOW - timedelta(hours=1))
    (word,) = void_caused(
        Record(address="a@example.net", evidence=(bounced,)),
        [bounced],
        undo=incident.id,
        by="ann",
        note="round 1",
        at=NOW,
    )
    left = [Record(address="a@example.net", evidence=(bounced,))]
    voided = [Record(address="a@example.net", evidence=(bounced, word))]
    assert list(not_undone(left, incident))
    assert not list(not_undone(voided, incident))
    assert not list(undone_too_much(voided, incident))
    (other,) = void_caused(left[0], [hard()], undo=incident.id, by="ann", note="round 1", at=NOW)
    too_much = [Record(address="a@example.net", evidence=(hard(), bounced, word, other))]
    assert list(undone_too_much(too_much, incident))
    assert not list(not_reverted(left, incident))
    assert list(not_reverted(voided, incident))
    assert not list(lost_words(voided, incident, {"round 1": 1, "round 2": 0}))
    assert list(lost_words(left, incident, {"round 1": 1}))
    assert list(lost_words(voided, incident, {"round 1": 1, "round 2": 1}))


def test_dead_letters_that_are_wrong_are_found() -> None:
    post, other = sorted(made().rejected, key=lambda one: one.body)[:2]
    sound = next(one for one in made().posts if one not in made().rejected)
    why = reason_of(post)

    def wrong(letters: Mapping[tuple[Post, str], int]) -> list[str]:
        return list(wrong_letters(letters, {post}, {post: 2}, reason_of=reason_of))

    assert not wrong({(post, why): 2})
    assert not wrong({(post, why): 3})
    assert "1 dead letters, 2 were published" in wrong({(post, why): 1})[0]
    assert "not to be rejected" in wrong({(post, why): 2, (sound, ""): 1})[0]
    assert "not to be rejected" in wrong({(post, why): 2, (other, reason_of(other)): 1})[0]
    assert "a dead letter because ''" in wrong({(post, why): 1, (post, ""): 1})[0]


def test_a_run_counts_only_when_everything_has_failed_and_the_naive_handler_has_to_be_wrong() -> (
    None
):
    failed = Counter(dict.fromkeys(("error", "latency", "reset", "response"), 1))
    commands = Counter(dict.fromkeys(NAMES, 1))
    right = Report(
        seed=1,
        notifications=1,
        injected=failed,
        killed=1,
        commands=commands,
        retried=1,
        suppressed=1,
    )
    assert is_as_expected(right, naive=False)
    assert not is_as_expected(right, naive=True)
    wrong = replace(right, wrong=["an address"], retried=0)
    assert not is_as_expected(wrong, naive=False)
    assert is_as_expected(wrong, naive=True)
    cases: list[dict[str, Any]] = [
        {"killed": 0}, {"retried": 0}, {"lost": ["a letter"]}, {"injected": Counter()},
        *({"commands": commands - Counter({name: 1})} for name in NAMES),
    ]  # fmt: skip
    for case in cases:
        assert not is_as_expected(replace(right, **case), naive=False)


@pytest.mark.parametrize("seed", range(30))
def test_fifty_events_in_any_order_and_batching_are_one_table(seed: int) -> None:
    """As in a chaos run, and about few addresses, so that nearly all of it meets."""
    chance = random.Random(seed)
    happening = feedback(chance, notifications=50, addresses=9, now=NOW)
    for _ in range(10):
        store, left = InMemoryStore(), happening.shuffled(chance)
        while left:
            number = chance.randint(1, 20)
            part, left = left[:number], left[number:]
            for one in part:
                if isinstance(one, Action):
                    new = {one.address: [one.evidence]}
                    apply(new, store=store, policy=POLICY, deadline=Deadline(60))
            for kind in KINDS:
                ingested(
                    [post for post in part if isinstance(post, Post) and post.kind == kind],
                    kind,
                    store,
                )
        for post in happening.of(DELIVERIES):
            ingested([post], DELIVERIES, store)
        assert not list(wrong_records([Loaded(records=dict(store.records))], happening.expected()))


def test_a_seed_makes_the_same_run_again() -> None:
    one = made(7, 200)
    made.cache_clear()
    other = made(7, 200)
    assert one == other
    assert one.shuffled(random.Random(7)) == other.shuffled(random.Random(7))
    assert one != made(8, 200)
