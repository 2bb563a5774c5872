"""The mix of the chaos run: does it hold what it is to try out?"""

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

import pytest

from ses_suppression.evidence import Kind
from ses_suppression.record import Record
from ses_suppression.rules import Rule
from ses_suppression.suppression import Suppression
from tests.e2e.chaos.feedback import COMPLAINTS, DELIVERIES, Action, Feedback, Post, feedback

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


def is_action(kind: Kind) -> Callable[[Post | Action], bool]:
    return lambda one: isinstance(one, Action) and one.evidence.kind is kind


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param(is_permanent, id="permanent bounces"),
        pytest.param(is_transient, id="transient bounces"),
        pytest.param(is_complaint, id="complaints"),
        pytest.param(is_delivery, id="deliveries"),
        *(
            pytest.param(is_action(kind), id=kind)
            for kind in (Kind.SUPPRESS, Kind.REACTIVATE, Kind.VOID)
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
        if post in happening.rejected or post.kind == DELIVERIES:
            continue
        document = json.loads(post.body)
        names = {name.lower() for name in document["mail"]["destination"]}
        named |= names
        for recipient in document.get("bounce", {}).get("bouncedRecipients", []):
            if recipient.get("status") == "5.1.1":
                failed.add(recipient["emailAddress"].lower())
    assert len(failed) > 50
    assert all(records[address].suppressions for address in failed - of_actions)
    assert {*records} <= named | of_actions


def test_a_seed_makes_the_same_run_again() -> None:
    one = made(7, 200)
    made.cache_clear()
    other = made(7, 200)
    assert one == other
    assert one.shuffled(random.Random(7)) == other.shuffled(random.Random(7))
    assert one != made(8, 200)
