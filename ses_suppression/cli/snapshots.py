"""A list of millions: the list as a small file, and what a mailing would do."""

import csv
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from ses_suppression.cli.files import write_at_once, written_at_once
from ses_suppression.cli.listing import scan
from ses_suppression.cli.output import as_text
from ses_suppression.cli.parameters import AskedStream, AskedTenant
from ses_suppression.cli.session import Session
from ses_suppression.client.screening import Screening
from ses_suppression.errors import InvalidSnapshotError
from ses_suppression.lists.address_csv import UnknownListError, read_addresses
from ses_suppression.lists.exports import escaped
from ses_suppression.lists.preflight import PAUSE, REVIEW, Preflight, points_below, summary
from ses_suppression.lists.snapshot import FALSE_POSITIVE_RATE, Snapshot

if TYPE_CHECKING:
    import _csv

app = typer.Typer(no_args_is_help=True, help="The list as a small file, for lists of millions.")

TOO_MANY = 1
_AT_ONCE = 20_000
_CLOCKS = timedelta(minutes=5)  # so far clocks may differ
_WORST = 10
_COLUMNS = ("address", "stream", "reason", "rule", "since", "until")


@app.command()
def build(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="What to write.")],
    false_positive_rate: Annotated[
        float,
        typer.Option(min=1e-9, max=0.5, help="Of the others, the share that is asked about too."),
    ] = FALSE_POSITIVE_RATE,
) -> None:
    """Write who is held back as a small file, for `preflight` and apps. It reads the whole table.

    Example: `ses-suppression --env prod snapshot build prod.snapshot`
    """
    session: Session = context.obj
    now = session.now
    snapshot = Snapshot.of(
        scan(session),
        table_name=session.table_name,
        taken_at=now,
        false_positive_rate=false_positive_rate,
    )
    if session.incomplete:
        raise InvalidSnapshotError(
            "it would let through what could not be read: nothing is written"
        )
    content = snapshot.to_bytes()
    write_at_once(file, content)
    if session.out.as_json:
        session.out.emit(
            {
                "file": str(file),
                "taken_at": now,
                "addresses": snapshot.addresses,
                "bytes": len(content),
                "false_positive_rate": false_positive_rate,
            }
        )
    else:
        session.out.say(
            f"{file}: {snapshot.addresses:,} addresses that are held back, {len(content):,} bytes; "
            f"what happens after {as_text(now)} is not in it"
        )


def preflight(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help="One address a line, or CSV."
        ),
    ],
    snapshot: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, readable=True, help="Of `snapshot build`."),
    ],
    stream: AskedStream = None,
    tenant: AskedTenant = None,
    output: Annotated[
        Path | None, typer.Option(help="Where to write who is held back, as CSV.")
    ] = None,
) -> None:
    """Before a mailing: who of a list is held back, and will too many of the rest bounce?

    The exit status is 1 when so many are expected to bounce that AWS would review the account. The
    expectation is the share of the list's addresses, domain by domain, that have bounced already.

    Example: `ses-suppression --env prod preflight customers.csv --snapshot prod.snapshot`
    """
    session: Session = context.obj
    if output and output.resolve() in {file.resolve(), snapshot.resolve()}:
        raise typer.BadParameter("--output: it is a file that is read")
    taken = Snapshot.open(snapshot)
    if taken.age(session.now) < -_CLOCKS:
        raise InvalidSnapshotError(
            f"{snapshot}: it was taken at {as_text(taken.taken_at)}, which is yet to come: a clock "
            "is wrong, here or where it was made"
        )
    if taken.table_name != session.table_name:
        raise InvalidSnapshotError(
            f"{snapshot}: it was taken of the table {taken.table_name}, not of {session.table_name}"
        )
    found = Preflight()
    with (
        written_at_once(output) if output else nullcontext() as held_back,
        file.open(encoding="utf-8-sig", newline="") as lines,
        session.out.progress("screening") as advance,
    ):
        table = csv.writer(held_back, lineterminator="\n") if held_back else None
        if table:
            table.writerow(_COLUMNS)
        addresses = read_addresses(_utf8(lines, file))
        while block := list(islice(addresses, _AT_ONCE)):
            screening = taken.screen(block, session.suppressions, stream, tenant=tenant)
            found.add(screening)
            advance.by(len(block))
            if table:
                _write(table, screening)
    _tell(session, taken, found)
    if found.unknown:
        session.incomplete = True
        session.out.warn(f"DynamoDB did not answer for {found.unknown:,} addresses: run it again")
    if found.expected_share >= REVIEW:
        raise typer.Exit(TOO_MANY)


def _write(table: "_csv.Writer", screening: Screening) -> None:
    for address, one in screening.suppressed.items():
        cells = (address, one.stream, one.reason, one.rule, one.since, one.until)
        table.writerow(escaped(as_text(cell)) for cell in cells)


def _utf8(lines: IO[str], file: Path) -> Iterator[str]:
    try:
        for number, line in enumerate(lines, start=1):
            if "\0" in line:
                raise UnknownListError(
                    f"{file}: line {number:,} has a NUL byte: it is UTF-16, or no text; save it as "
                    "UTF-8 and run it again"
                )
            yield line
    except UnicodeDecodeError:
        raise UnknownListError(f"{file} is not UTF-8: save it as UTF-8 and run it again") from None


def _tell(session: Session, snapshot: Snapshot, found: Preflight) -> None:
    out, worst = session.out, found.domains()[:_WORST]
    age = snapshot.age(session.now)
    if out.as_json:
        domains = [
            {
                "domain": one.domain,
                "allowed": one.allowed,
                "bounced": one.bounced,
                "expected_share": round(one.share, 4),
            }
            for one in worst
        ]
        out.emit(
            {
                **summary(found),
                "domains": domains,
                "snapshot_taken_at": snapshot.taken_at,
                "snapshot_age_seconds": round(age.total_seconds()),
            }
        )
        return
    held_back = ", ".join(f"{number:,} {reason}" for reason, number in found.held_back.items())
    out.say(
        f"{found.allowed:,} may be mailed, {found.held_back.total():,} are held back"
        f"{f' ({held_back})' if held_back else ''}, {found.invalid:,} are no addresses"
    )
    out.say(
        f"by a snapshot of {as_text(snapshot.taken_at)}: whom a bounce or a complaint has added in "
        f"the {_hours(age)} since is not seen"
    )
    share = found.expected_share
    out.say(
        f"of those that may be mailed {share:.1%} are expected to bounce: "
        f"{_distance(share, REVIEW)} the {REVIEW:.0%} at which AWS reviews an account, "
        f"{_distance(share, PAUSE)} the {PAUSE:.0%} at which it may pause it"
    )
    out.table(
        [f"domain (the worst {_WORST})", "may be mailed", "bounced before", "expected to bounce"],
        ((one.domain, f"{one.allowed:,}", f"{one.bounced:,}", f"{one.share:.1%}") for one in worst),
    )


def _distance(share: float, line: float) -> str:
    points = points_below(share, line)
    return f"{abs(points):g} points {'below' if points > 0 else 'above'}"


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:,.1f} hours"
