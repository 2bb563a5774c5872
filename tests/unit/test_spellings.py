"""The table of spellings that the recipes for other languages run against too."""

import pytest

from ses_suppression.testing import InMemorySuppressionList
from tests.spellings import MAILBOX, SPELLINGS, Taken


@pytest.mark.parametrize("what", SPELLINGS)
def test_a_spelling_is_taken_for_the_mailbox_or_as_an_error(what: str) -> None:
    spelling, taken, _ = SPELLINGS[what]
    suppressions = InMemorySuppressionList()
    suppressions.suppress(MAILBOX.format("held"), by="jane", note="asked by phone")
    screening = suppressions.screen([spelling.format("held")])
    expected = (1, 0) if taken is Taken.HELD else (0, 1)
    assert (len(screening.suppressed), len(screening.invalid)) == expected
    assert not screening.allowed
