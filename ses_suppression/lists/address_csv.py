"""A list of addresses, as people keep it: one a line, or CSV whose header names the column."""

import csv
from collections.abc import Iterable, Iterator
from itertools import chain

from ses_suppression.core.notification import kept_diagnostic
from ses_suppression.errors import SESSuppressionError
from ses_suppression.lists.exports import DELIMITERS

_COLUMNS = frozenset({"email", "emailaddress", "address", "mail", "recipient"})


class UnknownListError(SESSuppressionError, ValueError):
    """The file is no list of addresses. The message says what was found in its place."""


def read_addresses(lines: Iterable[str]) -> Iterator[str]:
    """Read the addresses of a list one by one, as they stand there; blank ones are left out.

    Args:
        lines: of the file: an address each; or CSV, with commas, semicolons or tabs, whose header
            has just one column called email, email address, address, mail or recipient.

    Raises:
        UnknownListError: it is neither.

    >>> list(read_addresses(["name;E-Mail", "Jane;jane@example.com", "", "Joe;joe@example.com"]))
    ['jane@example.com', 'joe@example.com']
    """
    lines = iter(lines)
    first = next((line for line in lines if line.strip()), "").removeprefix("\ufeff").strip(" \r\n")
    if not first:
        raise UnknownListError("the list is empty")
    if first.startswith('"') or any(mark in first for mark in DELIMITERS) or "@" not in first:
        return _column(first, lines)
    return (text for line in chain([first], lines) if (text := line.strip()))


def _column(first: str, lines: Iterator[str]) -> Iterator[str]:
    rows = _rows(chain([first], lines), max(DELIMITERS, key=first.count))
    header = next(rows)
    found = [index for index, name in enumerate(header) if _plain(name) in _COLUMNS]
    if len(found) != 1:
        found_there = kept_diagnostic(first) or "nothing"
        what = "several columns may be" if found else "no column is"
        raise UnknownListError(
            f"{what} that of the addresses; found: {found_there}. The header has to name "
            "just one of: email, email address, address, mail, recipient"
        )
    return _cells(found[0], len(header), rows)


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield _in_one_line(row)
    except csv.Error as error:
        raise UnknownListError(
            f"line {reader.line_num:,}, counted from the header: {error}"
        ) from None


def _in_one_line(row: list[str]) -> list[str]:
    """Refuse a row in which a stray quote has taken in the rows that follow."""
    if any("\n" in cell or "\r" in cell for cell in row):
        raise csv.Error("a cell with a line break: a quote is not closed where it should be")
    return row


def _cells(index: int, width: int, rows: Iterable[list[str]]) -> Iterator[str]:
    for row in rows:
        # A row that ends before the column, or has an address after the last one, is given as it
        # is: nothing is left out in silence.
        is_whole = len(row) > index and not any("@" in cell for cell in row[width:])
        text = row[index].strip() if is_whole else ",".join(row)
        if text:
            yield text


def _plain(name: str) -> str:
    return name.lower().translate(str.maketrans("", "", " _-"))
