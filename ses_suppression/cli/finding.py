"""What a check of `doctor` finds."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        check: what was looked at.
        state: how it is.
        found: what was found.
        advice: what to do about it; empty where there is nothing to do.
    """

    check: str
    state: State
    found: str
    advice: str = ""
