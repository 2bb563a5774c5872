"""The list as a whole, at the shell: who is on it, all of it as a file, another one taken over."""

import csv
import io
import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.waiting import wait_for
from tests.builders import block, complaint, hard, record_of, transient
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.e2e.tables import operator_of_table

TODAY = datetime.now(UTC)
NEVER = "Never@example.org"


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Operator:
    since = (
        TODAY - timedelta(days=3) - datetime(2026, 1, 1, 8, tzinfo=UTC)
    ).total_seconds() / 86400
    return operator_of_table(
        stack,
        [
            record_of(hard(0), address="a@example.com"),
            record_of(hard(1, bounce_sub_type="NoEmail"), address="b@example.com"),
            record_of(complaint(2, stream="news"), address="c@example.net"),
            record_of(block(3), address="ended@example.net"),
            record_of(block(since), address="+held@example.net"),
            record_of(transient(4), address="counted@example.net"),
        ],
    )


def addresses(operator: Operator, *filters: str) -> list[str]:
    return sorted(document["address"] for document in operator.documents("list", *filters))


def test_the_list_can_be_filtered(operator: Operator) -> None:
    assert addresses(operator) == [
        "+held@example.net", "a@example.com", "b@example.com", "c@example.net",
    ]  # fmt: skip
    assert addresses(operator, "--reason", "COMPLAINT") == ["c@example.net"]
    assert addresses(operator, "--stream", "news") == ["c@example.net"]
    assert addresses(operator, "--domain", "Example.com") == ["a@example.com", "b@example.com"]
    assert addresses(operator, "--domain", "example.com", "--since", "2026-01-02") == [
        "b@example.com"
    ]
    assert addresses(operator, "--until", "2026-01-02") == ["a@example.com"]
    assert addresses(operator, "--sub-type", "NoEmail") == ["b@example.com"]
    assert addresses(operator, "--state", "expired") == ["ended@example.net"]
    assert len(addresses(operator, "--state", "all")) == 5
    text = operator.says("list", "--reason", "COMPLAINT")
    assert text == "c@example.net  COMPLAINT (complaint) on news since 2026-01-03, without end\n"


def test_the_list_is_counted_by_reason_domain_and_day(operator: Operator) -> None:
    document = operator.document("stats")
    assert document["records"] == 6
    assert document["by_reason"] == {"BOUNCE": 3, "COMPLAINT": 1}
    assert document["by_domain"] == {"example.com": 2, "example.net": 2}
    assert document["by_day"][f"{TODAY - timedelta(days=3):%Y-%m-%d}"] == 1
    text = operator.says("stats")
    assert "6 addresses with a record, 4 suppressions" in text
    assert "█" in text


