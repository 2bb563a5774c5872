"""Move here from another service: read its export, keep its reasons and dates."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from ses_suppression.cli.files import count_lines, write_atomically
from ses_suppression.cli.parameters import report_failures
from ses_suppression.cli.session import Session
from ses_suppression.core import actions as operator_actions
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.record import Record
from ses_suppression.lists.csv_file import UnreadableFileError, escape_cell, read_lines
from ses_suppression.lists.exports import (
    Entry,
    RejectedRow,
    read_export,
)
from ses_suppression.operations.batches import ADDRESSES_A_BATCH, BatchWriter, plan

if TYPE_CHECKING:
    import _csv

_SHOWN = 5


def import_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The CSV export.")
    ],
    note: Annotated[str | None, typer.Option(help="Why, for whoever asks later.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is new, known and left out.")
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Where rows go that are left out; FILE.rejects.csv otherwise."),
    ] = None,
) -> None:
    """Take over the suppression list of another service: a CSV export, known by its header.

    SES, SendGrid, Mailgun, Mailchimp, Mandrill, Postmark, Postal, SparkPost, Brevo, Klaviyo,
    HubSpot, and `address,reason,since,until,stream,note`. After an interruption run it again: what
    is in is not written twice. A row without a readable date counts from the time of the file. The
    exit status is 1 when rows are left out: invalid addresses, temporary failures, holds that have
    ended.

    Example: `ses-suppression --env prod import bounces.csv --note "from SendGrid" --dry-run`
    """
    session: Session = context.obj
    rejects = rejects or file.with_name(f"{file.name}.rejects.csv")
    if rejects.resolve() == file.resolve():
        raise typer.BadParameter("--rejects: it is the file that is imported")
    undated, unreadable = _time_of(file, session.now), list[UnreadableFileError]()
    lines = _up_to_error(read_lines(file), unreadable)
    export = read_export(lines, now=session.now, undated=undated, policy=session.policy)
    what = _Import(session, export.format.name, note, undated, dry_run=dry_run)
    total = count_lines(file)
    with (
        _Rejects(rejects) as rejected,
        session.out.progress(f"importing {what.name}", total and total - 1) as advance,
    ):
        while batch := list(islice(export.rows, ADDRESSES_A_BATCH)):
            what.take(batch, rejected)
            advance.by(len(batch))
        what.rows_a_second = advance.rate
    what.tell(rejects)
    if unreadable:
        raise unreadable[0]
    report_failures(session, what.writer.failures)
    if what.left_out:
        raise typer.Exit(1)


def _up_to_error(lines: Iterator[str], errors: list[UnreadableFileError]) -> Iterator[str]:
    """Yield the lines before one that cannot be read: those are imported all the same."""
    yield from islice(lines, 1)  # without the header there is nothing to import
    try:
        yield from lines
    except UnreadableFileError as error:
        errors.append(error)


class _Import:
    """One run: what it found and did."""

    def __init__(
        self,
        session: Session,
        name: str,
        note: str | None,
        undated: datetime,
        *,
        dry_run: bool,
    ) -> None:
        self.name = name
        self.rows_a_second = 0.0
        self.writer = BatchWriter(session.store, session.policy)
        self._session = session
        self._by = session.caller
        self._note = note or f"import of {name}"
        self._undated = undated
        self._dry_run = dry_run
        self._counts: Counter[str] = Counter()
        self._unread: list[int] = []  # the lines of the rows with a date that was not taken over

    @property
    def left_out(self) -> int:
        """How many rows are in the file of rejects."""
        return self._counts["invalid"]

    def take(self, batch: Sequence[Entry | RejectedRow], rejected: "_Rejects") -> None:
        """Write the rows of a batch, or say what would be written; count what became of them."""
        evidence: dict[str, list[Evidence]] = {}
        for row in batch:
            if isinstance(row, RejectedRow):
                self._counts["invalid"] += 1
                rejected.write(row)
            else:
                evidence.setdefault(row.address, []).append(self._evidence(row))
                self._unread += [row.line] if row.unread else []
        changed = self._plan(evidence) if self._dry_run else self.writer.write(evidence)
        for address, pieces in evidence.items():
            if address in self.writer.failures:
                self._counts["failed"] += len(pieces)
            else:
                self._counts["new" if address in changed else "known"] += len(pieces)
        if evidence and evidence.keys() <= self.writer.failures.keys():
            # Nothing can be written: the rest would fare no better.
            report_failures(self._session, self.writer.failures)

    def _plan(self, evidence: Mapping[str, Sequence[Evidence]]) -> Mapping[str, Record]:
        planned = plan(evidence, store=self._session.store, policy=self._session.policy)
        report_failures(self._session, planned.failures)
        return planned.changed

    def _evidence(self, row: Entry) -> Evidence:
        return operator_actions.import_entry(
            address=row.address,
            reason=row.reason,
            by=self._by,
            note=operator_actions.cut(f"{self._note}: {row.note}") if row.note else self._note,
            at=row.at or self._undated,
            stream=row.stream,
            until=row.until,
        )

    def tell(self, rejects: Path) -> None:
        """Say what was found and done."""
        counts, out = self._counts, self._session.out
        document: dict[str, Any] = {
            "format": self.name,
            "dry_run": self._dry_run,
            **{name: counts[name] for name in ("new", "known", "invalid", "failed")},
            "rows_a_second": round(self.rows_a_second),
            "rejects": str(rejects) if self.left_out else None,
            "unread_dates": len(self._unread),
            "first_lines_of_unread_dates": self._unread[:_SHOWN],
        }
        if out.as_json:
            out.emit(document)
            return
        verb = "would be new" if self._dry_run else "new"
        out.say(
            f"{self.name}: {counts['new']:,} {verb}, {counts['known']:,} known, "
            f"{self.left_out:,} left out, {counts['failed']:,} failed; "
            f"{self.rows_a_second:,.0f} rows a second"
        )
        if self.left_out:
            out.say(f"the rows that are left out, with their reasons: {rejects}")
        if self._unread:
            lines = ", ".join(f"{line:,}" for line in self._unread[:_SHOWN])
            out.say(
                f"{len(self._unread):,} with a date that cannot be read, or in the future: they "
                f"count from the time of the file, {self._undated:%Y-%m-%d %H:%M} UTC, or have no "
                f"end; their notes name it (first lines: {lines})"
            )


def _time_of(file: Path, now: datetime) -> datetime:
    return min(datetime.fromtimestamp(int(file.stat().st_mtime), UTC), now)


class _Rejects:
    """The file of the rows that are left out; without any it is not written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = ExitStack()
        self._table: _csv.Writer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, traceback)

    def write(self, row: RejectedRow) -> None:
        """Add a row."""
        if self._table is None:
            file = self._opened.enter_context(write_atomically(self._path))
            self._table = csv.writer(file, lineterminator="\n")
            self._table.writerow(("line", "text", "problem"))
        self._table.writerow((row.line, escape_cell(row.text), row.problem))
