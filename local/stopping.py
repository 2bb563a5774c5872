"""SIGINT, SIGTERM and SIGHUP raise `Stopped`, so that every `finally` runs."""

import signal
from types import FrameType


class Stopped(BaseException):
    """A signal asked the process to end."""


def raise_on_signals() -> None:
    """Raise `Stopped` on each signal that asks a process to end."""
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, _stop)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped
