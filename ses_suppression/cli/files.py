"""Files that a command writes. They hold addresses: only their owner may read them.

What is written is on the disk before a command goes on, which may delete the only other copy.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_OWNER_ONLY = 0o600

Sync = Callable[[int], None]
"""Puts the file, or the directory, of a descriptor on the disk."""


@contextmanager
def write_atomically(path: Path, *, sync: Sync = os.fsync) -> Iterator[IO[str]]:
    """Write a text that takes the place of an older one when it is whole, and not before.

    What is no ordinary file, such as a pipe, is written as it is.
    """
    path = path.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        with path.open(mode="w", encoding="utf-8", newline="") as pipe:
            yield pipe
        return
    file = _open_beside(path)
    try:
        with file:
            yield file
            _flush(file, sync)
        Path(file.name).replace(path)
    except BaseException:
        Path(file.name).unlink()
        raise
    _sync_directory(path.parent, sync)


def count_lines(path: Path) -> int | None:
    """Count the lines of a file; None: it is a pipe, which can be read once only."""
    if not path.is_file():
        return None
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


@contextmanager
def appending(path: Path, *, sync: Sync = os.fsync) -> Iterator[Callable[[str], None]]:
    """Yield a function that appends a line to a file, and returns once the line is on the disk."""

    def append(line: str) -> None:
        file.write(line.encode())
        _flush(file, sync)

    descriptor = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, _OWNER_ONLY)
    with os.fdopen(descriptor, "ab") as file:
        if path.is_file():
            path.chmod(_OWNER_ONLY)  # of one that was there before, too
            _sync_directory(path.parent, sync)
            if _ends_in_mid_line(path):  # an interruption cut it off
                append("\n")
        yield append


def _ends_in_mid_line(path: Path) -> bool:
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 1))
        return file.read(1) not in {b"", b"\n"}


def _open_beside(path: Path) -> Any:  # noqa: ANN401  # of tempfile's own type
    try:
        # Only its owner may read it ("mkstemp", Python's library reference).
        return tempfile.NamedTemporaryFile(
            mode="w", encoding="utf-8", newline="", dir=path.parent, delete=False
        )
    except OSError as error:  # which names a file that nobody asked for
        raise OSError(error.errno, error.strerror, str(path)) from None


def _flush(file: IO[Any], sync: Sync) -> None:
    file.flush()
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a pipe is on no disk
        sync(file.fileno())


def _sync_directory(path: Path, sync: Sync) -> None:
    """Put the name of a new file on the disk."""
    try:
        directory = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no directory
        return
    try:
        sync(directory)
    finally:
        os.close(directory)
