"""Answers that may be a little stale, kept in the memory of an app."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ses_suppression.store import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """How stale an answer may be.

    Attributes:
        suppressed_seconds: how long a suppression is believed, and a reactivation may be unseen.
        clear_seconds: how long «nothing is known» is believed, and a bounce may be unseen.
        size: how many addresses are kept, those that were asked for last.
    """

    suppressed_seconds: float = 300.0
    clear_seconds: float = 30.0
    size: int = 10_000


class Cache:
    """The verdicts that were read last, each for its time.

    Args:
        settings: how stale an answer may be.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, settings: CacheSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, Verdict]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, address: str) -> Verdict | None:
        """Give the verdict on an address, if it is fresh enough."""
        with self._lock:
            entry = self._entries.get(address)
            if entry is None:
                return None
            fresh_until, verdict = entry
            if fresh_until <= self._clock():
                del self._entries[address]
                return None
            self._entries.move_to_end(address)
            return verdict

    def put(self, address: str, verdict: Verdict, *, suppressed: bool) -> None:
        """Keep a verdict that was read just now, and that holds mail back or does not."""
        settings = self._settings
        seconds = settings.suppressed_seconds if suppressed else settings.clear_seconds
        if seconds <= 0:
            return
        with self._lock:
            self._entries[address] = (self._clock() + seconds, verdict)
            self._entries.move_to_end(address)
            if len(self._entries) > settings.size:
                self._entries.popitem(last=False)

    def forget(self, address: str) -> None:
        """Drop what is kept about an address."""
        with self._lock:
            self._entries.pop(address, None)
