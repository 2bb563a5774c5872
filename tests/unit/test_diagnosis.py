"""What the large receivers answer, and what it says about the mailbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.diagnosis import DELAYED, OTHERWISE, ROWS, _rows_about, diagnose
from ses_suppression.rules import Rule
from tests.unit.test_decision import hard

DEAD, FULL, BLOCKED = Rule.HARD_BOUNCE, Rule.TRANSIENT_BOUNCE, Rule.BLOCK
ROUTE, MESSAGE = Rule.ROUTING_FAILURE, Rule.MESSAGE_FAULT


@pytest.fixture(autouse=True)
def no_answers_from_before() -> None:
    """A warm cache would answer for code that has been changed."""
    _rows_about.cache_clear()


@pytest.mark.parametrize(
    ("status", "diagnostic", "rule"),
    [
        # Gmail
        (
            "5.1.1",
            "smtp; 550-5.1.1 The email account that you tried to reach does not exist.",
            DEAD,
        ),
        ("5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled.", DEAD),
        ("5.2.1", "smtp; 550-5.2.1 The user is receiving mail at a rate that prevents more", FULL),
        ("5.2.2", "smtp; 552-5.2.2 The recipient's inbox is out of storage space", FULL),
        (
            "5.7.26",
            "smtp; 550-5.7.26 This mail has been blocked because it is unauthenticated",
            BLOCKED,
        ),
        (
            "5.7.1",
            "smtp; 550-5.7.1 Our system has detected an unusual rate of unsolicited mail",
            BLOCKED,
        ),
        # Yahoo
        (None, "smtp; 554 delivery error: dd This user doesn't have a yahoo.com account", DEAD),
        (
            None,
            "smtp; 554 30 Sorry, your message cannot be delivered. Mailbox is disabled (554.30)",
            DEAD,
        ),
        (None, "smtp; 554 delivery error: dd Sorry. This account is over quota.", FULL),
        (
            None,
            "smtp; 554 Message not allowed - [PH01] Email not accepted for policy reasons",
            BLOCKED,
        ),
        ("5.7.9", "smtp; 554 5.7.9 Message not accepted for policy reasons.", BLOCKED),
        # Outlook.com and Exchange Online
        ("5.5.0", "smtp; 550 5.5.0 Requested action not taken: mailbox unavailable", DEAD),
        ("5.1.10", "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", DEAD),
        ("5.4.1", "smtp; 550 5.4.1 [<address>]: Recipient address rejected: Access denied.", DEAD),
        ("5.4.310", "smtp; 550 5.4.310 DNS domain example.test does not exist", DEAD),
        (
            "5.7.1",
            "smtp; 550 5.7.1 Unfortunately, messages were not sent; on our block list (S3150)",
            BLOCKED,
        ),
        ("5.7.606", "smtp; 550 5.7.606 Access denied, banned sending IP", BLOCKED),
        ("5.2.2", "smtp; 554 5.2.2 mailbox full; STOREDRV.Deliver", FULL),
        ("5.3.4", "smtp; 552 5.3.4 Message size exceeds fixed maximum message size", MESSAGE),
        ("5.2.3", "smtp; 550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large", MESSAGE),
        ("5.4.6", "smtp; 554 5.4.6 Hop count exceeded - possible mail loop", ROUTE),
        ("5.4.4", "smtp; 550 5.4.4 Invalid domain", DEAD),
        ("5.4.4", "smtp; 550 5.4.4 Unable to route", ROUTE),
        # iCloud, GMX, mail.ru, Comcast, filters
        ("5.1.1", "smtp; 550 5.1.1 <address>: user does not exist", DEAD),
        ("5.7.1", "smtp; 554 5.7.1 [HM08] Message rejected due to local policy", BLOCKED),
        (None, "smtp; 550 Requested action not taken: mailbox unavailable", DEAD),
        (None, "smtp; 554 Transaction failed Reject due to policy restrictions", BLOCKED),
        (None, "smtp; 550 Message was not accepted -- invalid mailbox. user not found", DEAD),
        (None, "smtp; 550 spam message rejected", BLOCKED),
        (None, "smtp; 554 refused: your IP is on a DNSBL", BLOCKED),
        (None, "smtp; 550 Virus detected", BLOCKED),
        (None, "smtp; 550 permanent failure for one or more recipients (address:blocked)", BLOCKED),
        (
            None,
            "smtp; 550 Mailbox not found, no access, or command rejected for policy reasons",
            DEAD,
        ),
        (None, "smtp; 552 Insufficient system storage", FULL),
        (None, "smtp; 552 Mailbox is full", FULL),
        (None, "smtp; 552 Message too large", MESSAGE),
        (None, "smtp; 554 mail loop detected", ROUTE),
        (None, "smtp; 550 relaying denied", ROUTE),
        # codes
        ("5.7.13", None, DEAD),
        ("5.7.17", None, DEAD),
        ("5.7.18", None, DEAD),
        ("5.1.8", "550 5.1.8 sender address rejected", BLOCKED),
        ("5.1.7", None, BLOCKED),
        ("5.6.0", None, BLOCKED),
        ("5.2.4", None, ROUTE),
        ("5.3.2", None, ROUTE),
        ("5.3.5", None, ROUTE),
        ("5.3.1", None, FULL),
        ("5.4.7", None, ROUTE),
        ("5.4.1", "550 no answer from host", ROUTE),
        ("4.4.7", "smtp; 550 4.4.7 Message expired: unable to deliver", FULL),
        ("5.0.0", None, DEAD),
        (None, None, DEAD),
        # which code counts
        ("5.1.1", "550 5.7.1 blocked", DEAD),
        ("5.0.0", "550 5.7.1 rejected", BLOCKED),
        ("5.5.0", "550 5.5.0 then 552 5.2.2", FULL),
        ("5.5.0", "550 5.5.0 then 5.2.2", DEAD),
        (None, "5.2.2 over", FULL),
        (None, "SMTP; 5.2.2 over", FULL),
        (None, "452-4.2.2 over quota", FULL),
        (None, "550 host [192.5.7.1] says no", DEAD),
        (None, "550 host [5.7.1.22] says no", DEAD),
        (None, "550 5.7.1. Rejected", BLOCKED),
        (None, "550 #5.7.1 rejected", BLOCKED),
        (None, "550 15.7.1 rejected", DEAD),
        (None, "550 User unknown (mx1, Exim 4.94.2)", DEAD),
        (None, "554 blocked as spam by Exim 4.94.2", BLOCKED),
        (None, "550 no; see https://example.test/4.7.1", DEAD),
        (" 5.7.1 (policy)", None, BLOCKED),
        ("5.8.1", None, DEAD),
        (None, "550 version 5.7.1111 says no", DEAD),
    ],
)
def test_what_a_receiver_answers_says_what_the_bounce_is(
    status: str | None, diagnostic: str | None, rule: Rule
) -> None:
    assert diagnose(hard(status=status, diagnostic=diagnostic)).rule is rule


def test_a_delayed_recipient_was_not_refused() -> None:
    assert diagnose(hard(action="Delayed", status="5.1.1")) is DELAYED
    assert diagnose(hard(action="failed", status="5.1.1")) is not DELAYED


def test_every_row_has_its_reason_and_can_be_met() -> None:
    assert all(row.why for row in ROWS)
    for row in ROWS:
        for code in row.codes:
            example = code.replace("*.*", "3.99").replace("*", "99")
            text = row.text.split("|")[0]
            assert diagnose(hard(status=example, diagnostic=text)).rule is row.rule


@given(st.text(), st.text() | st.from_regex(r"[245]\.\d{1,3}\.\d{1,3} .{0,20}"))
def test_every_answer_has_a_diagnosis(status: str, diagnostic: str) -> None:
    assert diagnose(hard(status=status, diagnostic=diagnostic)) in {*ROWS, OTHERWISE}
