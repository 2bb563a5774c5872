"""Threads that hold nobody up: neither the caller beyond its deadline nor the process's end."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

_Answer = TypeVar("_Answer")
_Task = tuple["Future[Any]", Callable[[], Any]]


class DaemonPool:
    """A bounded pool of daemon threads.

    `ThreadPoolExecutor` waits for its threads when the process ends. One of ours may hang in a name
    look-up, where no time-out of the SDK reaches it.

    Args:
        size: how many threads at most; they are started when they are needed.
        name: what the threads are called.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._tasks: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0
        self._lock = threading.Lock()

    def submit(self, function: Callable[[], _Answer]) -> "Future[_Answer]":
        """Run a function in a thread; while all hang, it waits for one of them."""
        future: Future[_Answer] = Future()
        with self._lock:
            start = not self._idle and self._threads < self._size
            if start:
                self._threads += 1
            elif self._idle:
                self._idle -= 1
        self._tasks.put((future, function))
        if start:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            future, function = self._tasks.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function())
                except BaseException as error:  # noqa: BLE001  # it is the caller's
                    future.set_exception(error)
            with self._lock:
                self._idle += 1