def test_an_export_is_safe_in_a_spreadsheet_and_can_be_imported(
    operator: Operator, stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "suppressions.csv"
    assert operator.says("export", "--output", str(file), "--state", "all") == ""
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert sorted(row["address"] for row in rows) == [
        "'+held@example.net", "a@example.com", "b@example.com", "c@example.net",
        "ended@example.net",
    ]  # fmt: skip
    lines = operator.says("export", "--format", "jsonl").splitlines()
    assert {json.loads(line)["address"] for line in lines} == set(addresses(operator))
    elsewhere = operator_of_table(stack, [])
    document = elsewhere.document("import", str(file), status=1)
    assert (document["new"], document["known"], document["invalid"]) == (4, 0, 1)
    assert addresses(elsewhere) == addresses(operator)
    (complained,) = elsewhere.documents("list", "--stream", "news")
    assert (complained["reason"], complained["since"]) == ("COMPLAINT", "2026-01-03T08:00:00Z")


SENDGRID = """status,reason,email,created
5.1.1,550 no such user,Jane@Example.com,1772368200
4.2.2,mailbox full,full@example.com,1772368200
5.1.1,550 no such user,nobody,1772368200
5.1.1,550 no such user,joe@example.com,1772368200
5.7.1,550 blocked using a block list,blocked@example.com,1772368200
5.1.1,550 no such user,undated@example.com,3/1/2026 12:30
"""


def test_an_import_says_first_what_it_would_do_and_keeps_reasons_and_dates(
    stack: Stack, tmp_path: Path
) -> None:
    operator = operator_of_table(stack, [record_of(hard(0), address="joe@example.com")])
    file = tmp_path / "bounces.csv"
    file.write_text(SENDGRID)
    rejects = Path(f"{file}.rejects.csv")
    expected = {
        "format": "SendGrid bounces or blocks",
        "new": 3,
        "known": 0,
        "invalid": 3,
        "failed": 0,
        "rejects": str(rejects),
        "unread_dates": 1,
        "first_lines_of_unread_dates": [7],
    }
    dry = operator.document("import", str(file), "--dry-run", status=1)
    assert {**dry, **expected} == dry
    assert addresses(operator) == ["joe@example.com"]
    text = operator.says("import", str(file), "--note", "from SendGrid", status=1)
    assert "3 new, 0 known, 3 left out, 0 failed; " in text
    assert "rows a second" in text
    assert f"the rows that are left out, with their reasons: {rejects}" in text
    assert "1 with a date that cannot be read, or in the future: " in text
    assert "(first lines: 7)" in text
    again = operator.document("import", str(file), "--note", "from SendGrid", status=1)
    assert (again["new"], again["known"]) == (0, 3)
    assert rejects.read_text() == (
        "line,text,problem\n"
        "3,full@example.com,a temporary failure (4.2.2) does not suppress an address\n"
        "4,nobody,an address needs an @\n"
        "6,blocked@example.com,the block has ended: block_hold_days is 7\n"
    )
    explained = operator.says("explain", "jane@example.com")
    assert "2026-03-01 12:30:00  import by arn:aws:iam::123456789012:root" in explained
    assert "from SendGrid: 550 no such user" in explained
    assert "suppressed: BOUNCE (import)" in explained


def test_a_file_of_no_known_form_is_refused_with_the_known_ones(
    operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("name,phone\nJane,1\n")
    said = operator.refused("import", str(file), status=2)
    assert "found: name, phone" in said
    assert "SendGrid spam reports: created, email, ip" in said
    file.write_bytes(b"email\nbefore@example.com\n\xff\xfe@example.com\n")
    answer = operator.run("import", str(file), "--dry-run")
    assert answer.returncode == 2
    assert "line 3 is not UTF-8, and nothing from there on was read" in answer.stderr
    assert "1 would be new" in answer.stdout
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        file.write_bytes("email\treason\njane@example.com\tBOUNCE\n".encode(encoding))
        said = operator.refused("import", str(file), status=2)
        assert f"{file}: it is UTF-16, such as Excel's «Unicode text»: save it as" in said


def test_an_import_that_was_killed_goes_on_where_it_was(stack: Stack, tmp_path: Path) -> None:
    """The short form; `make slow` imports 100,000 rows."""
    survive_a_kill(stack, tmp_path, rows=2_500)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_an_import_of_100_000_rows_survives_a_kill(stack: Stack, tmp_path: Path) -> None:
    survive_a_kill(stack, tmp_path, rows=100_000)


def survive_a_kill(stack: Stack, folder: Path, *, rows: int) -> None:
    operator = operator_of_table(stack, [])
    file = folder / "many.csv"
    lines = (f"a{number}@example.com,BOUNCE,2026-03-01" for number in range(rows))
    file.write_text("\n".join(["address,reason,since", *lines, "nobody"]) + "\n")
    table = operator.options[-1]
    dynamodb = stack.emulator.client("dynamodb")

    def has_written() -> bool:
        answer = dynamodb.scan(TableName=table, Select="COUNT", Limit=1_000)
        return bool(answer["Count"] >= 1_000)

    with operator.started("import", str(file)) as process:
        wait_for("some rows", has_written, seconds=60)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    begun = time.monotonic()
    document = operator.document("import", str(file), status=1)
    print(f"{rows:,} rows: {document}, {time.monotonic() - begun:.0f} s after the kill")  # noqa: T201
    assert document["new"] + document["known"] == rows
    assert 0 < document["known"] < rows
    assert (document["invalid"], document["failed"]) == (1, 0)
    assert document["rows_a_second"] > 0
    again = operator.document("import", str(file), status=1)
    assert (again["new"], again["known"]) == (0, rows)


def test_a_pipe_is_read_once_and_wholly(stack: Stack, tmp_path: Path) -> None:
    operator = operator_of_table(stack, [])
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with operator.started("--json", "import", str(pipe), output=subprocess.PIPE) as process:
        lines = (f"a{number}@example.com" for number in range(1_000))
        pipe.write_text("\n".join(["address", *lines]))
        written, _ = process.communicate(timeout=60)
    assert json.loads(written)["new"] == 1_000


def test_a_rejects_file_is_not_what_is_imported(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("address\nnobody\n")
    said = operator.refused("import", str(file), "--rejects", str(file), status=2)
    assert "it is the file that is imported" in said
    assert file.read_text() == "address\nnobody\n"


def test_a_list_in_a_file_is_whole_though_progress_is_shown(operator: Operator) -> None:
    assert len(operator.in_a_terminal("--json", "list", standard_output=True).splitlines()) == 4


def test_what_cannot_be_read_is_named_left_out_and_makes_the_answer_incomplete(
    stack: Stack,
) -> None:
    operator = operator_of_table(stack, [record_of(hard(0), address="a@example.com")])
    stack.emulator.client("dynamodb").put_item(
        TableName=operator.options[-1], Item={"address": {"S": "foreign@example.com"}}
    )
    for command in ("list", "stats", "export"):
        answer = operator.run(command)
        assert answer.returncode == 3
        assert "foreign@example.com is left out: UnreadableItem" in answer.stderr
        assert answer.stdout


def test_progress_is_shown_to_a_person_and_to_nobody_else(stack: Stack, tmp_path: Path) -> None:
    operator = operator_of_table(stack, [])
    file = tmp_path / "many.csv"
    lines = (f"a{number}@example.com" for number in range(2_000))
    file.write_text("\n".join(["address", *lines]))
    shown = operator.in_a_terminal("import", str(file))
    assert "importing generic, with address" in shown
    assert "a second" in shown
    assert "/2000" in shown
    assert "2,000 new" in shown
