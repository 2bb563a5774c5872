"""Before a mailing, at the shell: who may be mailed, and what to expect."""

import csv
from pathlib import Path

import pytest

from tests.builders import complaint, hard, record_of
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.e2e.tables import operator_of_table

ROWS = [
    *(f"c-{n}@example.com,x" for n in range(80)),
    *(f"Gone-{n}@example.com,x" for n in range(20)),
    *(f"c-{n}@example.org,x" for n in range(900)),
    "n@example.net,x", "C@example.net,x", "nobody,x", "+n@example.net,x",
]  # fmt: skip


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Operator:
    return operator_of_table(
        stack,
        [
            *(record_of(hard(0), address=f"gone-{n}@example.com") for n in range(20)),
            record_of(complaint(2), address="c@example.net"),
            record_of(complaint(2), address="+n@example.net"),
            record_of(complaint(2, stream="news"), address="n@example.net"),
        ],
    )


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    file = tmp_path / "customers.csv"
    file.write_text("\n".join(["E-Mail,Name", *ROWS]))
    return file


def test_a_screening_writes_who_may_be_mailed_and_who_not(
    operator: Operator, customers: Path, tmp_path: Path
) -> None:
    output, others = tmp_path / "allowed.txt", tmp_path / "held-back.csv"
    command = ("screen", str(customers), "--output", str(output), "--held-back", str(others))
    found = operator.document(*command)
    assert found.pop("addresses_a_second") > 0
    assert found == {
        "allowed": 981,
        "held_back": {"BOUNCE": 20, "COMPLAINT": 2},
        "invalid": 1,
        "unknown": 0,
    }
    addresses = [row.removesuffix(",x") for row in ROWS]
    held = {*(f"Gone-{n}@example.com" for n in range(20)), "C@example.net", "+n@example.net"}
    expected = [one for one in addresses if one not in {*held, "nobody"}]
    assert output.read_text().splitlines() == expected
    rows = list(csv.DictReader(others.read_text().splitlines()))
    assert {row["address"].removeprefix("'") for row in rows} == {*held, "nobody"}
    assert "'+n@example.net" in {row["address"] for row in rows}
    reasons = {row["address"]: (row["reason"], row["rule"], row["stream"]) for row in rows}
    assert reasons["C@example.net"] == ("COMPLAINT", "complaint", "*")
    assert reasons["nobody"] == ("INVALID", "", "")
    text = operator.says(*command, "--stream", "news")
    assert "980 may be mailed, 23 are held back" in text
    assert "n@example.net" not in output.read_text().splitlines()


def test_a_preflight_says_who_is_held_back_and_what_to_expect(
    operator: Operator, customers: Path
) -> None:
    command = ("preflight", str(customers))
    found = operator.document(*command)
    assert found["allowed"] == 981
    assert found["held_back"] == {"BOUNCE": 20, "COMPLAINT": 2}
    assert (found["invalid"], found["unknown"]) == (1, 0)
    worst = found["domains"][0]
    assert (worst["domain"], worst["allowed"], worst["bounced"]) == ("example.com", 80, 20)
    assert 0.01 < found["expected_share"] < 0.03
    assert found["points_below_review"] == pytest.approx(5 - 100 * found["expected_share"], abs=0.1)
    on_news = operator.document(*command, "--stream", "news")
    assert on_news["held_back"] == {"BOUNCE": 20, "COMPLAINT": 3}
    text = operator.says(*command)
    assert (
        "981 may be mailed, 22 are held back (20 BOUNCE, 2 COMPLAINT), 1 are no addresses" in text
    )
    assert "points below the 5% at which AWS reviews an account" in text


def test_a_list_of_which_too_many_bounced_ends_with_status_1(
    operator: Operator, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text(
        "\n".join(f"{name}-{n}@example.com" for n in range(20) for name in ("gone", "c"))
    )
    text = operator.says("preflight", str(bad), status=1)
    assert "points above the 10% at which it may pause it" in text


LATIN = "jane@example.com\nj\xf6rg@example.com\n".encode("latin-1")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"name,phone\nJane,1\n", "found: name,phone"),
        (b"", "the list is empty"),
        (LATIN, "line 2 is not UTF-8, and nothing from there on was read"),
        (b"email\njane@example.com\0\n", "line 2 has a NUL byte"),
        ("email\njane@example.com\n".encode("utf-16"), "it is UTF-16"),
        (b'email,n\na@example.com,"Joe\nb@example.com,2\n', "line 3: "),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_what_was_found(
    operator: Operator, tmp_path: Path, content: bytes, problem: str
) -> None:
    file, output = tmp_path / "list.csv", tmp_path / "allowed.txt"
    file.write_bytes(content)
    output.write_text("of yesterday")
    assert problem in operator.refused("preflight", str(file), status=2)
    screened = operator.refused("screen", str(file), "--output", str(output), status=2)
    assert problem in screened
    assert output.read_text() == "of yesterday"


def test_nothing_that_is_read_or_written_is_written_over(
    operator: Operator, customers: Path, tmp_path: Path
) -> None:
    before, missing = customers.read_bytes(), tmp_path / "nowhere" / "x.csv"
    output = str(tmp_path / "allowed.txt")
    command = ("screen", str(customers), "--output")
    for options in ((str(customers),), (output, "--held-back", str(customers))):
        assert "the file that is read" in operator.refused(*command, *options, status=2)
    twice = operator.refused(*command, output, "--held-back", output, status=2)
    assert "it is the file of --output" in twice
    nowhere = operator.refused(*command, str(missing), status=2)
    assert f"{missing}: No such file or directory" in nowhere
    assert customers.read_bytes() == before
