"""A polite end: Ctrl-C, or a kill that can be heard, is an exception like any other."""

import signal
from types import FrameType


class Stopped(BaseException):
    """Somebody wants this to end."""


def end_politely() -> None:
    """Let the signals that ask a process to end raise `Stopped`."""
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, _stop)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped
