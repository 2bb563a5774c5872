"""A list of addresses, as people keep it: one a line, or CSV whose header names the column."""

from collections.abc import Iterable, Iterator

from ses_suppression.core.untrusted_text import kept_diagnostic
from ses_suppression.errors import SESSuppressionError
from ses_suppression.lists.csv_file import CSVFile, CSVRow

_COLUMNS = frozenset({"email", "emailaddress", "address", "mail", "recipient"})


class UnknownListError(SESSuppressionError, ValueError):
    """The file is no list of addresses. The message says what was found in its place."""


def read_addresses(lines: Iterable[str]) -> Iterator[str]:
    """Read the addresses of a list one by one, as they are there; blank ones are left out.

    Args:
        lines: of the file: an address each; or CSV, with commas, semicolons or tabs, whose header
            has just one column called email, email address, address, mail or recipient.

    Raises:
        UnknownListError: it is neither.

    >>> list(read_addresses(["name;E-Mail", "Jane;jane@example.com", "", "Joe;joe@example.com"]))
    ['jane@example.com', 'joe@example.com']
    """
    file = CSVFile(lines)
    if not file.first_line.strip():
        raise UnknownListError("the list is empty")
    if file.has_columns or "@" not in file.first_line:
        return _column(file)
    return (text for line in file.plain_lines() if (text := line.strip()))


def _column(file: CSVFile) -> Iterator[str]:
    header = file.header
    found = [index for index, name in enumerate(header) if _plain(name) in _COLUMNS]
    if len(found) != 1:
        found_there = kept_diagnostic(file.first_line.strip(" ")) or "nothing"
        what = "several columns may be" if found else "no column is"
        raise UnknownListError(
            f"{what} that of the addresses; found: {found_there}. The header has to name "
            "just one of: email, email address, address, mail, recipient"
        )
    return _cells(found[0], len(header), file.rows())


def _cells(index: int, width: int, rows: Iterable[CSVRow]) -> Iterator[str]:
    for row in rows:
        _check(row)
        # A row that ends before the column, or has an address after the last one, is given as it
        # is: nothing is left out in silence.
        is_whole = len(row.cells) > index and not any("@" in cell for cell in row.cells[width:])
        text = row.cells[index].strip() if is_whole else ",".join(row.cells)
        if text:
            yield text


def _check(row: CSVRow) -> None:
    """Refuse a row in which a stray quote has taken in the rows that follow."""
    has_break = any("\n" in cell or "\r" in cell for cell in row.cells)
    problem = row.problem or (
        "a cell with a line break: a quote is not closed where it should be" if has_break else ""
    )
    if problem:
        raise UnknownListError(f"line {row.last:,}: {problem}")


def _plain(name: str) -> str:
    return name.lower().translate(str.maketrans("", "", " _-"))
