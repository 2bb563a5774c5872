"""What a forked process begins again.

Only the thread that forks lives on in the child. A lock that another thread held at that moment
would never be released there, and work that another thread had taken would never be done.
"""

import os
import threading
import weakref
from types import TracebackType


class BegunAgainInAFork:
    """An object that calls `begin` when it is made, and again in every forked process."""

    def __init__(self) -> None:
        self.begin()
        _living.add(self)

    def begin(self) -> None:
        """Set up what threads share."""
        raise NotImplementedError


class Lock(BegunAgainInAFork):
    """A `threading.Lock` that is free in a forked process.

    What it protects has to be right after each single step, as another thread may have been in the
    middle.
    """

    def begin(self) -> None:
        """Forget who held it."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()


_living: "weakref.WeakSet[BegunAgainInAFork]" = weakref.WeakSet()


def _begin_again() -> None:
    for one in _living:
        one.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_again)
