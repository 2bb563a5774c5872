"""Answers that may be a little stale, kept in the memory of an app."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ses_suppression.core.suppression import Verdict
from ses_suppression.store.fork import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """How stale an answer may be.

    Attributes:
        suppressed_seconds: how long a suppression is believed, and a reactivation may be unseen.
        clear_seconds: how long «mail may be sent» is believed, and a bounce may be unseen.
        size: how many addresses are kept, those that were asked for last.
    """

    suppressed_seconds: float = 300.0
    clear_seconds: float = 30.0
    size: int = 10_000


class Cache:
    """The verdicts that were read last, each for its time.

    Args:
        settings: how stale an answer may be.
    """

    def __init__(self, settings: CacheSettings) -> None:
        self._settings = settings
        # Address -> when it was asked about, and the verdict; without one it was changed then.
        self._entries: OrderedDict[str, tuple[float, Verdict | None]] = OrderedDict()
        self._lock = Lock()

    def get(self, address: str, now: float, holds: Callable[[Verdict], object]) -> Verdict | None:
        """Give the verdict on an address, if it is fresh enough.

        Args:
            address: normalised.
            now: monotonic, in seconds.
            holds: tells whether a verdict holds back the mail that is asked about now: a
                suppression on another stream is a clear answer for this one.
        """
        with self._lock:
            asked_at, verdict = self._entries.get(address, (now, None))
            if verdict is None:
                return None
            settings = self._settings
            fresh = settings.suppressed_seconds if holds(verdict) else settings.clear_seconds
            if now - asked_at >= fresh:
                return None
            self._entries.move_to_end(address)
            return verdict

    def put(self, address: str, verdict: Verdict, asked_at: float) -> None:
        """Keep a verdict, unless the address was changed after it was asked about, or just before.

        A read right after a write may be stale ("Read consistency", DynamoDB developer guide).
        """
        with self._lock:
            changed_at, known = self._entries.get(address, (asked_at, verdict))
            if known is None and asked_at < changed_at + _SETTLED_AFTER:
                return
            self._set(address, (asked_at, verdict))

    def forget(self, address: str, now: float) -> None:
        """Drop what is kept about an address: it is being changed."""
        with self._lock:
            self._set(address, (now, None))

    def _set(self, address: str, entry: tuple[float, Verdict | None]) -> None:
        self._entries[address] = entry
        self._entries.move_to_end(address)
        if len(self._entries) > self._settings.size:
            self._entries.popitem(last=False)


_SETTLED_AFTER = 5.0  # seconds
