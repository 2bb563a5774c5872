"""Files that a command writes and reads."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def written_at_once(path: Path) -> Iterator[IO[str]]:
    """Write a text that takes the place of an older one when it is whole, and not before.

    What is no ordinary file, such as a pipe, is written as it is.
    """
    with _opened(path, mode="w", encoding="utf-8", newline="") as file:
        yield file


def write_at_once(path: Path, content: bytes) -> None:
    """Write a file that takes the place of an older one when it is whole, and not before."""
    with _opened(path, mode="wb") as file:
        file.write(content)


@contextmanager
def _opened(path: Path, **options: Any) -> Iterator[IO[Any]]:  # noqa: ANN401  # those of open
    if path.exists() and not path.is_file():
        with path.open(**options) as pipe:
            yield pipe
        return
    with _beside(path, **options) as file:
        try:
            yield file
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)


def _beside(path: Path, **options: Any) -> Any:  # noqa: ANN401  # those of open, and its file
    try:
        return tempfile.NamedTemporaryFile(dir=path.parent, delete=False, **options)
    except OSError as error:  # which names a file that nobody asked for
        raise OSError(error.errno, error.strerror, str(path)) from None
