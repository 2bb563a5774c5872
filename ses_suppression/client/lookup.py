"""How verdicts are found: in the cache, else by several requests at a time within a deadline."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial

from ses_suppression.client.cache import Cache, CacheSettings
from ses_suppression.core.suppression import Verdict
from ses_suppression.errors import SESSuppressionError, StoreUnavailableError
from ses_suppression.store.daemon_pool import DaemonPool
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Found, Store, chunks

REQUESTS = 16
"""Requests at a time."""


class Lookup:
    """Finds verdicts in a store.

    Args:
        store: where the records are.
        check_seconds: no lookup of at most 100 addresses takes longer, whatever hangs.
        screen_seconds: no other lookup takes longer.
        cache: how stale an answer may be; None: not at all.
        monotonic: the clock by which answers in the cache grow old, in seconds.

    >>> from ses_suppression.testing import InMemoryStore
    >>> lookup = Lookup(InMemoryStore(), check_seconds=1, screen_seconds=30)
    >>> lookup.find(["jane@example.com"], bool).verdicts
    {'jane@example.com': {}}
    """

    def __init__(
        self,
        store: Store,
        *,
        check_seconds: float,
        screen_seconds: float,
        cache: CacheSettings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._check_seconds = check_seconds
        self._screen_seconds = screen_seconds
        self._cache = Cache(cache) if cache else None
        self._monotonic = monotonic
        self._pool = DaemonPool(REQUESTS, "ses-suppression")
        # A mail that waits to be sent does not wait for a list of a million.
        self._urgent_pool = DaemonPool(REQUESTS, "ses-suppression-urgent")

    def find(self, addresses: Sequence[str], holds: Callable[[Verdict], object]) -> Found:
        """Find the verdicts on addresses, each named once and normalised.

        Args:
            addresses: of any number.
            holds: whether a verdict holds back the mail in question; see `Cache.get`.
        """
        found = self._read_cache(addresses, holds) if self._cache else Found()
        parts = list(chunks([one for one in addresses if one not in found.verdicts]))
        is_urgent = len(parts) <= 1
        pool = self._urgent_pool if is_urgent else self._pool
        deadline = Deadline(self._check_seconds if is_urgent else self._screen_seconds)
        asked_at = self._monotonic()
        answers = [
            pool.submit(partial(self._store.find_many, part, deadline=deadline)) for part in parts
        ]
        for part, answer in zip(parts, answers, strict=True):
            try:
                answered = _wait(answer, deadline, self._store)
            except StoreUnavailableError as error:
                found.failures.update(dict.fromkeys(part, error))
                continue
            found.failures.update(answered.failures)
            found.verdicts.update(answered.verdicts)
            if self._cache:
                for address, verdict in answered.verdicts.items():
                    self._cache.put(address, verdict, asked_at)
        return found

    def forget(self, address: str) -> None:
        """Drop what is cached about an address, because it is being changed."""
        if self._cache:
            self._cache.forget(address, self._monotonic())

    def _read_cache(self, addresses: Sequence[str], holds: Callable[[Verdict], object]) -> Found:
        found, now = Found(), self._monotonic()
        for address in addresses:
            verdict = self._cache.get(address, now, holds) if self._cache else None
            if verdict is not None:
                found.verdicts[address] = verdict
        return found


def _wait(answer: "Future[Found]", deadline: Deadline, store: Store) -> Found:
    """Wait for an answer until the deadline, whatever the SDK is waiting for itself."""
    try:
        return answer.result(timeout=deadline.remaining)
    except FutureTimeoutError:
        answer.cancel()
        raise StoreUnavailableError("OutOfTime", f"{store} did not answer in time") from None
    except SESSuppressionError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever an unreadable answer makes of the SDK
        # By its name alone: its text can hold a part of the answer.
        raise StoreUnavailableError(
            type(error).__name__, f"the answer of {store} could not be read"
        ) from None
