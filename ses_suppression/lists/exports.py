"""The suppression lists that other mail services export as CSV, recognised by their header.

Reasons and dates are kept. Where a row has the reply of a server, the reply decides, as it does for
a bounce of SES. A temporary failure is left out, with that reason. A word or a date that is not
understood never loses the address.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ses_suppression.core.address import normalise
from ses_suppression.core.evidence import EVERY_STREAM, TENANT_PREFIX, is_stream
from ses_suppression.core.notification import LONGEST_STREAM
from ses_suppression.core.policy import CONSEQUENCES, NoEffect, Policy, Reason, Suppress
from ses_suppression.core.rules import Rule
from ses_suppression.core.untrusted_text import kept_diagnostic
from ses_suppression.errors import InvalidAddressError, SESSuppressionError
from ses_suppression.lists.csv_file import CSVFile, CSVRow, unescape_cell
from ses_suppression.lists.import_cells import (
    has_code,
    moment,
    rule_of_reply,
    rule_of_word,
    temporary_code,
)
from ses_suppression.lists.import_services import FORMATS, SES_BULK, Format

_LINES_A_ROW = 20
_LONGEST_REMARK = 40


class UnknownFormatError(SESSuppressionError, ValueError):
    """The file is none of the known exports. The message names its header, the notes the known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of another list.

    Attributes:
        line: where it stands, from 1.
        address: normalised.
        reason: why mail was held back there.
        at: since when, UTC; None: the row has no date that can be read and has passed.
        until: when it ends, UTC; None: no end.
        stream: the stream of mail; None: every stream.
        note: the remarks, and the columns that are kept.
        unread: which of its dates were not taken over, and why.
    """

    line: int
    address: str
    reason: Reason
    at: datetime | None
    until: datetime | None = None
    stream: str | None = None
    note: str = ""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that cannot be taken over: where it stands, what it says, why not."""

    line: int
    text: str
    problem: str


@dataclass(frozen=True, slots=True)
class Export:
    """A recognised export: its form, and its rows, read one by one."""

    format: Format
    rows: Iterator[Entry | RejectedRow] = field(repr=False)


def read_export(
    lines: Iterable[str], *, now: datetime, undated: datetime, policy: Policy
) -> Export:
    """Recognise an export by its header, and read its rows.

    Args:
        lines: of the file, as text.
        now: UTC; nothing is held back since later than that.
        undated: UTC; from when a row without a date counts. A block ends some days after.
        policy: how long a block holds mail back.

    Raises:
        UnknownFormatError: it has no rows, or a header that is not known.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 24, tzinfo=UTC)
    >>> lines = ["email,created", "Jane@Example.com,1767225600"]
    >>> export = read_export(lines, now=now, undated=now, policy=Policy())
    >>> export.format.name, [row.address for row in export.rows]
    ('SendGrid unsubscribes', ['jane@example.com'])
    """
    file = CSVFile(lines)
    header = [cell.lower() for cell in file.header]
    if _is_ses_bulk(header):
        columns = ["emailaddress", "reason"]
        rows = _rows(columns, file.rows(has_header=False), _Terms(SES_BULK, now, undated, policy))
        return Export(SES_BULK, rows)
    form = _recognise(header)
    return Export(form, _rows(header, file.rows(), _Terms(form, now, undated, policy)))


def _is_ses_bulk(cells: Sequence[str]) -> bool:
    match cells:
        case [address, "bounce" | "complaint"]:
            return "@" in address
        case _:
            return False


def _recognise(header: Sequence[str]) -> Format:
    for form in FORMATS:
        if form.header <= set(header):
            if header.count(form.address) > 1:
                raise UnknownFormatError(
                    f"several columns are called {form.address}: rename all but that of the "
                    "addresses"
                )
            return form
    found = kept_diagnostic(", ".join(header)) or "nothing"  # a list without one has an address
    error = UnknownFormatError(
        f"the header is none of the known ones; found: {found}. There has to be:"
    )
    for form in FORMATS:
        error.add_note(f"{form.name}: {', '.join(sorted(form.header))}")
    error.add_note(f"{SES_BULK.name}: address, BOUNCE or COMPLAINT")
    raise error


def _rows(
    header: Sequence[str], rows: Iterable[CSVRow], terms: "_Terms"
) -> Iterator[Entry | RejectedRow]:
    for row in rows:
        if row.problem:
            yield RejectedRow(row.first, "", f"not CSV up to line {row.last}: {row.problem}")
        elif row.last - row.first >= _LINES_A_ROW:
            problem = f"the lines up to {row.last} are one row: a quote is not closed"
            yield RejectedRow(row.first, "", problem)
        elif any(map(_is_address, row.cells[len(header) :])):  # whose commas are not quoted
            yield RejectedRow(row.first, ",".join(row.cells), "the row names several mailboxes")
        elif any(cell.strip() for cell in row.cells):
            named = zip(header, row.cells, strict=False)
            cells = {name: unescape_cell(cell.strip()) for name, cell in named if name}
            yield terms.take_over(row.first, cells)


