"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

from local.emulator import LocalError

_Value = TypeVar("_Value")
_EVERY_SECONDS = 0.1


def wait_for(
    what: str, look: Callable[[], _Value | None], *, seconds: float, every: float = _EVERY_SECONDS
) -> _Value:
    """Look again and again until there is something, and give it.

    Args:
        what: what is waited for, for the error.
        look: gives what is waited for; None, or something empty or false, while it is not there.
        seconds: the limit.
        every: so many seconds are between two looks.

    Raises:
        LocalError: it was not there in time.
    """
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() >= end:
            raise LocalError(f"after {seconds:g} seconds still waiting for {what}")
        time.sleep(every)
