"""A limit on how much is asked of a service each second."""

import time
from collections.abc import Callable

from ses_suppression.store.fork import Lock


class Pace:
    """So many units a second, for all threads together.

    Args:
        per_second: how many units.
        clock: monotonic, in seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()
        self._lock = Lock()

    def spend(self, units: float = 1.0) -> None:
        """Wait until what was spent before is paid off, then take so many units.

        What a request costs may be known only afterwards: then the next one waits for it.
        """
        with self._lock:
            now = self._clock()
            begin = max(now, self._free_at)
            self._free_at = begin + units / self._per_second
        if begin > now:
            self._sleep(begin - now)
