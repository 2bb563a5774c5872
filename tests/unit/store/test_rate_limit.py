"""A limit on how much is asked of a service each second."""

import pytest

from ses_suppression.store.rate_limit import Pace


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_requests_are_spread_over_the_seconds() -> None:
    time = Time()
    pace = Pace(10, clock=time.clock, sleep=time.sleep)
    for _ in range(21):
        pace.spend()
    assert time.now == pytest.approx(102)


def test_what_was_not_spent_is_not_saved_up() -> None:
    time = Time()
    pace = Pace(10, clock=time.clock, sleep=time.sleep)
    time.now += 60
    for _ in range(11):
        pace.spend()
    assert time.now == pytest.approx(161)


def test_a_cost_that_is_known_afterwards_is_paid_by_the_next() -> None:
    time = Time()
    pace = Pace(100, clock=time.clock, sleep=time.sleep)
    pace.spend(0)
    pace.spend(250)
    assert time.now == 100
    pace.spend(0)
    assert time.now == pytest.approx(102.5)
