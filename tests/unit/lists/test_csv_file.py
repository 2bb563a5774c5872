"""What people hand over as a list is read, or refused with the line and the cause."""

from pathlib import Path

import pytest

from ses_suppression.lists.address_csv import read_addresses
from ses_suppression.lists.csv_file import UnreadableFileError, read_lines

LATIN = "j\xf6rg@example.com".encode("latin-1")


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_a_line_ends_in_any_of_the_usual_ways(tmp_path: Path, end: bytes, mark: bytes) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(mark + end.join([b"jane@example.com", b"j\xc3\xb6@example.com", b""]))
    assert list(read_addresses(read_lines(file))) == ["jane@example.com", "j\xf6@example.com"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (LATIN, "line 1 is not UTF-8"),
        (b"jane@example.com\n" + LATIN, "line 2 is not UTF-8"),
        (b'email,n\n"jane@example.com\n' + LATIN, "line 3 is not UTF-8"),
        (b"jane@example.com\n\xed\xa0\x80@example.com", "line 2 is not UTF-8"),
        (b"email\njane@example.com\n\0\n", "line 3 has a NUL byte"),
        (b"jane@example.com\0" + LATIN, "line 1 has a NUL byte"),
        (b"\0j\0a\0n\0e\0@", "it is UTF-16"),
    ],
)
def test_what_is_no_text_is_refused_with_its_first_line(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=f"^{file}: {problem}"):
        list(read_addresses(read_lines(file)))
