"""The fixture that the tests of an app get with this package."""

import pytest

from ses_suppression.testing import InMemorySuppressionList


@pytest.fixture
def suppressions() -> InMemorySuppressionList:
    """Give an empty suppression list in memory."""
    return InMemorySuppressionList()
