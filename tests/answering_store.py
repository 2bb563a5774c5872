"""A store with given verdicts, for what an app asks."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ses_suppression.client.screening import Unknown
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.suppression import Verdict
from ses_suppression.errors import StoreUnavailableError
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Found
from ses_suppression.testing import InMemoryStore
from tests.builders import block, complaint, day, hard, only

NOW = day(10)
HELD = only(hard(0))
ON_NEWS = replace(only(complaint(0)), stream="news")
OF_ACME = replace(HELD, stream="tenant:acme", until=day(14))
ENDED = only(block(0))


class AnsweringStore(InMemoryStore):
    """Gives verdicts as they are told, answers nothing about some, and counts what it is asked."""

    def __init__(
        self,
        verdicts: dict[str, Verdict],
        silent: Sequence[str] = (),
        *,
        error: Exception | None = None,
        raises: bool = False,
    ) -> None:
        super().__init__(clock=lambda: NOW)
        self.verdicts = verdicts
        self.silent = set(silent)
        self.error: Any = error or StoreUnavailableError("UnprocessedKeys", "not in time")
        self.raises = raises
        self.asked: list[tuple[str, ...]] = []
        self.lock = threading.Lock()

    def find_many(self, addresses: Sequence[str], *, deadline: Deadline) -> Found:
        del deadline
        with self.lock:
            self.asked.append(tuple(addresses))
        if self.raises:
            raise self.error
        return Found(
            verdicts={
                one: self.verdicts.get(one, {}) for one in addresses if one not in self.silent
            },
            failures={one: self.error for one in addresses if one in self.silent},
        )


def asking(store: InMemoryStore, unknown: Unknown = Unknown.HOLD) -> SuppressionList:
    return SuppressionList(store, unknown=unknown, clock=lambda: NOW)


VERDICTS: dict[str, Verdict] = {
    "held@example.com": {"*": HELD},
    "news@example.com": {"news": ON_NEWS},
    "ended@example.com": {"*": ENDED},
    "both@example.com": {"*": ENDED, "news": ON_NEWS},
    "tenant@example.com": {"tenant:acme": OF_ACME},
}
