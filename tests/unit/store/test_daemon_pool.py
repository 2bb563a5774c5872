"""The threads behind a sender's question."""

import os
import threading
from collections.abc import Callable
from functools import partial

import pytest

from local.waiting import wait_for
from ses_suppression.store import fork
from ses_suppression.store.daemon_pool import DaemonPool


def running(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def test_tasks_share_threads_that_are_idle() -> None:
    pool = DaemonPool(3, "shared")
    for number in range(50):
        assert pool.submit(partial(abs, number)).result(timeout=5) == number
    assert running("shared") <= 2  # one may not be idle yet when the next task comes


def test_no_more_threads_than_it_may_have_are_started() -> None:
    pool, released = DaemonPool(3, "bounded"), threading.Event()
    futures = [pool.submit(lambda: released.wait(5)) for _ in range(10)]
    assert running("bounded") == 3
    released.set()
    assert all(future.result(timeout=5) for future in futures)


def test_an_error_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        DaemonPool(1, "failing").submit(lambda: 1 // 0).result(timeout=5)


def test_idle_threads_end_and_new_ones_are_started() -> None:
    pool = DaemonPool(4, "ending", idle_seconds=0.05)
    for _ in range(3):
        together = threading.Barrier(4)
        for future in [pool.submit(partial(together.wait, 5)) for _ in range(4)]:
            future.result(timeout=5)
        wait_for("the end of idle threads", lambda: running("ending") == 0, seconds=5)


def test_a_process_without_room_for_a_thread_says_so_and_goes_on_later() -> None:
    refuse = True

    class Thread(threading.Thread):
        def start(self) -> None:
            if refuse:
                raise RuntimeError("can't start new thread")
            super().start()

    pool = DaemonPool(1, "refused", thread=Thread)
    with pytest.raises(RuntimeError):
        pool.submit(lambda: 1).result(timeout=5)
    refuse = False
    assert pool.submit(lambda: 1).result(timeout=5) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_its_own_threads() -> None:
    pool, released = DaemonPool(2, "forked"), threading.Event()
    for _ in range(2):  # the parent's threads are all busy
        pool.submit(lambda: released.wait(30))
    child = os.fork()
    if child == 0:  # in the child nothing but the pool is used
        answered = in_child(lambda: pool.submit(lambda: 7).result(timeout=5) == 7)
        os._exit(0 if answered else 1)
    released.set()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def in_child(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except BaseException:  # noqa: BLE001  # the child must not go on as a test run
        return False


def test_the_pools_of_lists_that_are_gone_are_gone() -> None:
    before = len(fork._living)
    pool = DaemonPool(1, "gone", idle_seconds=0.05)
    pool.submit(lambda: None).result(timeout=5)
    del pool
    wait_for("the end of the pool", lambda: len(fork._living) <= before, seconds=5)
