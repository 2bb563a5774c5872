"""What is expected of a mailing."""

import pytest

from ses_suppression.client.screening import Screening
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.lists.address_csv import UnknownListError, read_addresses
from ses_suppression.lists.preflight import REVIEW, Preflight, points_below, summary
from ses_suppression.testing import InMemoryStore
from tests.builders import complaint, day, hard


def record_of(address: str, *evidence: Evidence) -> Record:
    record = update(Record(address=address), evidence, Policy())
    assert record is not None
    return record


def screened(allowed: list[str], bounced: list[str], complained: list[str]) -> Screening:
    records = {
        **{name: record_of(name, hard(0)) for name in bounced},
        **{name: record_of(name, complaint(0)) for name in complained},
    }
    suppressions = SuppressionList(InMemoryStore(records=records, clock=lambda: day(10)))
    return suppressions.screen([*allowed, *bounced, *complained, "nobody"])


def names(domain: str, number: int, start: str = "a") -> list[str]:
    return [f"{start}{n}@{domain}" for n in range(number)]


def found(*screenings: Screening) -> Preflight:
    preflight = Preflight()
    for screening in screenings:
        preflight.add(screening)
    return preflight


def test_the_share_of_a_domain_that_bounced_is_expected_of_the_rest_of_it() -> None:
    preflight = found(
        screened(names("good.example", 9_000), names("good.example", 90, "b"), []),
        screened(names("bad.example", 500), names("bad.example", 500, "b"), []),
    )
    bad, good = preflight.domains()
    assert (bad.domain, bad.allowed, bad.bounced) == ("bad.example", 500, 500)
    assert bad.share == pytest.approx(0.5, abs=0.02)
    assert good.share == pytest.approx(0.01, abs=0.001)
    assert preflight.expected_share == pytest.approx((9_000 * 0.01 + 500 * 0.5) / 9_500, abs=0.002)
    assert preflight.expected_bounces == pytest.approx(preflight.expected_share * 9_500)


def test_of_a_domain_that_is_hardly_known_the_share_of_the_list_is_expected() -> None:
    preflight = found(
        screened(names("good.example", 9_900), names("good.example", 100, "b"), []),
        screened(["a@rare.example"], ["b@rare.example"], []),
        screened(["a@new.example"], [], []),
    )
    shares = {one.domain: one.share for one in preflight.domains()}
    assert shares["new.example"] == pytest.approx(0.01, abs=0.001)
    assert shares["rare.example"] < 0.1


def test_a_complaint_says_nothing_about_bounces() -> None:
    preflight = found(screened(names("good.example", 10), [], names("good.example", 10, "c")))
    assert (preflight.expected_share, preflight.held_back) == (0.0, {"COMPLAINT": 10})


def test_parts_of_a_list_are_the_list() -> None:
    one = screened(names("x.example", 30), names("x.example", 3, "b"), ["c@y.example"])
    other = screened(names("y.example", 50), names("y.example", 9, "b"), [])
    whole = screened(
        [*names("x.example", 30), *names("y.example", 50)],
        [*names("x.example", 3, "b"), *names("y.example", 9, "b")],
        ["c@y.example", "c@z.example"],
    )
    assert found(one, other).domains() == found(whole).domains()
    assert summary(found(one, other))["invalid"] == 2


def test_an_empty_list_expects_nothing() -> None:
    assert summary(Preflight()) == {
        "allowed": 0,
        "held_back": {},
        "invalid": 0,
        "unknown": 0,
        "expected_bounces": 0,
        "expected_share": 0.0,
        "points_below_review": 5.0,
        "points_below_pause": 10.0,
    }
    assert points_below(0.07, REVIEW) == -2.0


@pytest.mark.parametrize(
    "lines",
    [
        ["jane@example.com", "", "  Joe <joe@example.com> "],
        ["\ufeffE-Mail Address,Name", "jane@example.com,Jane", ",", '"Joe <joe@example.com>",Joe'],
        ["name;e_mail", 'Doe;"jane@example.com"', "x;Joe <joe@example.com>"],
        ["name\temail", "Jane\tjane@example.com", "Joe\tJoe <joe@example.com>"],
        ['"email"', "jane@example.com", "Joe <joe@example.com>"],
        ["address", "jane@example.com", "Joe <joe@example.com>"],
    ],
)
def test_a_list_is_an_address_a_line_or_has_a_header_that_names_the_column(
    lines: list[str],
) -> None:
    assert list(read_addresses(lines)) == ["jane@example.com", "Joe <joe@example.com>"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "the list is empty"),
        (["", " "], "the list is empty"),
        (["name,phone", "Jane,1"], "no column is that of the addresses; found: name,phone"),
        (
            ["jane@example.com,Jane"],
            "no column is that of the addresses; found: \\[address\\],Jane",
        ),
        (["email,e-mail"], "several columns may be that of the addresses; found: email,e-mail"),
        (["nobody"], "no column is"),
    ],
)
def test_another_list_is_refused_with_what_was_found(lines: list[str], problem: str) -> None:
    with pytest.raises(UnknownListError, match=problem):
        read_addresses(lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["email,n\n", 'a@example.com,"Joe\n', "b@example.com,2\n"],
        ["email,n\n", 'a@example.com,"Joe\n', 'b@example.com,"Jane\n', "c@example.com,3\n"],
        ["n,email\n", '"Joe\n', 'x",a@example.com\n'],
    ],
)
def test_a_stray_quote_does_not_make_addresses_vanish(lines: list[str]) -> None:
    with pytest.raises(UnknownListError, match=r"^line \d: "):
        list(read_addresses(lines))


def test_a_row_that_ends_before_the_addresses_is_no_address_and_not_left_out() -> None:
    assert list(read_addresses(["n,email", "Jane", "Joe,joe@example.com", ""])) == [
        "Jane",
        "joe@example.com",
    ]


def test_a_first_column_without_a_name_is_a_column() -> None:
    lines = ["\tname\temail", "0\tJane\tjane@example.com"]
    assert list(read_addresses(lines)) == ["jane@example.com"]


def test_a_row_that_is_no_csv_is_named() -> None:
    lines = ["name,email", "Jane,jane@example.com", f'Joe,"{"x" * 200_000}"']
    addresses = read_addresses(lines)
    assert next(addresses) == "jane@example.com"
    with pytest.raises(UnknownListError, match=r"^line 3: field larger"):
        next(addresses)


def test_an_address_after_the_last_column_is_not_left_out_in_silence() -> None:
    lines = ["email", "jane@example.com", "jane@example.com,joe@example.com", "joe@example.com,,"]
    assert list(read_addresses(lines)) == [
        "jane@example.com", "jane@example.com,joe@example.com", "joe@example.com",
    ]  # fmt: skip
