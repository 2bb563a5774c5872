"""Programs that a test needs, started and stopped."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from local.emulator import LocalError
from local.waiting import wait_for


@contextmanager
def running(
    what: str, command: Sequence[str], *, is_up: Callable[[], bool], seconds: float, **options: Any
) -> Iterator[None]:
    """Run a program, wait until it is up, and kill it on the way out.

    Args:
        what: its name, for the error.
        command: and its arguments.
        is_up: whether it can be used.
        seconds: how long that may take.
        options: of the process.

    Raises:
        LocalError: it ended, or was not up in time.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )

    def is_up_or_has_ended() -> bool:
        if process.poll() is not None:
            raise LocalError(f"{what} ended with status {process.returncode}")
        return is_up()

    try:
        wait_for(what, is_up_or_has_ended, seconds=seconds)
        yield
    finally:
        process.kill()
        process.wait(timeout=10)


SECONDS = 10


def answered_in_a_fork(question: Callable[[], bool]) -> bool:
    """Whether a forked process answers yes in time."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)  # ends a process that hangs
        answer = False
        try:
            answer = question()
        finally:
            os._exit(0 if answer else 1)
    return os.waitpid(child, 0)[1] == 0
