"""What a permanent bounce says about the mailbox: a table to read and to extend.

SES calls a bounce permanent when the receiving server refused for good. That is a dead mailbox only
some of the time: a full one, a block of the sender, a message that is too big and a broken route
are refused for good too. The first row that matches decides; enhanced status codes speak before any
text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ses_suppression.evidence import Evidence
from ses_suppression.rules import Rule

_RFC_3463 = "RFC 3463, Enhanced Mail System Status Codes"
_RFC_5248 = "IANA, SMTP Enhanced Status Codes registry (RFC 5248)"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table.

    Attributes:
        rule: what such a bounce is.
        codes: enhanced status codes, a `*` for any number; none: any bounce without a code that has
            a row.
        text: a regular expression that the diagnostic has to contain, whatever its case; empty: any
            text.
        why: what the code or text means, and who says so.
    """

    rule: Rule
    codes: tuple[str, ...]
    text: str
    why: str

    def is_about(self, code: str | None) -> bool:
        """Tell whether a code, or none, belongs to this row."""
        if code is None:
            return not self.codes
        return any(_covers(pattern, code) for pattern in self.codes)

    def is_in(self, text: str) -> bool:
        """Tell whether the diagnostic has what the row looks for."""
        return not self.text or bool(re.search(self.text, text, re.IGNORECASE))


ROWS = (
    # What a code says.
    Row(Rule.TRANSIENT_BOUNCE, ("4.*.*",), "", f"class 4 is a transient failure ({_RFC_3463})"),
    Row(
        Rule.BLOCK,
        ("5.1.7", "5.1.8"),
        "",
        f"the sender's address is refused, not the recipient's ({_RFC_3463}, 3.2)",
    ),
    Row(Rule.HARD_BOUNCE, ("5.1.*",), "", f"the recipient's address is bad ({_RFC_3463}, 3.2)"),
    Row(
        Rule.TRANSIENT_BOUNCE,
        ("5.2.1",),
        "at a rate|too quickly|too many messages",
        "Gmail: the mailbox takes no more for now (Google Workspace Admin Help, SMTP error codes)",
    ),
    Row(Rule.HARD_BOUNCE, ("5.2.1",), "", f"the mailbox is disabled ({_RFC_3463}, 3.3)"),
    Row(Rule.TRANSIENT_BOUNCE, ("5.2.2",), "", f"the mailbox is full ({_RFC_3463}, 3.3)"),
    Row(
        Rule.MESSAGE_FAULT,
        ("5.2.3", "5.3.4"),
        "",
        f"the message is too big for mailbox or system ({_RFC_3463}, 3.3 and 3.4)",
    ),
    Row(
        Rule.ROUTING_FAILURE,
        ("5.2.4", "5.3.2", "5.3.5"),
        "",
        f"the receiving system is set up wrongly or closed ({_RFC_3463}, 3.3 and 3.4)",
    ),
    Row(Rule.TRANSIENT_BOUNCE, ("5.3.1",), "", f"the receiving system is full ({_RFC_3463}, 3.4)"),
    Row(
        Rule.HARD_BOUNCE,
        ("5.4.1",),
        "access denied",
        "Exchange Online: no such recipient (Microsoft Learn, Fix NDR error 550 5.4.1)",
    ),
    Row(
        Rule.HARD_BOUNCE,
        ("5.4.4", "5.4.310"),
        "invalid domain|does not exist|not found",
        f"there is no such domain ({_RFC_3463}, 3.5; Microsoft Learn, NDR 5.4.310)",
    ),
    Row(
        Rule.ROUTING_FAILURE,
        ("5.4.*",),
        "",
        f"the network or the route failed, not the mailbox ({_RFC_3463}, 3.5)",
    ),
    Row(Rule.BLOCK, ("5.6.*",), "", f"the content is refused ({_RFC_3463}, 3.7)"),
    Row(
        Rule.HARD_BOUNCE,
        ("5.7.13", "5.7.17", "5.7.18"),
        "",
        f"the account is disabled, or has another owner ({_RFC_5248}; RFC 7293)",
    ),
    Row(Rule.BLOCK, ("5.7.*",), "", f"security, policy or reputation ({_RFC_3463}, 3.8)"),
    # What a text says, when no code does.
    Row(
        Rule.BLOCK,
        (),
        r"spam|block(ed|list|ing)|blacklist|denylist|reputation|dnsbl|\brbl\b|dmarc|\bspf\b|\bdkim\b"
        r"|virus|malware|(?<!command rejected for )policy|\[ph01\]",
        "a block, in the words of Yahoo, Outlook.com, GMX and most filters (postmaster pages); not "
        "«command rejected for policy reasons», with which RFC 5321 explains every 550",
    ),
    Row(
        Rule.TRANSIENT_BOUNCE,
        (),
        r"quota|(mailbox|storage|account) (is )?full|insufficient (system )?storage",
        "the mailbox is full (Yahoo Sender Hub, SMTP error codes; RFC 5321, 4.2.3, 452 and 552)",
    ),
    Row(
        Rule.MESSAGE_FAULT,
        (),
        r"message (is )?too (big|large)|size (limit|exceed)|exceeds? .{0,20}size",
        "the message is too big (RFC 1870, Message Size Declaration)",
    ),
    Row(
        Rule.ROUTING_FAILURE,
        (),
        r"mail loop|too many hops|relay(ing)? (access )?(denied|not permitted)|unable to relay",
        "the route is a circle, or ends at a server that is not responsible (Postfix, Exchange)",
    ),
)
DELAYED = Row(Rule.TRANSIENT_BOUNCE, (), "", "the action is «delayed»: nothing was refused yet")
OTHERWISE = Row(Rule.HARD_BOUNCE, (), "", "SES's own word: the receiving server refused for good")

