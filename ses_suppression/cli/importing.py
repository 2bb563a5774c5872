"""Move here from another service: read its export, keep its reasons and dates."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ses_suppression.cli.files import count_lines, write_atomically
from ses_suppression.cli.parameters import report_failures
from ses_suppression.cli.session import Session
from ses_suppression.core import actions as operator_actions
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.record import Record
from ses_suppression.lists.csv_file import UnreadableFileError, escape_cell, read_lines
from ses_suppression.lists.exports import Entry, RejectedRow, read_export
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
    unreadable: list[UnreadableFileError] = []
    undated = min(datetime.fromtimestamp(int(file.stat().st_mtime), UTC), session.now)
    lines = _up_to_error(read_lines(file), unreadable)
    export = read_export(lines, now=session.now, undated=undated, policy=session.policy)
    name = export.format.name
    what = _Import(session, name, note or f"import of {name}", undated, dry_run)
    total = count_lines(file)
    with (
        _writing_rejects(rejects) as reject,
        session.out.progress(f"importing {name}", total and total - 1) as advance,
    ):
        while batch := list(islice(export.rows, ADDRESSES_A_BATCH)):
            what.take(batch, reject)
            advance.by(len(batch))
        what.rows_a_second = advance.rate
    what.tell(rejects)
    if unreadable:
        raise unreadable[0]
    report_failures(session, what.writer.failures)
    if what.counts["invalid"]:
        raise typer.Exit(1)


def _up_to_error(lines: Iterator[str], errors: list[UnreadableFileError]) -> Iterator[str]:
    """Yield the lines before one that cannot be read: those are imported all the same."""
    yield from islice(lines, 1)  # without the header there is nothing to import
    try:
        yield from lines
    except UnreadableFileError as error:
        errors.append(error)


@dataclass
class _Import:
    """One run: what it found and did.

    Attributes:
        undated: from when a row without a date counts, UTC.
        unread: the lines of the rows with a date that was not taken over.
    """

    session: Session
    name: str
    note: str
    undated: datetime
    dry_run: bool
    rows_a_second: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    unread: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writer = BatchWriter(self.session.store, self.session.policy)
        self.by = self.session.caller

    def take(
        self, batch: Sequence[Entry | RejectedRow], reject: Callable[[RejectedRow], None]
    ) -> None:
        """Write the rows of a batch, or say what would be written; count what became of them."""
        evidence: dict[str, list[Evidence]] = {}
        for row in batch:
            if isinstance(row, RejectedRow):
                self.counts["invalid"] += 1
                reject(row)
            else:
                evidence.setdefault(row.address, []).append(self._evidence(row))
                self.unread += [row.line] if row.unread else []
        changed = self._plan(evidence) if self.dry_run else self.writer.write(evidence)
        for address, pieces in evidence.items():
            if address in self.writer.failures:
                self.counts["failed"] += len(pieces)
            else:
                self.counts["new" if address in changed else "known"] += len(pieces)
        if evidence and evidence.keys() <= self.writer.failures.keys():
            # Nothing can be written: the rest would fare no better.
            report_failures(self.session, self.writer.failures)

    def _plan(self, evidence: Mapping[str, Sequence[Evidence]]) -> Mapping[str, Record]:
        planned = plan(evidence, store=self.session.store, policy=self.session.policy)
        report_failures(self.session, planned.failures)
        return planned.changed

    def _evidence(self, row: Entry) -> Evidence:
        return operator_actions.import_entry(
            address=row.address,
            reason=row.reason,
            by=self.by,
            note=operator_actions.cut(f"{self.note}: {row.note}") if row.note else self.note,
            at=row.at or self.undated,
            stream=row.stream,
            until=row.until,
        )

    def tell(self, rejects: Path) -> None:
        """Say what was found and done."""
        counts, out = self.counts, self.session.out
        document: dict[str, Any] = {
            "format": self.name,
            "dry_run": self.dry_run,
            **{name: counts[name] for name in ("new", "known", "invalid", "failed")},
            "rows_a_second": round(self.rows_a_second),
            "rejects": str(rejects) if counts["invalid"] else None,
            "unread_dates": len(self.unread),
            "first_lines_of_unread_dates": self.unread[:_SHOWN],
        }
        if out.as_json:
            out.emit(document)
            return
        verb = "would be new" if self.dry_run else "new"
        out.say(
            f"{self.name}: {counts['new']:,} {verb}, {counts['known']:,} known, "
            f"{counts['invalid']:,} left out, {counts['failed']:,} failed; "
            f"{self.rows_a_second:,.0f} rows a second"
        )
        if counts["invalid"]:
            out.say(f"the rows that are left out, with their reasons: {rejects}")
        if self.unread:
            lines = ", ".join(f"{line:,}" for line in self.unread[:_SHOWN])
            out.say(
                f"{len(self.unread):,} with a date that cannot be read, or in the future: they "
                f"count from the time of the file, {self.undated:%Y-%m-%d %H:%M} UTC, or have no "
                f"end; their notes name it (first lines: {lines})"
            )


@contextmanager
def _writing_rejects(path: Path) -> Iterator[Callable[[RejectedRow], None]]:
    """Yield what writes a row that is left out; without any the file is not written."""
    tables: list[_csv.Writer] = []

    def write(row: RejectedRow) -> None:
        if not tables:
            file = opened.enter_context(write_atomically(path))
            tables.append(csv.writer(file, lineterminator="\n"))
            tables[0].writerow(("line", "text", "problem"))
        tables[0].writerow((row.line, escape_cell(row.text), row.problem))

    with ExitStack() as opened:
        yield write
