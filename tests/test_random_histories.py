"""A short run of the random histories: what is kept decides like everything that was seen."""

import random

import pytest

from tests.retention import CLASSES, LIVING, POLICY, differences, is_ever_held

HISTORIES = 12
# Above a limit of what is kept they may hold too much: docs/decisions/0019 says how often.
EXACT = ("in order", "late")


@pytest.mark.parametrize("order", EXACT)
@pytest.mark.parametrize("name", CLASSES)
def test_what_is_kept_decides_like_everything_that_was_seen(name: str, order: str) -> None:
    for number in range(HISTORIES):
        rng = random.Random(f"suite {name} {order} {number}")
        assert list(differences(CLASSES[name], rng, POLICY, order)) == [], number


@pytest.mark.parametrize("mix", LIVING)
def test_a_mailbox_in_order_is_never_held_back(mix: str) -> None:
    a_day, bounces, later = LIVING[mix]
    for number in range(3):
        assert not is_ever_held(a_day, bounces, later, random.Random(f"suite {mix} {number}"))
