"""How much time is left, and waiting within it."""

import random
import time
from collections.abc import Callable

_DOUBLINGS = 16  # far beyond the longest wait, and far below what a float can hold


class Deadline:
    """A moment after which nothing is begun any more.

    Args:
        seconds: how long from now.
        clock: monotonic, in seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + seconds

    @property
    def remaining(self) -> float:
        """Seconds that are left; never negative."""
        return max(0.0, self._end - self._clock())

    def pause(self, attempt: int, *, first: float = 0.02, longest: float = 1.0) -> bool:
        """Wait before the next attempt: exponentially longer, with full jitter.

        Returns:
            False when no time is left for another attempt.
        """
        wait = random.uniform(0, min(longest, first * 2 ** min(attempt, _DOUBLINGS)))  # noqa: S311  # spreads load, keeps no secret
        if wait >= self.remaining:
            return False
        self._sleep(wait)
        return True
