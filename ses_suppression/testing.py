"""For the tests of apps that use this package."""

from typing import Any

from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.store.memory import InMemoryStore

__all__ = ["InMemoryStore", "InMemorySuppressionList"]


class InMemorySuppressionList(SuppressionList):
    """A suppression list without AWS, for the tests of an app.

    >>> suppressions = InMemorySuppressionList()
    >>> suppressions.suppress("jane@example.com", by="test", note="as if she had bounced")
    >>> suppressions.check("Jane@Example.com").reason.value
    'MANUAL'
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # those of SuppressionList
        self.store = InMemoryStore()
        super().__init__(self.store, **options)
