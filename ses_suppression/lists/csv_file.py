"""Lists as people keep them: text files, with rows that may not be what CSV should be."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ses_suppression.errors import SESSuppressionError

_DELIMITERS = ",;\t"


class UnreadableFileError(SESSuppressionError, ValueError):
    """A file is no text in UTF-8. The message names the file and the line."""


def read_lines(path: Path) -> Iterator[str]:
    """Read the lines of a text file in UTF-8; a line may end in any of the usual ways.

    Raises:
        UnreadableFileError: it is UTF-16, or from some line on no text. The lines before have been
            yielded then.
    """
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        for number, line in enumerate(file, start=1):
            content = line.encode(errors="surrogateescape")
            if number == 1 and _is_utf_16(content):
                raise UnreadableFileError(
                    f"{path}: it is UTF-16, such as Excel's «Unicode text»: save it as "
                    "«CSV UTF-8» and run it again"
                )
            problem = "has a NUL byte" if "\0" in line else "is not UTF-8"
            if "\0" in line or len(content.decode(errors="ignore")) < len(line):
                raise UnreadableFileError(
                    f"{path}: line {number:,} {problem}, and nothing from there on was read: "
                    "save the file as UTF-8 and run it again"
                )
            yield line


def _is_utf_16(line: bytes) -> bool:
    has_mark = line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return has_mark or line.count(0) * 3 > len(line)


@dataclass(frozen=True, slots=True)
class CSVRow:
    """One row.

    Attributes:
        first, last: the lines of the file that it takes, from 1.
        cells: what it holds.
        problem: why it could not be read; empty: it could.
    """

    first: int
    last: int
    cells: Sequence[str] = ()
    problem: str = ""


class CSVFile:
    """Rows with commas, semicolons or tabs: whichever the first line with text has most of.

    >>> file = CSVFile(["", "name;email", "Jane;jane@example.com"])
    >>> file.first_line, file.header, [row.cells for row in file.rows()]
    ('name;email', ['name', 'email'], [['Jane', 'jane@example.com']])
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        numbered = enumerate(self._lines, start=1)
        found = ((number, line) for number, line in numbered if line.strip())
        self._number, line = next(found, (0, ""))
        self.first_line = line.removeprefix("\ufeff").rstrip("\r\n")
        self.delimiter = max(_DELIMITERS, key=self.first_line.count)

    @property
    def header(self) -> list[str]:
        """The cells of the first line, without blanks around them; none: it is no CSV."""
        try:
            cells = next(csv.reader([self.first_line], delimiter=self.delimiter), [])
        except csv.Error:
            return []
        return [cell.strip() for cell in cells]

    @property
    def has_columns(self) -> bool:
        """Whether the first line has several cells, or one in quotes."""
        return self.first_line.startswith('"') or self.delimiter in self.first_line

    def plain_lines(self) -> Iterator[str]:
        """Yield the lines as they are, the first included."""
        yield self.first_line
        yield from self._lines

    def rows(self, *, has_header: bool = True) -> Iterator[CSVRow]:
        """Yield the rows; without a header the first line is one of them."""
        lines = self._lines if has_header else self.plain_lines()
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        before = self._number if has_header else self._number - 1
        while True:
            first = before + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:  # such as a quote that is not closed
                yield CSVRow(first, before + reader.line_num, problem=str(error))
            else:
                yield CSVRow(first, before + reader.line_num, cells)


_FORMULA = frozenset("=+-@\t\r")
_ESCAPED = re.compile("'+[=+@\t\r-]")


def escape_cell(cell: str) -> str:
    """Write a cell so that no spreadsheet takes it for a formula.

    >>> escape_cell("+jane@example.com"), unescape_cell("'+jane@example.com")
    ("'+jane@example.com", '+jane@example.com')
    """
    return f"'{cell}" if cell[:1] in _FORMULA or _ESCAPED.match(cell) else cell


def unescape_cell(cell: str) -> str:
    """Take back what `escape_cell` did."""
    return cell[1:] if _ESCAPED.match(cell) else cell
