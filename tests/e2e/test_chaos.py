"""The short form of `make chaos`: 500 notifications, some 1,250 with their copies."""

import random

import pytest

from tests.e2e.chaos.faults import THROTTLED
from tests.e2e.chaos.run import deployed, run


@pytest.mark.timeout(300)
def test_whatever_fails_nothing_is_lost_and_no_verdict_is_wrong() -> None:
    seed = random.randrange(1_000_000)
    with deployed() as (stack, proxy):
        report = run(stack, proxy, seed=seed, notifications=500, addresses=150)
    assert report.has_failed, report
    assert report.is_right, report
    assert report.retried > 0, report
    assert report.has_raced, report


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_thousand_messages_drain_though_the_table_throttles() -> None:
    """Of those that can be applied not one is a dead letter."""
    with deployed() as (stack, proxy):
        report = run(
            stack,
            proxy,
            seed=random.randrange(1_000_000),
            notifications=20_000,
            addresses=6_000,
            phases=[THROTTLED],
            kills=False,
        )
    assert report.is_right, report
    assert report.published > 50_000
    assert report.injected["error"] > 0
    assert report.retried > 0
