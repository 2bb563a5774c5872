"""Before a mailing, at the shell: the list as a small file, and what to expect."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest

from ses_suppression.lists.snapshot import Snapshot
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.e2e.tables import operator_of_table
from tests.integration.test_store import record_of
from tests.unit.test_decision import complaint, hard


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Operator:
    return operator_of_table(
        stack,
        [
            *(record_of(hard(0), address=f"gone-{n}@example.com") for n in range(20)),
            record_of(complaint(2), address="c@example.net"),
            record_of(complaint(2, stream="news"), address="n@example.net"),
        ],
    )


@pytest.fixture(scope="module")
def snapshot(operator: Operator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("snapshot") / "prod.snapshot"
    said = operator.document("snapshot", "build", str(file))
    assert (said["addresses"], said["bytes"]) == (22, file.stat().st_size)
    return file


def test_a_preflight_says_who_is_held_back_and_what_to_expect(
    operator: Operator, snapshot: Path, tmp_path: Path
) -> None:
    customers, held = tmp_path / "customers.csv", tmp_path / "held.csv"
    rows = [
        *(f"c-{n}@example.com,x" for n in range(80)),
        *(f"Gone-{n}@example.com,x" for n in range(20)),
        *(f"c-{n}@example.org,x" for n in range(900)),
        "n@example.net,x", "C@example.net,x", "nobody,x",
    ]  # fmt: skip
    customers.write_text("\n".join(["E-Mail,Name", *rows]))
    command = ("preflight", str(customers), "--snapshot", str(snapshot), "--output", str(held))
    found = operator.document(*command)
    assert found["allowed"] == 981
    assert found["held_back"] == {"BOUNCE": 20, "COMPLAINT": 1}
    assert (found["invalid"], found["unknown"]) == (1, 0)
    worst = found["domains"][0]
    assert (worst["domain"], worst["allowed"], worst["bounced"]) == ("example.com", 80, 20)
    assert 0.01 < found["expected_share"] < 0.03
    assert found["points_below_review"] == pytest.approx(5 - 100 * found["expected_share"], abs=0.1)
    rows_held = list(csv.DictReader(held.read_text().splitlines()))
    assert {row["address"] for row in rows_held} == {
        *(f"Gone-{n}@example.com" for n in range(20)), "C@example.net",
    }  # fmt: skip
    assert rows_held[-1]["reason"] == "COMPLAINT"
    on_news = operator.document(*command, "--stream", "news")
    assert on_news["held_back"] == {"BOUNCE": 20, "COMPLAINT": 2}
    text = operator.says(*command)
    assert (
        "981 may be mailed, 21 are held back (20 BOUNCE, 1 COMPLAINT), 1 are no addresses" in text
    )
    assert "points below the 5% at which AWS reviews an account" in text
    assert "is not seen" in text


def test_a_list_of_which_too_many_bounced_ends_with_status_1(
    operator: Operator, snapshot: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text(
        "\n".join(f"{name}-{n}@example.com" for n in range(20) for name in ("gone", "c"))
    )
    text = operator.says("preflight", str(bad), "--snapshot", str(snapshot), status=1)
    assert "points above the 10% at which it may pause it" in text


def test_what_cannot_be_used_is_refused_with_what_was_found(
    operator: Operator, snapshot: Path, tmp_path: Path
) -> None:
    other, latin, damaged = tmp_path / "o.csv", tmp_path / "l.txt", tmp_path / "d.snapshot"
    other.write_text("name,phone\nJane,1\n")
    latin.write_bytes("jane@example.com\nj\xf6rg@example.com\n".encode("latin-1"))
    damaged.write_bytes(snapshot.read_bytes()[:-1])
    right = ("--snapshot", str(snapshot))
    assert "found: name,phone" in operator.refused("preflight", str(other), *right, status=2)
    assert "is not UTF-8" in operator.refused("preflight", str(latin), *right, status=2)
    assert "its checksum is wrong" in operator.refused(
        "preflight", str(latin), "--snapshot", str(damaged), status=2
    )
    nul, missing = tmp_path / "n.txt", tmp_path / "nowhere" / "x.csv"
    nul.write_text("email\njane@example.com\0\n")
    assert "line 2 has a NUL byte" in operator.refused("preflight", str(nul), *right, status=2)
    for output in (other, snapshot):
        before = output.read_bytes()
        assert "a file that is read" in operator.refused(
            "preflight", str(other), *right, "--output", str(output), status=2
        )
        assert output.read_bytes() == before
    assert f"{missing}: No such file or directory" in operator.refused(
        "preflight", str(other), *right, "--output", str(missing), status=2
    )
    to_come = tmp_path / "to-come.snapshot"
    taken = Snapshot.open(snapshot)
    taken.taken_at += timedelta(days=1)
    to_come.write_bytes(taken.to_bytes())
    assert "which is yet to come" in operator.refused(
        "preflight", str(other), "--snapshot", str(to_come), status=2
    )
    elsewhere = Operator(operator.stack)
    assert "it was taken of the table" in elsewhere.refused(
        "preflight", str(other), *right, status=2
    )
