"""The list as a whole: who is on it, how many, and all of it as a file."""

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ses_suppression.cli.files import write_atomically
from ses_suppression.cli.output import as_text, json_line, suppression_document
from ses_suppression.cli.parameters import moment, read_domain
from ses_suppression.cli.session import Session
from ses_suppression.core.address import domain_of
from ses_suppression.core.evidence import check_length
from ses_suppression.core.policy import Reason
from ses_suppression.core.record import Record
from ses_suppression.core.suppression import Suppression
from ses_suppression.lists.csv_file import escape_cell

_TOP = 10
_DAYS = 14
_BAR = 40


class State(StrEnum):
    """Which suppressions: those that hold mail back, those that have ended, or both."""

    ACTIVE = "active"
    EXPIRED = "expired"
    ALL = "all"


class Form(StrEnum):
    """The form of an export."""

    CSV = "csv"
    JSONL = "jsonl"


def scan(session: Session, what: str = "reading the table") -> Iterator[Record]:
    """Read the whole table; what cannot be read is told, left out, and makes the exit status 3."""
    with session.out.progress(what) as advance:
        for loaded in session.store.scan():
            yield from loaded.records.values()
            for address, error in loaded.failures.items():
                session.incomplete = True
                session.out.warn(f"{address} is left out: {error}; `erase` deletes the item")
            advance.by(len(loaded.records))


InState = Annotated[State, typer.Option(help="Those that hold mail back, or have ended.")]
Since = Annotated[
    datetime | None, typer.Option(parser=moment, help="Held back since then, or later.")
]
Before = Annotated[
    datetime | None, typer.Option(parser=moment, help="Held back since before then.")
]


def list_(
    context: typer.Context,
    reason: Annotated[Reason | None, typer.Option(help="Only this reason.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream; * is every stream.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only addresses at this domain.")] = None,
    since: Since = None,
    until: Before = None,
    sub_type: Annotated[
        str | None, typer.Option(help="Only bounces of this sub type, such as General.")
    ] = None,
    state: InState = State.ACTIVE,
) -> None:
    """Who is held back, and why? It reads the whole table.

    Example: `ses-suppression --env prod list --reason BOUNCE --domain example.com`
    """
    session: Session = context.obj
    now = session.now
    check_length(stream=stream)
    at_domain = read_domain(domain) if domain else None
    rows = (
        (record, one)
        for record in scan(session)
        for one in record.suppressions.values()
        if _in_state(one, state, now)
        and reason in {None, one.reason}
        and stream in {None, one.stream}
        and (at_domain is None or domain_of(record.address) == at_domain)
        and (since is None or one.since >= since)
        and (until is None or one.since < until)
        and (sub_type is None or sub_type == _sub_type(record, one))
    )
    for record, one in rows:
        if session.out.as_json:
            session.out.emit({"address": record.address} | suppression_document(one))
        else:
            end = f"until {one.until:%Y-%m-%d}" if one.until else "without end"
            where = "" if one.stream == "*" else f" on {one.stream}"
            since_when = f"since {one.since:%Y-%m-%d}"
            session.out.say(
                f"{record.address}  {one.reason} ({one.rule}){where} {since_when}, {end}"
            )


def _in_state(suppression: Suppression, state: State, now: datetime) -> bool:
    return state is State.ALL or suppression.holds_at(now) == (state is State.ACTIVE)


def _sub_type(record: Record, suppression: Suppression) -> str | None:
    return next(
        (one.bounce_sub_type for one in record.evidence if one.id == suppression.evidence_id), None
    )


def stats(context: typer.Context) -> None:
    """How many are held back: by reason, by domain, by day. It reads the whole table.

    Example: `ses-suppression --env prod stats`
    """
    session: Session = context.obj
    now = session.now
    records = 0
    reasons: Counter[str] = Counter()
    domains: Counter[str] = Counter()
    days: Counter[str] = Counter()
    for record in scan(session):
        records += 1
        for one in record.suppressions.values():
            if one.holds_at(now):
                reasons[one.reason] += 1
                domains[domain_of(record.address)] += 1
                days[f"{one.since:%Y-%m-%d}"] += 1
    last_days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(_DAYS)][::-1]
    by_day = {day: days[day] for day in last_days}
    if session.out.as_json:
        session.out.emit(
            {
                "records": records,
                "by_reason": dict(reasons.most_common()),
                "by_domain": dict(domains.most_common(_TOP)),
                "by_day": by_day,
            }
        )
        return
    session.out.say(f"{records:,} addresses with a record, {reasons.total():,} suppressions")
    session.out.say("")
    session.out.table(["reason", "suppressions"], _format_counts(reasons.most_common()))
    session.out.table(
        [f"domain (the first {_TOP})", "suppressions"], _format_counts(domains.most_common(_TOP))
    )
    most = max(by_day.values(), default=0) or 1
    session.out.table(
        ["held back since", "", ""],
        [(day, f"{number:,}", "█" * -(-number * _BAR // most)) for day, number in by_day.items()],
    )


def _format_counts(counts: list[tuple[str, int]]) -> list[tuple[str, str]]:
    return [(name, f"{number:,}") for name, number in counts]


COLUMNS = (
    "address",
    "stream",
    "reason",
    "rule",
    "origin",
    "since",
    "until",
    "certain",
    "evidence_id",
)


def export(
    context: typer.Context,
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.CSV,
    output: Annotated[
        Path | None, typer.Option(help="The file; without it, standard output.")
    ] = None,
    state: InState = State.ACTIVE,
) -> None:
    """Write the list as CSV or JSON lines; `import` reads the CSV again.

    A cell that a spreadsheet would take for a formula gets a ' before it.

    Example: `ses-suppression --env prod export --output suppressions.csv`
    """
    session: Session = context.obj
    now = session.now
    with write_atomically(output) if output else nullcontext(session.out) as file:
        table = csv.writer(file, lineterminator="\n")
        if form is Form.CSV:
            table.writerow(COLUMNS)
        for record in scan(session):
            for one in record.suppressions.values():
                if not _in_state(one, state, now):
                    continue
                document = {"address": record.address} | suppression_document(one)
                if form is Form.CSV:
                    table.writerow(escape_cell(as_text(document[name])) for name in COLUMNS)
                else:
                    file.write(json_line(document))
