"""What the cells of an export mean: the word for a reason, the reply of a server, a date."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ses_suppression.core.diagnosis import diagnose_reply
from ses_suppression.core.rules import Rule
from ses_suppression.core.untrusted_text import kept_diagnostic

_WORDS = {
    Rule.HARD_BOUNCE: (
        "bounce", "bounced", "bounces", "hard bounce", "hard bounced", "hard bounces",
        "permanent bounce", "bounce rule", "cleaned", "too many hard fails", "invalid",
        "invalid address", "invalid email", "invalid emails", "bounced address", "user unknown",
    ),
    Rule.COMPLAINT: (
        "complaint", "complained", "complaints", "spam", "spam complaint", "spam complaints",
        "spam report", "spam reports", "reported spam", "contact flagged as spam", "abuse", "fbl",
    ),
    Rule.SUPPRESS: (
        "manual", "manually added", "manual suppression", "user suppressed", "admin blocked",
        "custom", "rule", "compliance", "unsub", "unsubscribe", "unsubscribed", "unsubscribes",
        "unsubscribe link", "unsubscribed via api", "unsubscribed via email",
        "unsubscribed via ma", "list unsubscribe", "global unsubscribe", "opt out", "opted out",
    ),
    Rule.TRANSIENT_BOUNCE: (
        "soft bounce", "soft bounced", "soft bounces", "transient", "transient bounce",
        "temporary", "too many soft fails", "mailbox full", "over quota",
    ),
}  # fmt: skip
"""The reasons as SES, SendGrid, Mailgun, Mailchimp, Mandrill, Postmark, Postal, SparkPost, Brevo,
Klaviyo and people write them."""


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "", word.lower())


WORDS: Mapping[str, Rule] = {_plain(word): rule for rule, words in _WORDS.items() for word in words}


def rule_of_word(word: str) -> Rule | None:
    """Return the rule that a word for a reason means, in any spelling; None: it is not known.

    >>> rule_of_word("HARD_BOUNCE"), rule_of_word("dislike")
    (<Rule.HARD_BOUNCE: 'hard-bounce'>, None)
    """
    return WORDS.get(_plain(word))


_CLASS_4 = re.compile(r"\s*(4(?:\d\d|\.\d{1,3}\.\d{1,3}))\b")
_SPECIFIC = re.compile(r"\s*[245]\.(?!0\.0\b)\d{1,3}\.\d{1,3}\b")  # X.0.0 says nothing more
_CODE = re.compile(r"(?:^|[\s;:(#])[245](?:\d\d|\.\d{1,3}\.\d{1,3})(?=[\s;:)-]|$)")


def temporary_code(status: str) -> str | None:
    """Return the code of a status that is temporary; None: it is not."""
    match = _CLASS_4.match(status)
    return match[1] if match else None


def has_code(text: str) -> bool:
    """Whether a text has a reply code or an enhanced status code, as the reply of a server does."""
    return bool(_CODE.search(text))


def rule_of_reply(status: str, text: str) -> Rule | None:
    """Return the rule that the reply of a server means; None: nothing can be told from it.

    >>> rule_of_reply("550", "550 5.7.1 blocked using a block list").value
    'block'
    """
    if not text and not _SPECIFIC.match(status):
        return None
    return diagnose_reply(status, kept_diagnostic(text)).rule


_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_RFC_5322 = re.compile(  # its parser in Python also takes what it does not understand, such as PM
    rf"(?:[A-Z][a-z]{{2}}, )?\d{{1,2}} (?:{_MONTHS}) \d{{4}} \d\d:\d\d(?::\d\d)?"
    r" (?:[+-]\d{4}|UTC?|GMT)"
)
_UNIX_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]+)?")
_UNIX_MILLISECONDS = re.compile(r"[0-9]{13}")


def moment(text: str) -> datetime | None:
    """Read a date in ISO 8601, RFC 5322 or Unix time; None: it is in no form that has one meaning.

    A date without a zone is taken for UTC.

    >>> moment("Sun, 01 Mar 2026 12:30:00 +0000") == moment("1772368200")
    True
    >>> moment("03/01/2026")
    """
    try:
        if _UNIX_SECONDS.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
        if _UNIX_MILLISECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        if _RFC_5322.fullmatch(text):
            found = parsedate_to_datetime(text)
        else:
            found = datetime.fromisoformat(text.removesuffix(" UTC"))
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
