"""What receiving systems answer, and what that says about the mailbox.

`refusals.tsv` holds their replies in our own words. A reply that was diagnosed wrongly becomes a
line of it.
"""

import csv
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.core import refusal_words
from ses_suppression.core.diagnosis import diagnose, diagnose_reply
from ses_suppression.core.refusals import DELAYED, NO_REPLY, OTHERWISE, ROWS, Row, covers
from ses_suppression.core.rules import Rule
from ses_suppression.core.smtp_reply import replies_in
from ses_suppression.core.untrusted_text import MAX_DIAGNOSTIC, kept_diagnostic
from tests.builders import hard

DEAD, FULL, BLOCKED = Rule.HARD_BOUNCE, Rule.TRANSIENT_BOUNCE, Rule.BLOCK
ROUTE, MESSAGE, SENDER = Rule.ROUTING_FAILURE, Rule.MESSAGE_FAULT, Rule.SENDER_FAULT

with (Path(__file__).parent / "refusals.tsv").open(encoding="utf-8", newline="") as lines:
    REFUSALS = [
        (
            Rule(rule),
            receiver,
            language,
            None if status == "-" else status,
            text.replace(r"\n", "\n"),
        )
        for rule, receiver, language, status, text in list(
            csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        )[1:]
    ]


def row_of(status: str | None, diagnostic: str | None) -> Row:
    return diagnose_reply(status, kept_diagnostic(diagnostic))


@pytest.fixture(autouse=True)
def no_answers_from_before() -> None:
    """A warm cache would answer for code that has been changed."""
    diagnose_reply.cache_clear()
    covers.cache_clear()


@pytest.mark.parametrize(("rule", "receiver", "language", "status", "text"), REFUSALS)
def test_the_reply_of_a_receiver_meets_its_rule(
    rule: Rule, receiver: str, language: str, status: str | None, text: str
) -> None:
    assert row_of(status, text).rule is rule, (receiver, language)


def test_the_replies_come_from_many_receivers_in_many_languages() -> None:
    assert len(REFUSALS) >= 400
    assert len({receiver for _, receiver, *_ in REFUSALS}) >= 80
    assert len({language for _, _, language, *_ in REFUSALS}) >= 12


def test_every_row_decides_a_reply() -> None:
    deciding = {row_of(status, text).name for *_, status, text in REFUSALS}
    assert deciding == {row.name for row in (*ROWS, OTHERWISE)}


def expressions() -> Iterator[str]:
    for name, words in vars(refusal_words).items():
        if name.isupper() and not name.startswith("_"):
            yield from words


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_expression_is_in_a_reply(expression: str) -> None:
    assert any(
        re.search(expression, reply.words)
        for *_, status, text in REFUSALS
        for reply in replies_in(status or "", kept_diagnostic(text) or "")
    )


NEAR_MISSES = {
    "temporary code": ("5.1.1", "550 5.1.1 not 4.1.1"),
    "no mail for the domain": (None, "550 This host does not accept your answer"),
    "sender's authentication code": ("5.7.28", "550 5.7.28 refused"),
    "sender's reputation": (None, "550 User not listed in the directory, ask your spam filter"),
    "sender's authentication": (None, "550 SPF: pass, DKIM=pass, and still no such user"),
    "sender's address code": ("5.1.9", "550 5.1.9 refused"),
    "sender's address": (None, "550 User unknown; the sender may ask the postmaster"),
    "sender's network": (None, "550 We found no such client; check your spelling"),
    "mailbox full": (None, "550 Mailbox of the full name is unknown"),
    "message too large": (None, "550 The mailbox exceeds its allowed size"),
    "message malformed": (None, "550 The address in RCPT is malformed"),
    "rate": (None, "550 Too many wrong guesses: user unknown"),
    "no relay": (None, "550 User unknown in relay recipient table"),
    "unverified": (None, "550 Unknown recipient, verified by a call to their host"),
    "no such domain": (None, "451 Host not found, try again"),
    "no such recipient": (None, "550 Your IP address is unknown to us"),
    "no such recipient, other languages": (None, "550 Diese Nachricht nehmen wir nicht an"),
    "recipient disabled": (None, "550 TLS is disabled for this connection"),
    "directory lookup": ("5.7.1", "550 5.7.1 Access denied"),
    "block": (None, "550 The block of flats has no such resident"),
    "broken route": (None, "550 The new user waits for an invitation"),
    "try again later": (None, "550 No such user; do not try again"),
    "mailbox unavailable": (None, "550 The page about mailboxes is unavailable"),
    "wrapped refusal": ("5.1.1", "550 5.1.1 - Unknown address error"),
    "rate code": ("5.2.12", "550 5.2.12 refused"),
    "system code": ("5.1.40", "550 5.1.40 refused"),
    "unknown recipient code": ("5.1.0", "550 5.1.0 refused"),
    "address code": ("5.2.0", "550 5.2.0 refused"),
    "disabled code": ("5.2.10", "550 5.2.10 refused"),
    "full code": ("5.2.20", "550 5.2.20 refused"),
    "size code": ("5.2.30", "550 5.2.30 refused"),
    "policy code": ("5.5.7", "550 5.5.7 refused"),
    "recipient refused": (None, "550 Recipient address rejected: content inspection"),
    "recipient denied": (None, "550 The message is not for this user"),
}


