"""Move here from another service: read its export, keep its reasons and dates."""

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Self

import typer

from ses_suppression import operator_actions
from ses_suppression.cli.parameters import ADDRESSES_A_BATCH, Writer, planned
from ses_suppression.cli.session import Session
from ses_suppression.evidence import Evidence
from ses_suppression.import_formats import (
    Entry,
    RejectedRow,
    UnknownFormatError,
    escaped,
    read_export,
)


def import_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The CSV export.")
    ],
    note: Annotated[str | None, typer.Option(help="Why, for whoever asks later.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what is new, known and invalid.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where invalid rows go; FILE.rejects.csv otherwise.")
    ] = None,
) -> None:
    """Take over the suppression list of another service: a CSV export, known by its header.

    SES, SendGrid, Mailgun, Postmark, Mailchimp, and `address,reason,since,until,stream,note`. After
    an interruption run it again: what is in is not written twice. A row without a date counts
    from the time of the file.

    Example: `ses-suppression --env prod import bounces.csv --note "from SendGrid" --dry-run`
    """
    session: Session = context.obj
    rejects = rejects or file.with_name(f"{file.name}.rejects.csv")
    without_date = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
    counts: Counter[str] = Counter()
    writer = Writer(session, session.policy)
    caller = session.caller
    with _text(file) as lines, _Rejects(rejects) as rejected:
        export = read_export(lines, now=session.now)
        total = _count_lines(file)
        with session.out.progress(f"importing {export.format.name}", total) as advance:
            for batch in _batches(export.rows):
                evidence: dict[str, list[Evidence]] = {}
                for row in batch:
                    if isinstance(row, RejectedRow):
                        counts["invalid"] += 1
                        rejected.write(row)
                        continue
                    why = note or f"import of {export.format.name}"
                    evidence.setdefault(row.address, []).append(
                        _imported(row, caller, why, without_date)
                    )
                changes = planned(session, evidence) if dry_run else writer.write(evidence)
                known = sum(len(found) for key, found in evidence.items() if key not in changes)
                counts["known"] += known
                counts["new"] += sum(map(len, evidence.values())) - known
                advance.by(len(batch))
            rate = advance.rate
    failed = len(writer.failures)
    counts["known"] -= failed
    document = {
        "format": export.format.name,
        "dry_run": dry_run,
        "new": counts["new"],
        "known": counts["known"],
        "invalid": counts["invalid"],
        "failed": failed,
        "rows_a_second": round(rate),
        "rejects": str(rejects) if counts["invalid"] else None,
    }
    if session.out.as_json:
        session.out.emit(document)
    else:
        verb = "would be new" if dry_run else "new"
        session.out.say(
            f"{export.format.name}: {counts['new']:,} {verb}, {counts['known']:,} known, "
            f"{counts['invalid']:,} invalid; {rate:,.0f} rows a second"
        )
        if counts["invalid"]:
            session.out.say(f"the invalid rows, with their reasons: {rejects}")
    writer.check()


@contextmanager
def _text(file: Path) -> Iterator[IO[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        try:
            yield lines
        except UnicodeDecodeError as error:
            raise UnknownFormatError(
                f"{file} is not UTF-8 at byte {error.start:,}: save it as UTF-8. "
                "What stands before it is done, and is not done twice"
            ) from None


def _imported(row: Entry, by: str, note: str, without_date: datetime) -> Evidence:
    return operator_actions.imported(
        address=row.address,
        reason=row.reason,
        by=by,
        note=f"{note}: {row.note}"[:_LONGEST_NOTE] if row.note else note,
        at=row.at or without_date,
        stream=row.stream,
        until=row.until,
    )


_LONGEST_NOTE = 256


def _batches(rows: Iterator[Entry | RejectedRow]) -> Iterator[list[Entry | RejectedRow]]:
    while batch := list(islice(rows, ADDRESSES_A_BATCH)):
        yield batch


def _count_lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines) - 1


class _Rejects:
    """The file of what could not be taken over; it is made when there is something to write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)  # of an earlier run
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def write(self, row: RejectedRow) -> None:
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file, lineterminator="\n").writerow(["line", "text", "problem"])
        csv.writer(self._file, lineterminator="\n").writerow(
            [row.line, escaped(row.text), row.problem]
        )
