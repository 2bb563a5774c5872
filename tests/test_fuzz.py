import random

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import fuzz, outcome_of


def test_of_broken_notifications_only_the_parsers_own_error_comes_out() -> None:
    """A short run with another seed each time; `make fuzz` is the long one."""
    outcomes = fuzz(cases=4_000, seed=random.SystemRandom().randrange(2**32))
    assert {"applied", "acknowledged", "names nobody", "rejected"} == set(outcomes)


@given(st.binary())
def test_of_arbitrary_bytes_too(body: bytes) -> None:
    outcome_of(body)
