"""Exports of other services: known by their header, with their reasons and dates."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.import_formats import (
    FORMATS,
    SES_BULK,
    Entry,
    RejectedRow,
    UnknownFormatError,
    escaped,
    read_export,
    unescaped,
)
from ses_suppression.policy import Reason

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DATE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def rows(*lines: str) -> list[Entry | RejectedRow]:
    return list(read_export(lines, now=NOW).rows)


def only(*lines: str) -> Entry:
    (row,) = rows(*lines)
    assert isinstance(row, Entry)
    return row


def problem(*lines: str) -> str:
    (row,) = rows(*lines)
    assert isinstance(row, RejectedRow)
    return row.problem


EXPORTS = {
    "SES account-level list": (
        "EmailAddress,Reason,LastUpdateTime",
        "Jane@Example.com,COMPLAINT,2026-03-01T12:30:00+00:00",
        Reason.COMPLAINT, "",
    ),
    "Postmark": (
        "EmailAddress,SuppressionReason,Origin,CreatedAt",
        "jane@example.com,SpamComplaint,Recipient,2026-03-01T07:30:00-05:00",
        Reason.COMPLAINT, "Recipient",
    ),
    "SendGrid bounces, blocks or invalid addresses": (
        "status,reason,email,created",
        '5.1.1,"550 5.1.1 no such user, really",jane@example.com,1772368200',
        Reason.BOUNCE, "550 5.1.1 no such user, really",
    ),
    "SendGrid spam reports": (
        "ip,email,created", "192.0.2.1,jane@example.com,1772368200", Reason.COMPLAINT, "",
    ),
    "SendGrid unsubscribes": (
        "email,created", "jane@example.com,1772368200", Reason.MANUAL, "",
    ),
    "Mailgun bounces": (
        "address,code,error,created_at",
        'jane@example.com,550,No such mailbox,"Sun, 01 Mar 2026 12:30:00 UTC"',
        Reason.BOUNCE, "No such mailbox",
    ),
    "Mailgun unsubscribes": (
        "address,tags,created_at",
        'jane@example.com,*,"Sun, 01 Mar 2026 12:30:00 +0000"',
        Reason.MANUAL, "*",
    ),
    "Mailgun complaints": (
        "address,created_at", "jane@example.com,2026-03-01 12:30:00 UTC", Reason.COMPLAINT, "",
    ),
    "Mailchimp cleaned contacts": (
        "Email Address,First Name,MEMBER_RATING,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE",
        "jane@example.com,Jane,2,2026-03-01 12:30:00,Spring",
        Reason.BOUNCE, "Spring",
    ),
    "Mailchimp unsubscribed contacts": (
        "Email Address,First Name,UNSUB_TIME,UNSUB_REASON",
        "jane@example.com,Jane,2026-03-01 12:30:00,too often",
        Reason.MANUAL, "too often",
    ),
    "generic, with email": (
        "email;reason;date", "jane@example.com;HARD_BOUNCE;1772368200000", Reason.BOUNCE, "",
    ),
    "generic, with address": (
        "address,reason,since,note",
        "jane@example.com,complaint,2026-03-01T12:30Z,from the shop",
        Reason.COMPLAINT, "from the shop",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "export"), EXPORTS.items(), ids=EXPORTS)
def test_an_export_is_known_by_its_header_and_keeps_reason_and_date(
    name: str, export: tuple[str, str, Reason, str]
) -> None:
    header, line, reason, note = export
    for first in (header, header.upper(), f"\ufeff{header}"):
        found = read_export([f"{first}\r\n", "\r\n", f"{line}\r\n"], now=NOW)
        assert found.format.name == name
        assert list(found.rows) == [
            Entry(line=3, address="jane@example.com", reason=reason, at=DATE, note=note)
        ]


def test_every_format_has_an_example() -> None:
    assert [form.name for form in FORMATS] == list(EXPORTS)


def test_a_column_without_a_name_is_no_status() -> None:
    assert only(",address,reason", "4,jane@example.com,BOUNCE").reason is Reason.BOUNCE


def test_a_list_of_ones_own_is_believed_about_its_reasons() -> None:
    row = only("address,reason,created_at", "jane@example.com,BOUNCE,20260301")
    assert (row.reason, row.at) == (Reason.BOUNCE, datetime(2026, 3, 1, tzinfo=UTC))


def test_the_form_of_sess_bulk_import_has_no_header() -> None:
    found = read_export(["jane@example.com,BOUNCE", "joe@example.com, COMPLAINT"], now=NOW)
    assert found.format is SES_BULK
    assert [
        (row.address, row.reason, row.line) for row in found.rows if isinstance(row, Entry)
    ] == [
        ("jane@example.com", Reason.BOUNCE, 1),
        ("joe@example.com", Reason.COMPLAINT, 2),
    ]


@pytest.mark.parametrize(
    "lines",
    [[], ["", "\n"], ["name,phone"], ["address"][:0], ['"'], ["\x00"], ["jane@example.com"]],
)
def test_a_file_of_another_form_is_refused_with_the_known_ones(lines: list[str]) -> None:
    with pytest.raises(UnknownFormatError, match="none of the known ones; found: ") as raised:
        read_export(lines, now=NOW)
    for name in EXPORTS:
        assert name in str(raised.value)


@pytest.mark.parametrize("header", ["address,address", "Email,EMAIL,created"])
def test_a_file_with_two_columns_of_the_same_name_is_refused(header: str) -> None:
    with pytest.raises(UnknownFormatError, match="several columns are called "):
        read_export([header, "joe@example.com,jane@example.com,1767225600"], now=NOW)


def test_beside_a_column_of_e_mail_an_address_is_where_somebody_lives() -> None:
    assert only("address,email", "1 Main Street,jane@example.com").address == "jane@example.com"


def test_a_row_may_name_an_end_and_a_stream() -> None:
    row = only("address,until,stream", "jane@example.com,2027-01-01,news")
    assert (row.until, row.stream) == (datetime(2027, 1, 1, tzinfo=UTC), "news")
    assert only("address,stream", "jane@example.com,*").stream is None
    assert only("address,stream", "jane@example.com,").stream is None


def test_a_row_without_reason_or_date_is_manual_and_says_no_date() -> None:
    row = only("email", "jane@example.com")
    assert (row.reason, row.at, row.until, row.stream) == (Reason.MANUAL, None, None, None)


@pytest.mark.parametrize(
    ("header", "line", "why"),
    [
        ("email", "nobody", "an address needs an @"),
        ("email,reason", "jane@example.com,dislike", "the reason 'dislike' is not known"),
        ("email,date", "jane@example.com,yesterday", "the date 'yesterday' is not one"),
        ("email,date", "jane@example.com,99999999999999999999", "is not one"),
        ("email,date", "jane@example.com,2026-11-25", "its date lies in the future"),
        ("email,date", "jane@example.com,2026", "the date '2026' is not one"),
        ("email,until", "jane@example.com,2026-11-23", "it has ended already"),
        ("email,date,until", "jane@example.com,2026-01-02,2026-01-01", "it has ended already"),
        (
            "status,reason,email,created",
            "4.2.2,full,jane@example.com,1",
            "a temporary failure (4.2.2)",
        ),
        (
            "address,code,error,created_at",
            "jane@example.com,421,busy,1",
            "a temporary failure (421)",
        ),
        ("reason,email", "BOUNCE", "an address needs an @"),
    ],
)
def test_a_row_that_cannot_be_taken_over_says_why(header: str, line: str, why: str) -> None:
    assert why in problem(header, line)


def test_a_row_that_is_no_csv_does_not_stop_the_others() -> None:
    long = "x" * 200_000
    read = rows("email", "jane@example.com", f"{long}@example.com", "joe@example.com")
    assert [type(row) for row in read] == [Entry, RejectedRow, Entry]
    assert [getattr(row, "line", 0) for row in read] == [2, 3, 4]


def test_a_quote_that_is_not_closed_swallows_nothing_in_silence() -> None:
    lines = [f"a{number}@example.com,x" for number in range(100)]
    (unclosed,) = rows("address,note", 'a@example.com,"oops', *lines)
    assert isinstance(unclosed, RejectedRow)
    assert (unclosed.line, unclosed.problem) == (
        2,
        "not CSV up to line 102: unexpected end of data",
    )
    first, *others = rows("address,note", 'a@example.com,"oops', *lines[:50], 'b"', *lines[50:])
    assert isinstance(first, RejectedRow)
    assert (first.line, first.problem) == (
        2, "the lines up to 53 are one row: a quote is not closed",
    )  # fmt: skip
    assert len(others) == 50


def test_a_row_may_have_lines_within_its_quotes() -> None:
    row = only("address,note", 'jane@example.com,"two\n', 'lines"')
    assert (row.line, row.note) == (2, "two\nlines")


def test_a_rejected_row_is_named_by_its_line() -> None:
    read = rows("email", "jane@example.com", "", "nobody")
    assert isinstance(read[1], RejectedRow)
    assert (read[1].line, read[1].text) == (4, "nobody")


@given(st.text(max_size=20))
def test_a_cell_is_no_formula_and_reads_back(cell: str) -> None:
    assert escaped(cell)[:1] not in set("=+-@\t\r")
    assert unescaped(escaped(cell)) == cell


def test_an_address_that_looks_like_a_formula_survives_a_spreadsheet() -> None:
    assert only("email", "'+jane@example.com").address == "+jane@example.com"


@given(st.lists(st.text(max_size=30), max_size=8))
def test_no_file_however_odd_makes_the_reading_raise_anything_else(lines: list[str]) -> None:
    for first in ([], ["email,created"], ["address,reason,since,until"]):
        try:
            for row in read_export([*first, *lines], now=NOW).rows:
                assert isinstance(row, Entry | RejectedRow)
        except UnknownFormatError:
            assert not first
