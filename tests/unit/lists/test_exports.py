"""Exports of other services: known by their header, with their reasons and dates."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.rules import Rule
from ses_suppression.lists.csv_file import escape_cell, unescape_cell
from ses_suppression.lists.exports import (
    Entry,
    Export,
    RejectedRow,
    UnknownFormatError,
    read_export,
)
from ses_suppression.lists.import_cells import WORDS
from ses_suppression.lists.import_services import FORMATS, SES_BULK

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DATE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
UNDATED = datetime(2026, 11, 20, tzinfo=UTC)
POLICY = Policy(block_hold_days=9)


def read(lines: Iterable[str]) -> Export:
    return read_export(lines, now=NOW, undated=UNDATED, policy=POLICY)


def rows(*lines: str) -> list[Entry | RejectedRow]:
    return list(read(lines).rows)


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
    "Mandrill rejections": (
        "email,reason,detail,created_at,expires_at,last_event_at,expires_at,subaccount",
        "jane@example.com,hard-bounce,smtp;550 5.1.1 user unknown,2026-03-01 12:30:00.0000,,,,",
        Reason.BOUNCE, "smtp;550 5.1.1 user unknown",
    ),
    "Brevo blocked contacts": (
        "email,senderEmail,reason,blockedAt",
        "jane@example.com,shop@example.org,contactFlaggedAsSpam,2026-03-01T12:30:00.000Z",
        Reason.COMPLAINT, "shop@example.org",
    ),
    "Klaviyo suppressed profiles": (
        "Email,Reason,Timestamp",
        "jane@example.com,SPAM_COMPLAINT,2026-03-01T12:30:00+00:00",
        Reason.COMPLAINT, "",
    ),
    "HubSpot unsubscribes and bounces": (
        "Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce,Marketing",
        "jane@example.com,TRUE,FALSE,FALSE,FALSE,TRUE",
        Reason.BOUNCE, "",
    ),
    "SendGrid bounces or blocks": (
        "status,reason,email,created",
        '5.1.1,"550 5.1.1 user unknown, really",jane@example.com,1772368200',
        Reason.BOUNCE, "550 5.1.1 user unknown, really",
    ),
    "SendGrid invalid addresses": (
        "reason,email,created",
        "Mail domain mentioned in email address is unknown,jane@example.com,1772368200",
        Reason.BOUNCE, "Mail domain mentioned in email address is unknown",
    ),
    "SendGrid spam reports": (
        "ip,email,created", "192.0.2.1,jane@example.com,1772368200", Reason.COMPLAINT, "",
    ),
    "SendGrid unsubscribes": (
        "email,created", "jane@example.com,1772368200", Reason.MANUAL, "",
    ),
    "SparkPost": (
        "recipient,type,source,description,created,updated",
        "jane@example.com,transactional,Bounce Rule,550 5.1.1 user unknown,2026-03-01T12:30:00Z,",
        Reason.BOUNCE, "550 5.1.1 user unknown transactional",
    ),
    "Postal": (
        "id,type,address,reason,timestamp,keep_until",
        "7,recipient,jane@example.com,too many hard fails,1772368200.0,1893456000.000000",
        Reason.BOUNCE, "",
    ),
    "Mailgun bounces": (
        "address,code,error,created_at",
        'jane@example.com,550,5.1.1 user unknown,"Sun, 01 Mar 2026 12:30:00 UTC"',
        Reason.BOUNCE, "5.1.1 user unknown",
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


WITHOUT_A_DATE = {"HubSpot unsubscribes and bounces"}
WITH_AN_END = {"Postal": datetime(2030, 1, 1, tzinfo=UTC)}


@pytest.mark.parametrize(("name", "export"), EXPORTS.items(), ids=EXPORTS)
def test_an_export_is_known_by_its_header_and_keeps_reason_and_date(
    name: str, export: tuple[str, str, Reason, str]
) -> None:
    header, line, reason, note = export
    for first in (header, header.upper(), f"\ufeff{header}"):
        found = read([f"{first}\r\n", "\r\n", f"{line}\r\n"])
        assert found.format.name == name
        assert list(found.rows) == [
            Entry(
                line=3,
                address="jane@example.com",
                reason=reason,
                at=None if name in WITHOUT_A_DATE else DATE,
                until=WITH_AN_END.get(name),
                note=note,
            )
        ]


def test_every_format_has_an_example() -> None:
    assert [form.name for form in FORMATS] == list(EXPORTS)


def test_a_column_without_a_name_is_no_status() -> None:
    assert only(",address,reason", "4,jane@example.com,BOUNCE").reason is Reason.BOUNCE


def test_a_list_of_ones_own_is_believed_about_its_reasons() -> None:
    row = only("address,reason,created_at", "jane@example.com,BOUNCE,20260301")
    assert (row.reason, row.at) == (Reason.BOUNCE, datetime(2026, 3, 1, tzinfo=UTC))


def test_the_form_of_sess_bulk_import_has_no_header() -> None:
    found = read(["jane@example.com,BOUNCE", "joe@example.com, COMPLAINT"])
    assert found.format is SES_BULK
    assert [
        (row.address, row.reason, row.line) for row in found.rows if isinstance(row, Entry)
    ] == [("jane@example.com", Reason.BOUNCE, 1), ("joe@example.com", Reason.COMPLAINT, 2)]


@pytest.mark.parametrize(
    "lines",
    [[], ["", "\n"], ["name,phone"], ["address"][:0], ['"'], ["\x00"], ["jane@example.com"]],
)
def test_a_file_of_another_form_is_refused_with_the_known_ones(lines: list[str]) -> None:
    with pytest.raises(UnknownFormatError, match="none of the known ones; found: ") as raised:
        read(lines)
    notes = "\n".join(raised.value.__notes__)
    for name in EXPORTS:
        assert name in notes


@pytest.mark.parametrize("header", ["address,address", "Email,EMAIL,created"])
def test_a_file_with_two_columns_of_the_same_name_is_refused(header: str) -> None:
    with pytest.raises(UnknownFormatError, match="several columns are called "):
        read([header, "joe@example.com,jane@example.com,1767225600"])


def test_beside_a_column_of_e_mail_an_address_is_where_somebody_lives() -> None:
    assert only("address,email", "1 Main Street,jane@example.com").address == "jane@example.com"


def test_a_row_may_name_an_end_and_a_stream() -> None:
    row = only("address,until,stream", "jane@example.com,2027-01-01,news")
    assert (row.until, row.stream) == (datetime(2027, 1, 1, tzinfo=UTC), "news")
    assert only("address,stream", "jane@example.com,*").stream is None
    assert only("address,stream", "jane@example.com,").stream is None


def test_a_hold_of_a_tenants_mail_is_left_out_and_the_import_goes_on() -> None:
    """Our own export has such rows."""
    export = read(["address,stream", "jane@example.com,tenant:acme", "joe@example.com,news"])
    left_out, taken = export.rows
    assert isinstance(left_out, RejectedRow)
    assert "tenant" in left_out.problem
    assert isinstance(taken, Entry)


def test_a_row_without_reason_or_date_is_manual_and_says_no_date() -> None:
    row = only("email", "jane@example.com")
    assert (row.reason, row.at, row.until, row.stream) == (Reason.MANUAL, None, None, None)


@pytest.mark.parametrize(
    ("header", "line", "why"),
    [
        ("email", "nobody", "an address needs an @"),
        ("email,reason", "jane@example.com,soft-bounce", "a temporary failure (transient-bounce)"),
        ("email,until", "jane@example.com,2026-11-23", "`until` has passed"),
        ("email,date,until", "jane@example.com,2026-01-02,2026-01-01", "`until` has passed"),
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
        (
            "email,reason,detail,created_at",
            "jane@example.com,soft-bounce,550 5.1.1 user unknown,2026-11-23 10:00:00",
            "a temporary failure (transient-bounce)",
        ),
        (
            "address,reason,timestamp,keep_until",
            "jane@example.com,too many soft fails,1772368200,1893456000",
            "a temporary failure (transient-bounce)",
        ),
        (
            "address,reason,timestamp,keep_until",
            "jane@example.com,too many hard fails,1772368200,1774960200",
            "`until` has passed",
        ),
        ("reason,email", "BOUNCE", "an address needs an @"),
    ],
)
def test_a_row_that_cannot_be_taken_over_says_why(header: str, line: str, why: str) -> None:
    assert why in problem(header, line)


def test_a_row_that_is_no_csv_does_not_stop_the_others() -> None:
    long = "x" * 200_000
    found = rows("email", "jane@example.com", f"{long}@example.com", "joe@example.com")
    assert [type(row) for row in found] == [Entry, RejectedRow, Entry]
    assert [getattr(row, "line", 0) for row in found] == [2, 3, 4]


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
    found = rows("email", "jane@example.com", "", "nobody")
    assert isinstance(found[1], RejectedRow)
    assert (found[1].line, found[1].text) == (4, "nobody")


@given(st.text(max_size=20))
def test_a_cell_is_no_formula_and_reads_back(cell: str) -> None:
    assert escape_cell(cell)[:1] not in set("=+-@\t\r")
    assert unescape_cell(escape_cell(cell)) == cell


def test_an_address_that_looks_like_a_formula_survives_a_spreadsheet() -> None:
    assert only("email", "'+jane@example.com").address == "+jane@example.com"


@given(st.lists(st.text(max_size=30), max_size=8))
def test_no_file_however_odd_makes_the_reading_raise_anything_else(lines: list[str]) -> None:
    for first in ([], ["email,created"], ["address,reason,since,until"]):
        try:
            for row in read([*first, *lines]).rows:
                assert isinstance(row, Entry | RejectedRow)
        except UnknownFormatError:
            assert not first


SENDGRID = "status,reason,email,created"
A_DAY_AGO = int((NOW - timedelta(days=1)).timestamp())
TEN_DAYS_AGO = int((NOW - timedelta(days=10)).timestamp())


@pytest.mark.parametrize(
    ("status", "reason", "days"),
    [
        ("5.1.1", "550 5.1.1 user unknown", None),
        ("550", "550 5.1.1 user unknown", None),
        ("", "550 5.1.1 user unknown", None),
        ("5.1.1", "", None),
        ("", "", None),
        ("5.0.0", "", None),
        ("550", "", None),
        ("550", "Bounced", None),
        ("5.7.1", "550 5.7.1 blocked using a block list", 9),
        ("550", "550 5.7.1 blocked using a block list", 9),
        ("", "blocked using a block list", 9),
        ("5.4.6", "554 5.4.6 routing loop detected", 9),
    ],
)
def test_a_bounce_of_sendgrid_is_diagnosed_and_a_block_ends_as_the_policys_do(
    status: str, reason: str, days: int | None
) -> None:
    row = only(SENDGRID, f"{status},{reason},jane@example.com,{A_DAY_AGO}")
    end = NOW - timedelta(days=1) + timedelta(days=days) if days else None
    assert (row.reason, row.until) == (Reason.BOUNCE, end)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("5.2.2", "552 5.2.2 mailbox full"),
        ("552", "552 5.2.2 mailbox full"),
        ("", "421 4.4.2 timed out"),
        ("4.0.0", "no route to host"),
    ],
)
def test_what_is_no_fault_of_the_mailbox_for_good_is_left_out(status: str, reason: str) -> None:
    line = f"{status},{reason},jane@example.com,{A_DAY_AGO}"
    assert "a temporary failure (" in problem(SENDGRID, line)


def test_a_fault_of_the_message_or_of_the_sender_is_left_out_as_such() -> None:
    large = f"5.3.4,552 5.3.4 message too big,jane@example.com,{A_DAY_AGO}"
    assert problem(SENDGRID, large) == "the message's fault (message-fault), not the recipient's"
    unsigned = f"5.7.26,550 5.7.26 neither SPF nor DKIM,jane@example.com,{A_DAY_AGO}"
    assert problem(SENDGRID, unsigned) == "the sender's fault, not the recipient's"


def test_a_block_that_has_ended_is_left_out_with_that_reason() -> None:
    line = f"5.7.1,blocked using a block list,jane@example.com,{TEN_DAYS_AGO}"
    assert problem(SENDGRID, line) == "the block has ended: block_hold_days is 9"


def test_a_block_without_a_date_ends_some_days_after_the_time_of_the_file() -> None:
    row = only(SENDGRID, "5.7.1,blocked using a block list,jane@example.com,")
    assert (row.at, row.until) == (None, UNDATED + timedelta(days=9))


@pytest.mark.parametrize("header", ["email,reason,created", "email,reason,detail,created_at"])
def test_where_no_column_has_a_status_only_a_text_with_a_code_is_a_reply(header: str) -> None:
    word = "hard-bounce," if "detail" in header else ""
    date = "2026-11-23 00:00:00"
    words = only(header, f"jane@example.com,{word}Known bad domain,{date}")
    blocked = only(header, f"jane@example.com,{word}550 5.7.1 blocked by a block list,{date}")
    assert (words.reason, words.until) == (Reason.BOUNCE, None)
    assert blocked.until == NOW + timedelta(days=8)


def test_mailgun_and_sparkpost_are_diagnosed_too() -> None:
    mailgun = "address,code,error,created_at"
    full = f"jane@example.com,552,5.2.2 mailbox full,{A_DAY_AGO}"
    assert "a temporary failure" in problem(mailgun, full)
    assert only(mailgun, f"jane@example.com,550,,{A_DAY_AGO}").until is None
    sparkpost = "recipient,type,source,description,created"
    line = "jane@example.com,transactional,Bounce Rule,554 5.7.1 blocked using a list,2026-11-23"
    assert only(sparkpost, line).until == NOW + timedelta(days=8)
    line = "jane@example.com,transactional,Compliance,554 5.7.1 blocked using a list,2026-03-01"
    assert only(sparkpost, line).reason is Reason.MANUAL


HUBSPOT = "Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce,Newsletter"


@pytest.mark.parametrize(
    ("cells", "reason", "until", "note"),
    [
        ("TRUE,TRUE,TRUE,TRUE,TRUE", Reason.COMPLAINT, None, ""),
        (",TRUE,,,TRUE", Reason.MANUAL, None, ""),
        ("FALSE,FALSE,FALSE,TRUE,FALSE", Reason.BOUNCE, None, ""),
        ("MAILBOX_FULL,TRUE,FALSE,FALSE,", Reason.MANUAL, None, "MAILBOX_FULL"),
        ("SPAM,FALSE,FALSE,FALSE,", Reason.BOUNCE, UNDATED + timedelta(days=9), "SPAM"),
        ("FALSE,FALSE,FALSE,FALSE,TRUE", Reason.MANUAL, None, ""),
    ],
)
def test_of_the_columns_of_hubspot_the_gravest_counts(
    cells: str, reason: Reason, until: datetime | None, note: str
) -> None:
    row = only(HUBSPOT, f"jane@example.com,{cells}")
    assert (row.reason, row.until, row.note) == (reason, until, note)


def test_a_full_mailbox_alone_is_left_out_of_hubspots_list() -> None:
    line = "jane@example.com,MAILBOX_FULL,FALSE,FALSE,FALSE,FALSE"
    assert "a temporary failure" in problem(HUBSPOT, line)


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *[
            (word, Reason.BOUNCE)
            for word in (
                "bounced", "BOUNCE", "hard-bounce", "HardBounce", "hard_bounce", "HARD_BOUNCE",
                "Hard Bounced", "hardBounce", "invalid", "INVALID_EMAIL", "Bounce Rule", "cleaned",
            )
        ],
        *[
            (word, Reason.COMPLAINT)
            for word in (
                "complained", "spam", "Spam Report", "SPAM_COMPLAINT", "Spam Complaint",
                "SpamComplaint", "contactFlaggedAsSpam",
            )
        ],
        *[
            (word, Reason.MANUAL)
            for word in (
                "", "Unsubscribed", "UNSUBSCRIBE", "unsub", "USER_SUPPRESSED", "custom", "manual",
                "rule", "unsubscribedViaEmail", "unsubscribedViaApi", "unsubscribedViaMA",
                "adminBlocked", "Compliance", "Unsubscribe Link", "List Unsubscribe",
                "Manually Added", "ManualSuppression", "opted-out",
            )
        ],
    ],
)  # fmt: skip
def test_an_everyday_word_for_a_reason_is_understood(word: str, reason: Reason) -> None:
    row = only("email,reason", f"jane@example.com,{word}")
    assert (row.reason, row.note) == (reason, "")


@pytest.mark.parametrize("word", ["soft-bounce", "Soft Bounce", "SOFT_BOUNCE", "transient"])
def test_a_soft_bounce_is_left_out(word: str) -> None:
    assert "a temporary failure" in problem("email,reason", f"jane@example.com,{word}")


def test_an_unknown_word_does_not_lose_the_address() -> None:
    row = only("email,reason,note", "jane@example.com,dislike,from the shop")
    assert (row.reason, row.note) == (Reason.MANUAL, "reason: dislike; from the shop")


@pytest.mark.parametrize(
    "date",
    [
        "3/1/2026 12:30", "01.03.2026", "1.77237E+09", "yesterday", "2026", "46082.52",
        "99999999999999999999", "202603011230", "1 Mar 2026 1:30 PM", "0000-00-00 00:00:00",
    ],
)  # fmt: skip
def test_a_date_that_has_no_one_meaning_keeps_the_row_and_is_named(date: str) -> None:
    row = only("email,date,note", f"jane@example.com,{date},from the shop")
    assert row.at is None
    assert row.unread == (f"unread date: {date}",)
    assert row.note == f"unread date: {date}; from the shop"


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=400)])
def test_a_date_in_the_future_keeps_the_row_and_is_named(ahead: timedelta) -> None:
    row = only("email,date", f"jane@example.com,{(NOW + ahead).isoformat()}")
    assert row.at is None
    assert row.unread == (f"date in the future: {NOW + ahead:%Y-%m-%d %H:%M}",)


def test_an_end_that_cannot_be_read_is_none() -> None:
    row = only("email,until", "jane@example.com,next week")
    assert (row.until, row.note) == (None, "unread date: next week")


@pytest.mark.parametrize(
    "line", ["jane@example.com", "jane@example.com,joe@example.com", '"Jane" <jane@example.com>']
)
def test_no_error_has_an_address_in_it(line: str) -> None:
    with pytest.raises(UnknownFormatError) as raised:
        read([line])
    assert "example.com" not in str(raised.value)
    for header in ("reason,email", SENDGRID, "address,until", "email,date", "address,code,error"):
        for row in rows(header, *[line, f"{line},{line},{line},{line}"]):
            assert not isinstance(row, RejectedRow) or "example.com" not in row.problem


_WORD = st.sampled_from([*WORDS, "dislike", "", "Überdruss"]) | st.text(max_size=10)
_DATE = (
    st.sampled_from(["3/1/2026", "1772368200", "1.77237E+09", "2026-03-01", "2999-01-01", ""])
    | st.datetimes().map(datetime.isoformat)
    | st.text(max_size=10)
)


@given(st.lists(st.tuples(_WORD, _DATE)))
def test_every_row_with_an_address_that_is_not_temporary_is_taken_over(
    cells: list[tuple[str, str]],
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["address", "reason", "since"])
    writer.writerows([f"a{number}@example.com", *pair] for number, pair in enumerate(cells))
    file.seek(0)
    found = rows(*file.readlines())
    assert len(found) == len(cells)
    for number, (row, (word, _)) in enumerate(zip(found, cells, strict=True)):
        if isinstance(row, RejectedRow):
            assert row.text == f"a{number}@example.com"
            assert WORDS[_plain(word)] is Rule.TRANSIENT_BOUNCE
        else:
            assert row.address == f"a{number}@example.com"
            assert row.at is None or row.at <= NOW


@given(_WORD | st.sampled_from(["5.7.1", "4.2.2", "550"]), _WORD, _DATE)
def test_a_row_with_a_reply_is_taken_over_or_left_out_as_temporary_or_ended(
    status: str, reply: str, date: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(SENDGRID.split(","))
    writer.writerow([status, reply, "jane@example.com", date])
    file.seek(0)
    (row,) = rows(*file.readlines())
    if isinstance(row, RejectedRow):
        said = ("a temporary failure (", "the message's fault", "the sender's fault")
        assert row.problem.startswith(said) or " has ended: " in row.problem
    else:
        assert row.until is None or row.until > NOW


def _plain(word: str) -> str:
    return "".join(word.lower().replace("-", "").replace("_", "").split())


@pytest.mark.parametrize(
    "row",
    [
        '"jane@example.com, joe@example.com",',
        '"jane@example.com;joe@example.com",',
        "jane@example.com,,joe@example.com",
        "jane@example.com,, Joe <joe@example.com>",
        "jane@example.com(<joe@example.com>,",
    ],
)
def test_a_row_with_several_mailboxes_is_left_out_and_told(row: str) -> None:
    assert problem("email,created", row)


def test_a_row_may_have_other_cells_after_the_last_column() -> None:
    assert only("email,created", "jane@example.com,, said goodbye").address == "jane@example.com"
