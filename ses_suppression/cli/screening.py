"""A list, before it is mailed: who may be mailed, and what the mailing would do."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from ses_suppression.cli.files import count_lines, write_atomically
from ses_suppression.cli.output import Advance, as_text
from ses_suppression.cli.parameters import AskedStream, AskedTenant
from ses_suppression.cli.session import Session
from ses_suppression.client.screening import Screening
from ses_suppression.client.suppression_list import BLOCK
from ses_suppression.errors import StoreUnavailableError
from ses_suppression.lists.address_csv import read_addresses
from ses_suppression.lists.csv_file import escape_cell, read_lines
from ses_suppression.lists.preflight import PAUSE, REVIEW, Preflight, points_below, summary

TOO_MANY = 1
_WORST = 10
_COLUMNS = ("address", "stream", "reason", "rule", "since", "until")

ListFile = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, readable=True, help="One address a line, or CSV."),
]


def screen(
    context: typer.Context,
    file: ListFile,
    output: Annotated[Path, typer.Option(help="Where to write who may be mailed, one a line.")],
    held_back: Annotated[
        Path | None, typer.Option(help="Where to write everybody else, with why, as CSV.")
    ] = None,
    stream: AskedStream = None,
    tenant: AskedTenant = None,
) -> None:
    """Who of a list may be mailed, and who not?

    An address about which DynamoDB did not answer is not among those that may be mailed; the exit
    status is 3 then.

    Example: `ses-suppression --env prod screen customers.csv --output allowed.txt`
    """
    session: Session = context.obj
    outputs = [path for path in (output, held_back) if path]
    if file.resolve() in {path.resolve() for path in outputs}:
        raise typer.BadParameter("--output, --held-back: it is the file that is read")
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise typer.BadParameter("--held-back: it is the file of --output")
    found, rate = Preflight(), 0.0
    with ExitStack() as files:
        allowed = files.enter_context(write_atomically(output))
        others = files.enter_context(write_atomically(held_back)) if held_back else None
        table = csv.writer(others, lineterminator="\n") if others else None
        if table:
            table.writerow(_COLUMNS)
        screenings, advance = files.enter_context(_screenings(session, file, stream, tenant))
        for screening in screenings:
            found.add(screening)
            allowed.writelines(f"{address.strip()}\n" for address in screening.allowed)
            if table:
                rows = (map(escape_cell, map(as_text, row)) for row in _others(screening))
                table.writerows(rows)
        rate = advance.rate
    if session.out.as_json:
        counts = {name: summary(found)[name] for name in _COUNTS}
        session.out.emit({**counts, "addresses_a_second": round(rate)})
    else:
        _say_counts(session, found)
        session.out.say(f"{output}: those that may be mailed; {rate:,.0f} addresses a second")
    _warn_of_unknown(session, found)


_COUNTS = ("allowed", "held_back", "invalid", "unknown")


def _others(screening: Screening) -> Iterator[tuple[object, ...]]:
    for address, one in screening.suppressed.items():
        yield address, one.stream, one.reason, one.rule, one.since, one.until
    for reason, texts in (("INVALID", screening.invalid), ("UNKNOWN", screening.unknown)):
        for text in texts:
            yield text, "", reason, "", "", ""


def preflight(
    context: typer.Context, file: ListFile, stream: AskedStream = None, tenant: AskedTenant = None
) -> None:
    """Before a mailing: how many of a list are held back, and will too many of the rest bounce?

    The exit status is 1 when so many are expected to bounce that AWS would review the account. The
    expectation is the share of the list's addresses, domain by domain, that have bounced already.

    Example: `ses-suppression --env prod preflight customers.csv`
    """
    session: Session = context.obj
    found = Preflight()
    with _screenings(session, file, stream, tenant) as (screenings, _):
        for screening in screenings:
            found.add(screening)
    _tell(session, found)
    _warn_of_unknown(session, found)
    if found.expected_share >= REVIEW:
        raise typer.Exit(TOO_MANY)


@contextmanager
def _screenings(
    session: Session, file: Path, stream: str | None, tenant: str | None
) -> Iterator[tuple[Iterator[Screening], Advance]]:
    """Screen the addresses of a file, and show how far it is."""
    total = count_lines(file)
    with session.out.progress("screening", total) as advance:
        addresses = _count(read_addresses(read_lines(file)), advance)
        screenings = session.suppressions.iter_screen(addresses, stream, tenant=tenant)
        yield map(_check, screenings), advance


def _check(screening: Screening) -> Screening:
    """Raise what no other run would change, such as a missing table, at once."""
    for error in screening.unknown.values():
        if isinstance(error, StoreUnavailableError) and error.is_permanent:
            raise error
    return screening


def _count(addresses: Iterable[str], advance: Advance) -> Iterator[str]:
    remaining = iter(addresses)
    while block := list(islice(remaining, BLOCK)):
        yield from block
        advance.by(len(block))


def _say_counts(session: Session, found: Preflight) -> None:
    held_back = ", ".join(f"{number:,} {reason}" for reason, number in found.held_back.items())
    session.out.say(
        f"{found.allowed:,} may be mailed, {found.held_back.total():,} are held back"
        f"{f' ({held_back})' if held_back else ''}, {found.invalid:,} are no addresses"
    )


def _warn_of_unknown(session: Session, found: Preflight) -> None:
    if found.unknown:
        session.incomplete = True
        session.out.warn(f"DynamoDB did not answer for {found.unknown:,} addresses: run it again")


def _tell(session: Session, found: Preflight) -> None:
    out, worst = session.out, found.domains()[:_WORST]
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
        out.emit({**summary(found), "domains": domains})
        return
    _say_counts(session, found)
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