def test_every_row_has_a_text_that_it_must_not_match() -> None:
    assert NEAR_MISSES.keys() == {row.name for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_leaves_a_similar_text_alone(row: Row) -> None:
    status, text = NEAR_MISSES[row.name]
    for reply in replies_in(status or "", kept_diagnostic(text) or ""):
        assert not row.matches(next(iter(reply.codes), None), reply.words)


@pytest.mark.parametrize(
    ("status", "diagnostic", "rule"),
    [
        # Words about the recipient overrule a code of policy.
        ("5.7.1", "553 sorry, no mailbox here by that name (#5.7.1)", DEAD),
        ("5.7.0", "550 5.7.0 No such user!", DEAD),
        ("5.7.1", "550 5.7.1 Recipient address rejected: Policy", BLOCKED),
        # Words overrule a code where servers contradict themselves.
        ("5.1.1", "552 5.1.1 mailbox is over quota", FULL),
        ("5.2.0", "550 5.2.0 mailbox full", FULL),
        ("5.2.1", "550 5.2.1 Mailbox unavailable. The host is on a block list", BLOCKED),
        ("5.1.0", "550 5.1.0 fails SPF", SENDER),
        ("5.1.1", "550 5.1.1 Sender rejected", BLOCKED),
        ("5.2.0", "550 5.2.0 too many recipients", FULL),
        ("5.1.1", "550 5.1.1 User unknown (dmarc=none)", DEAD),
        ("5.2.2", "552 5.2.2 Over quota, spf=softfail", FULL),
        # A block that names SPF is not the sender's authentication.
        ("5.7.1", "550 5.7.1 Listed at a DNSBL; set up SPF and a PTR", BLOCKED),
        ("5.7.1", "550 5.7.1 Content filter: a virus; DKIM is missing", BLOCKED),
        # A code of class 4 is the reply's own only where it begins with it.
        (None, "550 User unknown. Before: 421 4.7.0 wait", DEAD),
        (None, "550 5.9.9 User unknown. Before: 421 4.7.0 wait", DEAD),
        (None, "550 5.8.1 Refused. Before: 421 4.7.0 wait", BLOCKED),
        (None, "550 4.2.2 refused", FULL),
        (None, "4.2.2 refused", FULL),
        # Codes.
        ("5.7.26", None, SENDER),
        ("5.7.515", None, SENDER),
        ("5.7.28", None, BLOCKED),
        ("5.7.606", "550 5.7.606 Access denied, banned sending IP", BLOCKED),
        ("5.3.0", "550 5.3.0 refused", BLOCKED),
        ("5.3.0", "550 5.3.0 user unknown", DEAD),
        ("5.5.0", "550 5.5.0 mailbox unavailable", DEAD),
        ("5.5.0", "550 5.5.0 refused", BLOCKED),
        ("5.4.1", "550 5.4.1 Relay access denied", ROUTE),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", DEAD),
        ("5.4.4", "550 5.4.4 Invalid domain", DEAD),
        ("5.4.4", "550 5.4.4 Unable to route", ROUTE),
        ("5.2.121", None, FULL),
        ("5.0.0", None, BLOCKED),
        (None, None, BLOCKED),
        ("5.8.1", None, BLOCKED),
        (" 5.7.1 (policy)", None, BLOCKED),
        # Which code counts.
        ("5.1.1", "550 5.7.1 refused", DEAD),
        ("5.0.0", "550 5.1.1 refused", DEAD),
        ("5.5.0", "550 5.5.0 then 552 5.2.2", FULL),
        ("5.5.0", "550 5.5.0 then 5.2.2", BLOCKED),
        ("5.5.0", "550 5.5.0 refused 421 4.7.0 refused", BLOCKED),
        (None, "452-4.2.2 refused", FULL),
        (None, "452 refused", FULL),
        (None, "smtp; 452 refused", FULL),
        (None, "45.2 refused", BLOCKED),
        (None, "450 refused 550 5.1.1 refused", FULL),
        ("5.1.1", "450 refused", DEAD),
        (None, "5.2.2 refused", FULL),
        (None, "SMTP; 5.2.2 refused", FULL),
        (None, "X-Postfix; 5.2.2 refused", FULL),
        (None, "550 #5.2.2 refused", FULL),
        (None, "550 refused (5.2.2)", FULL),
        (None, "550 5.7.1. Refused", BLOCKED),
        (None, "550 host [192.5.1.1] refuses", BLOCKED),
        (None, "550 5.1.1.22 refuses", BLOCKED),
        (None, "550 15.1.1 refuses", BLOCKED),
        (None, "550 version 5.1.1111 refuses", BLOCKED),
        (None, "550 refused by version 4.94.2", BLOCKED),
        # A quoted reply comes before the reply around it.
        ("5.1.0", "550 5.1.0 - Unknown address error 550-'5.7.1 blocked'", BLOCKED),
        ("5.1.0", "550 5.1.0 - Unknown address error '5.2.2 refused'", FULL),
        ("5.1.0", '550 5.1.0 - Unknown address error 550-"5.2.2 refused"', FULL),
        ("5.1.0", "550 5.1.0 - Unknown address error 550-'refused'", BLOCKED),
        ("5.1.1", "550 5.1.1 Remote server returned an error -> 552 mailbox full", FULL),
        ("5.1.1", "550 5.1.1 the other host said: 552 mailbox full", FULL),
        ("5.1.1", "550 5.1.1 the other host said: refused", DEAD),
        ("5.0.0", "550 user unknown, the other host said: 550 refused", DEAD),
        # Hosts, pages and version numbers are no words.
        ("5.0.0", "550 refused by spam.mailbox-full.example.com", BLOCKED),
        ("5.1.1", "550 refused, see https://www.example.com/blocked/spam/quota", DEAD),
        ("5.1.1", "550 refused, see www.example.com/quota", DEAD),
        ("5.0.0", "550 refused by USER.UNKNOWN.EXAMPLE", BLOCKED),
        ("5.0.0", "550 RESOLVER.ADR.RecipNotFound; refused", DEAD),
        ("5.0.0", "550 It is refused.Mailbox full", FULL),
        ("5.0.0", "550 other.example.com does not exist", DEAD),
        ("5.0.0", "550 mx.example.de does not exist", DEAD),
        ("5.0.0", "550 a.b does not matter, the mailbox is full", FULL),
        # A code in the middle of a sentence is no word.
        ("5.0.0", "550-5.0.0 The mailbox is 550-5.0.0 full", FULL),
        ("5.0.0", "550-The mailbox is 550 full", FULL),
        # Letters: case, accents, underscores, white space.
        ("5.0.0", "550 MAILBOX_FULL", FULL),
        ("5.0.0", "550 Mailbox\u00a0\t full", FULL),
        ("5.0.0", "552 La bo\u00eete est satur\u00e9e", FULL),
        ("5.0.0", "552 La boi\u0302te est pleine", FULL),
        ("5.0.0", "552 Skrzynka jest pe\u0142na", FULL),
        ("5.0.0", "550 The user doesn\u2019t exist", DEAD),
        ("5.0.0", "550 Die Nachricht ist zu gro\u00df", MESSAGE),
    ],
)  # fmt: skip
def test_a_reply_is_read_as_people_read_it(
    status: str | None, diagnostic: str | None, rule: Rule
) -> None:
    assert row_of(status, diagnostic).rule is rule


@pytest.mark.parametrize(
    ("pattern", "code", "is_covered"),
    [
        ("5.1.*", "5.1.1", True),
        ("5.1.*", "5.1.10", True),
        ("5.1.*", "5.2.1", False),
        ("4.*.*", "4.7.650", True),
        ("4.*.*", "5.7.650", False),
        ("5.2.2", "5.2.2", True),
        ("5.2.2", "5.2.22", False),
        ("5.2.2", None, False),
    ],
)
def test_a_pattern_covers_its_codes(pattern: str, code: str | None, is_covered: bool) -> None:
    assert covers((pattern,), code) is is_covered
    assert covers(("5.9.9", pattern), code) is is_covered


def test_no_pattern_covers_nothing() -> None:
    assert not covers((), "5.1.1")


def test_a_delayed_recipient_was_not_refused() -> None:
    assert diagnose(hard(action="Delayed", status="5.1.1")) is DELAYED
    assert diagnose(hard(action="failed", status="5.1.1")) is not DELAYED
    assert diagnose(hard(action=None, status="5.1.1")) is not DELAYED


@pytest.mark.parametrize("nothing", [None, ""])
def test_where_ses_passes_no_reply_on_its_word_counts(nothing: str | None) -> None:
    assert diagnose(hard(status=nothing, diagnostic=nothing)) is NO_REPLY
    assert diagnose(hard(status="5.0.0", diagnostic=nothing)) is OTHERWISE
    assert diagnose(hard(status=nothing, diagnostic="550 refused")) is OTHERWISE


def test_every_row_says_why_and_has_a_name_of_its_own() -> None:
    assert all(row.why for row in (*ROWS, DELAYED, NO_REPLY, OTHERWISE))
    assert len({row.name for row in (*ROWS, DELAYED, NO_REPLY, OTHERWISE)}) == len(ROWS) + 3


@given(st.text(), st.text() | st.from_regex(r"[245]\.\d{1,3}\.\d{1,3} .{0,20}"))
def test_every_reply_has_a_diagnosis(status: str, diagnostic: str) -> None:
    assert row_of(status, diagnostic) in {*ROWS, OTHERWISE}
    assert diagnose_reply(status, diagnostic) in {*ROWS, OTHERWISE}


@given(st.sampled_from(REFUSALS), st.sampled_from([" ", "\u00ad", "\u200f", "\x1b", "\r\n"]))
def test_what_stands_around_a_reply_changes_nothing(
    refusal: tuple[Rule, str, str, str | None, str], around: str
) -> None:
    rule, _, _, status, text = refusal
    assert row_of(status, f"{around}{text}{around}").rule is rule


LONG = 65_536
WORST = {
    "one word": "a" * LONG,
    "quotes": "'" * LONG,
    "double quotes": '"' * LONG,
    "quoted replies": "550-'5.7.1 refused " * 4_000,
    "unpaired surrogates": "\ud800" * LONG,
    "nouns": "user " * 13_000,
    "half sentences": "mailbox is " * 6_000,
    "dots": "a." * 32_768,
    "codes": "550 5.1.1 " * 6_500,
    "blanks": " " * LONG,
    "addresses": "a@b.example " * 5_500,
    "at signs": "a@" * 32_768,
    "brackets": "<[(" * 21_000,
    "ligatures": "\ufdfa" * LONG,
    "accents": "e\u0301" * 32_768,
}
MILLISECONDS = 5


@pytest.mark.parametrize("text", WORST.values(), ids=WORST)
def test_the_worst_text_of_a_stranger_is_diagnosed_in_time(text: str) -> None:
    def milliseconds() -> float:
        diagnose_reply.cache_clear()
        began = time.thread_time()
        row_of("5.0.0", text)
        return (time.thread_time() - began) * 1000

    assert min(milliseconds() for _ in range(20)) < MILLISECONDS


def test_a_text_that_was_not_cut_before_is_cut() -> None:
    """What would decide begins where the text is cut."""
    before = "550 refused ".ljust(MAX_DIAGNOSTIC, ".")
    assert diagnose_reply(None, f"{before} user unknown") is OTHERWISE
    assert diagnose_reply(None, f"{before[:-14]} user unknown").rule is DEAD


def test_what_is_no_word_leaves_a_blank() -> None:
    (reply,) = replies_in(
        "", "550 5.1.1 No 550 5.1.1 such\thost: mx.example.de, a.b, https://x.example/"
    )
    assert reply.words == "no such host: [host] , a.b,"


def test_only_the_first_prefix_is_taken_off() -> None:
    (reply,) = replies_in("", "smtp; 550 no such user smtp; here")
    assert reply.words == "no such user smtp; here"