def _is_address(cell: str) -> bool:
    try:
        normalise(cell)
    except InvalidAddressError:
        return False
    return True


class _LeftOutError(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class _Terms:
    """On which terms a row is taken over: see `read_export`."""

    form: Format
    now: datetime
    undated: datetime
    policy: Policy

    def take_over(self, line: int, row: Mapping[str, str]) -> Entry | RejectedRow:
        text = row.get(self.form.address, "")
        try:
            return self._entry(line, normalise(text), row)
        except (InvalidAddressError, _LeftOutError) as error:
            return RejectedRow(line, text, str(error))

    def _entry(self, line: int, address: str, row: Mapping[str, str]) -> Entry:
        form, unread = self.form, list[str]()
        at = _date(next(filter(None, map(row.get, form.at)), ""), unread)
        if at is not None and at > self.now:
            unread.append(f"date in the future: {at:%Y-%m-%d %H:%M}")
            at = None
        until = _date(row.get(form.until, ""), unread)
        if until is not None and until <= self.now:
            raise _LeftOutError("`until` has passed")
        reason, end = self._reason_and_end(_rule(form, row), at or self.undated)
        stream = row.get("stream") or EVERY_STREAM
        if stream.startswith(TENANT_PREFIX):
            raise _LeftOutError("a hold of a tenant's mail is SES's: it is on the tenant's list")
        if stream != EVERY_STREAM and not is_stream(stream):
            raise _LeftOutError(f"stream: at most {LONGEST_STREAM} characters")
        return Entry(
            line=line,
            address=address,
            reason=reason,
            at=at,
            until=until or end,
            stream=None if stream == EVERY_STREAM else stream,
            note=_note(form, row, unread),
            unread=tuple(unread),
        )

    def _reason_and_end(self, rule: Rule, since: datetime) -> tuple[Reason, datetime | None]:
        match CONSEQUENCES[rule]:
            case Suppress(reason=Reason() as reason, days=None) if rule in _TAKEN_OVER:
                return reason, None
            case Suppress(reason=Reason() as reason, days=str(key)) if rule in _TAKEN_OVER:
                days: int = getattr(self.policy, key)
                end = since + timedelta(days=days)
                if end <= self.now:
                    raise _LeftOutError(f"the {rule} has ended: {key} is {days}")
                return reason, end
            case NoEffect() if rule is Rule.SENDER_FAULT:
                raise _LeftOutError("the sender's fault, not the recipient's")
            case NoEffect():
                raise _LeftOutError(f"the message's fault ({rule}), not the recipient's")
            case _:
                raise _LeftOutError(f"a temporary failure ({rule}) does not suppress an address")


_TAKEN_OVER = frozenset(
    {Rule.HARD_BOUNCE, Rule.BLOCK, Rule.ROUTING_FAILURE, Rule.COMPLAINT, Rule.SUPPRESS}
)


def _rule(form: Format, row: Mapping[str, str]) -> Rule:
    status, text = row.get(form.status, ""), row.get(form.reply, "")
    if code := temporary_code(status):
        raise _LeftOutError(f"a temporary failure ({code}) does not suppress an address")
    if form.flags:
        return _rule_of_flags(form, row)
    rule = rule_of_word(row.get(form.reasons_in, "")) or form.rule or Rule.SUPPRESS
    is_reply = rule_of_word(text) is None and (form.status in row or has_code(text))
    if rule is Rule.HARD_BOUNCE and is_reply:
        return rule_of_reply(status, text) or rule
    return rule


def _rule_of_flags(form: Format, row: Mapping[str, str]) -> Rule:
    rules: list[Rule] = []
    for name, rule in form.flags:
        if row.get(name, "").lower() not in {"", "false"}:
            why = _said(row, name).replace("_", " ") if rule is Rule.HARD_BOUNCE else ""
            rules.append(rule_of_reply("", why) or rule)
    held = (rule for rule in rules if rule in _TAKEN_OVER)
    return next(held, rules[0] if rules else Rule.SUPPRESS)


def _said(row: Mapping[str, str], name: str) -> str:
    text = row.get(name, "")
    return "" if text.lower() in {"true", "false"} else text


def _note(form: Format, row: Mapping[str, str], unread: Sequence[str]) -> str:
    word = row.get(form.reasons_in, "")
    is_unknown = word and form.rule is None and rule_of_word(word) is None
    remarks = [f"reason: {word[:_LONGEST_REMARK]}"] if is_unknown else []
    kept = " ".join(filter(None, (_said(row, name) for name in form.notes)))
    return "; ".join(filter(None, [*remarks, *unread, kept]))


def _date(text: str, unread: list[str]) -> datetime | None:
    """Read a date; one that cannot be read is added to `unread`."""
    found = moment(text)
    if text and found is None:
        unread.append(f"unread date: {text[:_LONGEST_REMARK]}")
    return found
