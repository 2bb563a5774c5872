"""The suppression lists that other mail services export as CSV, recognised by their header.

Reasons and dates are kept. A temporary failure is no reason to hold anybody back, so those rows are
left out, with that reason.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import chain
from typing import Protocol

from ses_suppression.address import normalise
from ses_suppression.errors import InvalidAddressError, SESSuppressionError
from ses_suppression.evidence import EVERY_STREAM
from ses_suppression.policy import Reason

_DIGITS_OF_A_DATE = len("20261124")
_MILLISECONDS = 10**11  # seconds would be the year 5138
DELIMITERS = ",;\t"
_LINES_A_ROW = 20


class UnknownFormatError(SESSuppressionError, ValueError):
    """The file is none of the known exports. The message names its header and the known ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of another list.

    Attributes:
        line: where it stands, from 1.
        address: normalised.
        reason: why mail was held back there.
        at: since when, UTC; None: the row does not say.
        until: when it ends, UTC; None: no end.
        stream: the stream of mail; None: every stream.
        note: what the row says beside that.
    """

    line: int
    address: str
    reason: Reason
    at: datetime | None
    until: datetime | None = None
    stream: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that cannot be taken over: where it stands, what it says, why not."""

    line: int
    text: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The export of one service.

    Attributes:
        name: what it is.
        header: the columns by which it is known, in lower case.
        address: the column of the address.
        at: the columns of the date, the first that is there.
        reason: what all rows have; None: the column `reasons_in` says.
        reasons_in: the column of the reason.
        status: the column of an SMTP or an enhanced status code.
        notes: the columns that are kept as a note.
    """

    name: str
    header: frozenset[str]
    address: str
    at: tuple[str, ...]
    reason: Reason | None = None
    reasons_in: str = ""
    status: str = ""
    notes: tuple[str, ...] = ()


REASONS: Mapping[str, Reason] = {
    "bounce": Reason.BOUNCE,
    "hardbounce": Reason.BOUNCE,
    "complaint": Reason.COMPLAINT,
    "spamcomplaint": Reason.COMPLAINT,
    "manual": Reason.MANUAL,
    "manualsuppression": Reason.MANUAL,
    "unsubscribe": Reason.MANUAL,
}
"""The reasons that services write, in lower case."""


def _format(name: str, header: str, address: str, *at: str, **more: object) -> Format:
    values: dict[str, object] = {"header": frozenset(header.split(",")), **more}
    return Format(name=name, address=address, at=at, **values)  # type: ignore[arg-type]


FORMATS: Sequence[Format] = (
    _format(
        "SES account-level list",
        "emailaddress,reason",
        "emailaddress",
        "lastupdatetime",
        reasons_in="reason",
    ),
    _format(
        "Postmark",
        "emailaddress,suppressionreason",
        "emailaddress",
        "createdat",
        reasons_in="suppressionreason",
        notes=("origin",),
    ),
    _format(
        "SendGrid bounces, blocks or invalid addresses",
        "email,reason,created",
        "email",
        "created",
        reason=Reason.BOUNCE,
        status="status",
        notes=("reason",),
    ),
    _format(
        "SendGrid spam reports", "email,ip,created", "email", "created", reason=Reason.COMPLAINT
    ),
    _format("SendGrid unsubscribes", "email,created", "email", "created", reason=Reason.MANUAL),
    _format(
        "Mailgun bounces",
        "address,code,error",
        "address",
        "created_at",
        reason=Reason.BOUNCE,
        status="code",
        notes=("error",),
    ),
    _format(
        "Mailgun unsubscribes",
        "address,tags",
        "address",
        "created_at",
        reason=Reason.MANUAL,
        notes=("tags",),
    ),
    _format(
        "Mailgun complaints", "address,created_at", "address", "created_at", reason=Reason.COMPLAINT
    ),
    _format(
        "Mailchimp cleaned contacts",
        "email address,clean_time",
        "email address",
        "clean_time",
        reason=Reason.BOUNCE,
        notes=("clean_campaign_title",),
    ),
    _format(
        "Mailchimp unsubscribed contacts",
        "email address,unsub_time",
        "email address",
        "unsub_time",
        reason=Reason.MANUAL,
        notes=("unsub_reason",),
    ),
    _format(
        "generic, with email",
        "email",
        "email",
        "since",
        "date",
        "at",
        reasons_in="reason",
        notes=("note",),
    ),
    _format(
        "generic, with address",
        "address",
        "address",
        "since",
        "date",
        "at",
        reasons_in="reason",
        notes=("note",),
    ),
)
"""From the most to the least demanding: the first whose columns are all there is meant. Beside a
column `email`, one called `address` is where somebody lives."""

SES_BULK = Format(
    name="SES bulk import, without a header",
    header=frozenset(),
    address="emailaddress",
    at=(),
    reasons_in="reason",
)
"""Two columns, address and reason ("Using the account-level suppression list", SES guide)."""


@dataclass(frozen=True, slots=True)
class Export:
    """A recognised export: its form, and its rows, read one by one."""

    format: Format
    rows: Iterator[Entry | RejectedRow] = field(repr=False)


def read_export(lines: Iterable[str], *, now: datetime) -> Export:
    """Recognise an export by its header, and read its rows.

    Args:
        lines: of the file, as text.
        now: UTC; nothing is held back since later than that.

    Raises:
        UnknownFormatError: it has no rows, or a header that is not known.

    >>> lines = ["email,created", "Jane@Example.com,1767225600"]
    >>> export = read_export(lines, now=datetime(2026, 11, 24, tzinfo=UTC))
    >>> export.format.name, [row.address for row in export.rows]
    ('SendGrid unsubscribes', ['jane@example.com'])
    """
    lines = iter(lines)
    before, first = next(
        ((number, line) for number, line in enumerate(lines, start=1) if line.strip()), (0, "")
    )
    first = first.removeprefix("\ufeff")
    delimiter = max(DELIMITERS, key=first.count)
    header = [cell.lower() for cell in _cells(first, delimiter)]
    if _is_ses_bulk(header):
        header, form = ["emailaddress", "reason"], SES_BULK
        before, lines = before - 1, chain([first], lines)
    else:
        form = _recognised(header)
    return Export(
        form,
        _rows(
            form,
            header,
            csv.reader(lines, delimiter=delimiter, strict=True),
            before=before,
            now=now,
        ),
    )


def _is_ses_bulk(cells: Sequence[str]) -> bool:
    match cells:
        case [address, "bounce" | "complaint"]:
            return "@" in address
        case _:
            return False


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _recognised(header: Sequence[str]) -> Format:
    for form in FORMATS:
        if form.header <= set(header):
            if header.count(form.address) > 1:
                raise UnknownFormatError(
                    f"several columns are called {form.address}: rename all but that of the "
                    "addresses"
                )
            return form
    known = "\n".join(f"  {form.name}: {', '.join(sorted(form.header))}" for form in FORMATS)
    found = ", ".join(header)[:200] or "nothing"
    raise UnknownFormatError(
        f"the header is none of the known ones; found: {found}. There has to be:\n{known}\n"
        f"  {SES_BULK.name}: address, BOUNCE or COMPLAINT"
    )


class _Reader(Protocol):
    """What `csv.reader` gives."""

    line_num: int

    def __next__(self) -> list[str]: ...


def _rows(
    form: Format, header: Sequence[str], reader: "_Reader", *, before: int, now: datetime
) -> Iterator[Entry | RejectedRow]:
    while True:
        first = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # such as a quote that is not closed
            yield RejectedRow(first, "", f"not CSV up to line {before + reader.line_num}: {error}")
            continue
        last = before + reader.line_num
        if last - first >= _LINES_A_ROW:
            problem = f"the lines up to {last} are one row: a quote is not closed"
            yield RejectedRow(first, "", problem)
        elif any(cell.strip() for cell in cells):
            row = dict(zip(header, (unescaped(cell.strip()) for cell in cells), strict=False))
            yield _entry(form, first, row, now)


def _entry(form: Format, line: int, row: Mapping[str, str], now: datetime) -> Entry | RejectedRow:
    text = row.get(form.address, "")
    try:
        address = normalise(text)
        reason = _reason(form, row)
        if form.status:
            _check_status(row.get(form.status, ""))
        at = _moment(next(filter(None, (row.get(name) for name in form.at)), ""))
        until = _moment(row.get("until", ""))
    except (InvalidAddressError, _RowError) as error:
        return RejectedRow(line, text, str(error))
    if at is not None and at > now:
        return RejectedRow(line, text, "its date lies in the future")
    if until is not None and until <= max(at or now, now):
        return RejectedRow(line, text, "it has ended already")
    stream = row.get("stream") or EVERY_STREAM
    return Entry(
        line=line,
        address=address,
        reason=reason,
        at=at,
        until=until,
        stream=None if stream == EVERY_STREAM else stream,
        note=" ".join(filter(None, (row.get(name) for name in form.notes))),
    )


class _RowError(ValueError):
    pass


def _reason(form: Format, row: Mapping[str, str]) -> Reason:
    text = row.get(form.reasons_in or "reason", "")
    reason = REASONS.get(text.lower().replace(" ", "").replace("_", ""))
    if form.reason:
        return reason or form.reason  # a column of that name may be somebody's own
    if not text:
        return Reason.MANUAL
    if reason is None:
        raise _RowError(f"the reason {text[:40]!r} is not known; there are {', '.join(REASONS)}")
    return reason


def _check_status(status: str) -> None:
    if status.startswith("4"):
        raise _RowError(f"a temporary failure ({status[:20]}) holds nobody back")


def _moment(text: str) -> datetime | None:
    """Read a date in any of the services' forms; without a zone it is taken for UTC."""
    if not text:
        return None
    try:
        if text.isdecimal() and len(text) > _DIGITS_OF_A_DATE:
            number = int(text)
            return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS else number, UTC)
        try:
            moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        except ValueError:
            moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        raise _RowError(f"the date {text[:40]!r} is not one") from None


_FORMULA = frozenset("=+-@\t\r")
_ESCAPED = re.compile("'+[=+@\t\r-]")


def escaped(cell: str) -> str:
    """Write a cell so that no spreadsheet takes it for a formula.

    >>> escaped("+jane@example.com"), unescaped("'+jane@example.com")
    ("'+jane@example.com", '+jane@example.com')
    """
    return f"'{cell}" if cell[:1] in _FORMULA or _ESCAPED.match(cell) else cell


def unescaped(cell: str) -> str:
    """Take back what `escaped` did."""
    return cell[1:] if _ESCAPED.match(cell) else cell
