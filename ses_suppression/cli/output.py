"""What a command says: a table for a person, or JSON for a script.

All output of a command goes through `Output`. Its texts may be a stranger's: a diagnostic, a tag, a
note, a file's name. Such a text never moves the cursor, forges a line or is markup.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from ses_suppression.core.suppression import Suppression

_Item = TypeVar("_Item")
_PIPE_WIDTH = 200  # a file or a pipe has no width: let nothing be cut there


def _console(*, stderr: bool = False) -> Console:
    # Nothing in a text of a stranger is markup, or the name of a picture.
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


@dataclass
class Output:
    """Standard output, as text or as JSON lines; warnings and errors go to standard error.

    Attributes:
        as_json: one JSON document a line, with stable keys.
    """

    as_json: bool = False
    console: Console = field(default_factory=_console)
    errors: Console = field(default_factory=lambda: _console(stderr=True))

    def emit(self, document: Mapping[str, Any]) -> None:
        """Write a JSON document on a line of its own."""
        self.console.file.write(json_line(document))

    def say(self, text: str) -> None:
        """Write a line."""
        _print(self.console, text)

    def write(self, text: str) -> None:
        """Write a row for another program as it is; in a terminal, as `say` does."""
        if self.console.is_terminal:
            self.say(text.removesuffix("\n"))
        else:
            self.console.file.write(text)

    def warn(self, text: str) -> None:
        """Write a warning."""
        _print(self.errors, f"warning: {text}", style="yellow")

    def fail(self, text: str, details: Iterable[str] = ()) -> None:
        """Write an error, and a line for each of its details."""
        _print(self.errors, f"error: {text}")
        for detail in details:
            _print(self.errors, f"  {detail}")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a table; nothing when it has no rows."""
        table = Table(*map(printable, columns), box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(printable(as_text(cell)) for cell in row))
        if table.row_count:
            self.console.print(table)

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator["Advance"]:
        """Show how far it is, at which rate and for how long still, while a person watches."""
        columns = [TextColumn("{task.description}", markup=False), BarColumn()]
        columns += [MofNCompleteColumn()]
        columns += [TextColumn("{task.fields[rate]}"), TimeElapsedColumn()]
        columns += [TaskProgressColumn(), TimeRemainingColumn()] if total else []
        with Progress(
            *columns,
            console=self.errors,
            transient=True,
            disable=not self.errors.is_terminal,
            redirect_stdout=False,  # what is written there is for a file, or for another program
            redirect_stderr=False,
        ) as progress:
            yield Advance(progress, progress.add_task(printable(what), total=total, rate=""))

    def track(self, what: str, items: Iterable[_Item], total: int | None = None) -> Iterator[_Item]:
        """Yield items, and show the progress; the total is that of a list, unless it is given."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        with self.progress(what, total) as advance:
            for item in items:
                yield item
                advance.by(1)


@dataclass
class Advance:
    """How far a command is."""

    progress: Progress
    task: Any
    done: int = 0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def by(self, number: int) -> None:
        """Go on by so many."""
        self.done += number
        self.progress.update(self.task, advance=number, rate=f"{self.rate:,.0f} a second")

    @property
    def rate(self) -> float:
        """How many a second so far."""
        seconds = (datetime.now(UTC) - self.began).total_seconds()
        return self.done / seconds if seconds else 0.0


def json_line(document: Mapping[str, Any]) -> str:
    """Write a document as one line of JSON; times are ISO 8601 in UTC."""
    return json.dumps(document, default=as_text) + "\n"


def _print(console: Console, text: str, *, style: str | None = None) -> None:
    console.print(printable(text), style=style, soft_wrap=True)


def printable(text: str) -> str:
    r"""Write as an escape whatever ends a line, moves the cursor, or hides or reorders text.

    >>> print(printable("550 \x1b[2J no such\nuser"))
    550 \x1b[2J no such\nuser
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def suppression_document(suppression: Suppression) -> dict[str, Any]:
    """Give a suppression as plain data, with the keys of the table's item."""
    return asdict(suppression)


def as_text(value: object) -> str:
    """Write a value as a person and a script read it; times are ISO 8601 in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return "" if value is None else str(value)
