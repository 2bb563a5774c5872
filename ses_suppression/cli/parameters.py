"""What several commands take and do alike."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from ses_suppression.cli.session import Session
from ses_suppression.core.address import domain_of, normalise
from ses_suppression.core.record import Record
from ses_suppression.errors import SESSuppressionError
from ses_suppression.operations.batches import load_all


def moment(text: str) -> datetime:
    """Read a date or a time in ISO 8601; without a zone it is UTC."""
    if isinstance(text, datetime):  # a default passes here too
        return text
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text} is no time in ISO 8601, such as 2026-11-24 or 2026-11-24T09:30Z"
        ) from None
    try:
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        raise typer.BadParameter(f"{text} lies beyond the end of time") from None


def read_domain(text: str) -> str:
    """Give a domain as it stands in addresses: lower case, as its A-label.

    Raises:
        InvalidAddressError: it is none.
    """
    return domain_of(normalise(f"x@{text.removeprefix('@')}"))


Address = Annotated[str, typer.Argument(help="The address, in any spelling.")]
Stream = Annotated[str | None, typer.Option(help="The stream of mail; without it, every stream.")]
AskedStream = Annotated[
    str | None,
    typer.Option(
        help="The stream of the mail; without it only what holds back every stream counts."
    ),
]
AskedTenant = Annotated[
    str | None, typer.Option(help="The tenant of SES in whose name the mail is sent.")
]
Note = Annotated[str, typer.Option(help="Why, for whoever asks later.")]
Apply = Annotated[bool, typer.Option("--apply", help="Write; without it, only say what would be.")]


def load(session: Session, address: str) -> Record:
    """Read all that is known about one address."""
    key = normalise(address)
    return load_all(session.store, [key])[key]


def report_failures(session: Session, failures: Mapping[str, SESSuppressionError]) -> None:
    """Name the addresses with which something went wrong, and end with the first reason."""
    for address, error in islice(failures.items(), _SHOWN):
        session.out.warn(f"{address}: {error}")
    if len(failures) > _SHOWN:
        session.out.warn(f"and {len(failures) - _SHOWN:,} more")
    if failures:
        session.out.warn("what was not done can be run again: what was done stays as it is")
        raise next(iter(failures.values()))


_SHOWN = 5
