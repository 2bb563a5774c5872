"""What is claimed, what was seen, and the table of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from local.emulator import LocalError

_SAID = 400


class Outcome(StrEnum):
    """What became of a claim."""

    PROVEN = "proven"
    FAILED = "FAILED"
    NOT_HERE = "not proven here"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Seen:
    """A claim's outcome."""

    claim: str
    outcome: Outcome
    what: str
    seconds: float = 0.0


class Report:
    """Gathers outcomes, and tells of each when it is known.

    Args:
        console: where it is told.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: list[Seen] = []

    def prove(self, claim: str, look: Callable[[], str]) -> bool:
        """Look, and record what was seen.

        Args:
            claim: the sentence.
            look: returns what was seen; an error means that the claim does not hold.

        Returns:
            Whether it holds.
        """
        begun = time.monotonic()
        try:
            outcome, what = Outcome.PROVEN, look()
        except Exception as error:  # noqa: BLE001  # whatever it is, the removal has to go on
            is_sentence = isinstance(error, (LocalError, ClientError))
            what = str(error) if is_sentence else f"{type(error).__name__}: {error}"
            outcome = Outcome.FAILED
        self._add(Seen(claim, outcome, what, time.monotonic() - begun))
        return outcome is Outcome.PROVEN

    def not_here(self, claim: str, why: str) -> None:
        """Record a claim that only AWS can prove."""
        self._add(Seen(claim, Outcome.NOT_HERE, why))

    def not_reached(self, claim: str) -> None:
        """Record a claim that needs one which does not hold."""
        self._add(Seen(claim, Outcome.NOT_REACHED, ""))

    def _add(self, seen: Seen) -> None:
        self._seen.append(seen)
        self._console.print(f"{seen.outcome}: {seen.claim} ({seen.seconds:.0f} s)")
        if seen.outcome is Outcome.FAILED:
            self._console.print(seen.what)

    @property
    def holds(self) -> bool:
        """Whether nothing failed, and everything was reached."""
        return not {seen.outcome for seen in self._seen} & {Outcome.FAILED, Outcome.NOT_REACHED}

    def table(self) -> Table:
        """Return the table of all claims."""
        table = Table(title="What was proven", title_justify="left")
        table.add_column("claim")
        table.add_column("outcome", no_wrap=True)
        table.add_column("what was seen")
        table.add_column("took", justify="right", no_wrap=True)
        for seen in self._seen:
            what = seen.what if len(seen.what) <= _SAID else f"… {seen.what[-_SAID:]}"
            table.add_row(seen.claim, str(seen.outcome), what, f"{seen.seconds:.0f} s")
        return table