_CODE = r"[245]\.[0-7]\.\d{1,3}(?!\d|\.\d)"
_STATUS = re.compile(rf"\s*({_CODE})")
# In a text only where a code stands: first, after a reply code, or after a #. Version numbers and
# network addresses look alike.
_CODES_IN_TEXT = re.compile(rf"(?:^(?:smtp;)?\s*|#|\b[245]\d\d[ -]#?)({_CODE})", re.IGNORECASE)


def diagnose(bounce: Evidence) -> Row:
    """Give the row that says what a permanent bounce is; total: `OTHERWISE` takes all that is left.

    The recipient's `status` comes before the codes in its diagnostic; a code that has no row, such
    as 5.0.0, is passed over.
    """
    if (bounce.action or "").lower() == "delayed":
        return DELAYED
    return diagnose_reply(bounce.status, bounce.diagnostic)


def diagnose_reply(status: str | None, diagnostic: str | None) -> Row:
    """Return the row for the reply of a receiving system.

    Args:
        status: the enhanced status code that was reported beside the text, if any.
        diagnostic: the text, as `notification.kept_diagnostic` returns it.

    >>> diagnose_reply("5.2.2", "552 5.2.2 mailbox full").rule.value
    'transient-bounce'
    """
    text = diagnostic or ""
    for code in _codes(status or "", text):
        for row in _rows_about(code):
            if row.is_in(text):
                return row
    return OTHERWISE


def _codes(status: str, text: str) -> Iterator[str | None]:
    """Give the codes in the order in which they speak; at last none: then the text does."""
    if match := _STATUS.match(status):
        yield match[1]
    for match in _CODES_IN_TEXT.finditer(text):
        yield match[1]
    yield None


@lru_cache(maxsize=1024)
def _rows_about(code: str | None) -> tuple[Row, ...]:
    return tuple(row for row in ROWS if row.is_about(code))


def _covers(pattern: str, code: str) -> bool:
    parts = zip(pattern.split("."), code.split("."), strict=True)
    return all(wanted in {"*", found} for wanted, found in parts)
