"""Files with addresses: for their owner only, and on the disk before anything rests on them."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ses_suppression.cli import files
from ses_suppression.cli.dead_letters import drop
from ses_suppression.cli.importing import _writing_rejects
from ses_suppression.cli.output import Output
from ses_suppression.lists.exports import RejectedRow
from ses_suppression.ses_account.environment import Stack


@pytest.fixture(autouse=True)
def _open_to_all() -> Any:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def export(path: Path, sync: files.Sync) -> None:
    with files.write_atomically(path, sync=sync) as file:
        file.write("whole\n")


def letter(path: Path, sync: files.Sync) -> None:
    with files.appending(path, sync=sync) as append:
        append("whole\n")


@pytest.mark.parametrize("write", [export, letter])
def test_a_file_is_its_owners_and_on_the_disk_with_its_name(
    tmp_path: Path, write: Callable[[Path, files.Sync], None]
) -> None:
    path = tmp_path / "file"
    synced: list[tuple[str, int | bool]] = []

    def sync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        is_directory = stat.S_ISDIR(found.st_mode)
        synced.append(("name", path.exists()) if is_directory else ("bytes", found.st_size))

    write(path, sync)
    assert mode(path) == 0o600
    assert sorted(synced) == [("bytes", len("whole\n")), ("name", True)]


def test_rejected_rows_are_their_owners_and_replace_the_older_ones_when_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rejects.csv"
    row = RejectedRow(2, "nobody", "an address needs an @")
    with _writing_rejects(path):
        pass
    assert not path.exists()
    with _writing_rejects(path) as reject:
        reject(row)
    assert (mode(path), len(path.read_text().splitlines())) == (0o600, 2)
    with pytest.raises(RuntimeError), _writing_rejects(path) as reject:  # noqa: PT012
        reject(row)
        reject(row)
        raise RuntimeError
    assert len(path.read_text().splitlines()) == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_follows_one_that_was_cut_off_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "letters"
    path.write_text('{"cut')
    path.chmod(0o644)
    letter(path, os.fsync)
    assert mode(path) == 0o600
    letter(path, os.fsync)
    assert path.read_text() == '{"cut\nwhole\nwhole\n'


def test_a_link_stays_a_link_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    export(tmp_path / "link", os.fsync)
    assert (tmp_path / "link").readlink() == Path("real")
    assert (tmp_path / "real").read_text() == "whole\n"


def test_what_cannot_take_its_place_leaves_no_addresses_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def make_a_folder(_descriptor: int) -> None:
        path.mkdir()  # while it is written: no file can take its place

    with pytest.raises(OSError, match="directory"):
        export(path, make_a_folder)
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for write in (export, letter):
        write(pipe, os.fsync)
        assert os.read(reader, 100) == b"whole\n"
    os.close(reader)


class Queue:
    """One dead letter; when it is deleted, its copy is looked at."""

    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self.seen: list[tuple[int, str]] = []

    def get_queue_attributes(self, **_: object) -> Any:
        return {"Attributes": {"ApproximateNumberOfMessages": "1"}}

    def receive_message(self, **request: str) -> Any:
        if "DeadLetter" not in request["QueueUrl"]:
            return {}
        sent = {"MessageId": "1", "ReceiptHandle": "r", "Body": "jane@example.com"}
        return {"Messages": [{**sent, "Attributes": {"SentTimestamp": "0"}}]}

    def delete_message(self, **_: object) -> None:
        body = json.loads(self._copy.read_text())["body"]
        self.seen.append((mode(self._copy), body))


OUTPUTS = ("BouncesTopicArn", "BouncesDeadLetterQueueUrl", "BouncesUndeliveredQueueUrl")


def test_a_dead_letter_is_deleted_when_its_copy_is_kept(tmp_path: Path) -> None:
    copy = tmp_path / "letters.jsonl"
    queue = Queue(copy)
    session: Any = SimpleNamespace(
        client=lambda _: queue,
        stack=Stack("ses-suppression-prod", {name: name for name in OUTPUTS}),
        out=Output(),
    )
    context: Any = SimpleNamespace(obj=session)
    drop(context, to=copy, apply=True)
    assert queue.seen == [(0o600, "jane@example.com")]
