"""Threads that hold nobody up: neither the caller beyond its deadline nor the process's end."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ses_suppression.store.fork import BegunAgainInAFork

_Answer = TypeVar("_Answer")
_Task = tuple["Future[Any]", Callable[[], Any]]


class DaemonPool(BegunAgainInAFork):
    """A bounded pool of daemon threads, which end when they have been idle for a while.

    `ThreadPoolExecutor` waits for its threads when the process ends. One of ours may hang in a name
    look-up, where no time-out of the SDK reaches it. A forked process starts its own.

    Args:
        size: how many threads at most; they are started when they are needed.
        name: what the threads are called.
        idle_seconds: after so long without a task a thread ends.
        thread: makes a thread.
    """

    def __init__(
        self,
        size: int,
        name: str,
        *,
        idle_seconds: float = 30.0,
        thread: Callable[..., threading.Thread] = threading.Thread,
    ) -> None:
        self._size = size
        self._name = name
        self._idle_seconds = idle_seconds
        self._thread = thread
        super().__init__()

    def begin(self) -> None:
        """Begin without tasks and threads."""
        self._tasks: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0  # threads that wait, and that no task is meant for
        self._lock = threading.Lock()

    def submit(self, function: Callable[[], _Answer]) -> "Future[_Answer]":
        """Run a function in a thread; while all hang, it waits for one of them."""
        future: Future[_Answer] = Future()
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._threads < self._size:
                try:
                    self._thread(target=self._work, name=self._name, daemon=True).start()
                except RuntimeError as error:  # the process has as many as it may
                    future.set_exception(error)
                    return future
                self._threads += 1
        self._tasks.put((future, function))
        return future

    def _work(self) -> None:
        while True:
            try:
                future, function = self._tasks.get(timeout=self._idle_seconds)
            except queue.Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        self._threads -= 1
                        return
                continue  # a task is meant for this thread
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as error:  # noqa: BLE001  # it is the caller's
                    future.set_exception(error)
            del future, function  # an idle thread keeps nothing alive
            with self._lock:
                self._idle += 1
