"""The fixture that the tests of an app get with this package."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ses_suppression.testing import InMemorySuppressionList


@pytest.fixture
def suppressions() -> "InMemorySuppressionList":
    """Give an empty suppression list in memory."""
    # Here, since every run of every app's tests loads this plugin, and few ask for the list.
    from ses_suppression.testing import InMemorySuppressionList  # noqa: PLC0415

    return InMemorySuppressionList()
