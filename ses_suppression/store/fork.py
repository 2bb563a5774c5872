"""What a forked process begins again.

Only the thread that forks lives on in the child. A lock that another thread held at that moment
would never be released there, and work that another thread had taken would never be done.
"""

import os
import threading
import weakref
from types import TracebackType
from typing import Any

from urllib3 import PoolManager


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


class Connections(BegunAgainInAFork):
    """The connections of a boto3 client: a forked process opens its own.

    Two processes on one connection take each other's answers, and "nothing is known" about another
    address is a yes.

    Args:
        client: of boto3. A client of another kind has to see to its connections itself.
    """

    def __init__(self, client: Any) -> None:  # noqa: ANN401  # of any service
        self._client = client
        self._pid = os.getpid()
        super().__init__()

    def begin(self) -> None:
        """Leave the connections of the process that forked, without closing them for it."""
        session = getattr(getattr(self._client, "_endpoint", None), "http_session", None)
        if os.getpid() == self._pid or session is None:
            return
        self._pid = os.getpid()
        # Not `client.close()`: it waits for locks of urllib3 that another thread may have held.
        manager = PoolManager(**session._get_pool_manager_kwargs())  # noqa: SLF001
        manager.pool_classes_by_scheme = session._pool_classes_by_scheme  # noqa: SLF001
        session._manager, session._proxy_managers = manager, {}  # noqa: SLF001


_living: "weakref.WeakSet[BegunAgainInAFork]" = weakref.WeakSet()


def _begin_again() -> None:
    for one in _living:
        one.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_again)
