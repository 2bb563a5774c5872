"""What a refusal by a receiving system says about the mailbox: the table.

The first row that matches decides, so the order is part of it: words about the sender come before
words about the recipient, since both use the same ones. Words come before codes, since a code is
often a default of the server.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from ses_suppression.core import refusal_words as words
from ses_suppression.core.rules import Rule

_RFC_3463 = "RFC 3463, Enhanced Mail System Status Codes"
_RFC_5321 = "RFC 5321, Simple Mail Transfer Protocol"
_IANA = "IANA, SMTP Enhanced Status Codes registry"
_GOOGLE = "Google Workspace Admin Help, SMTP error codes"
_MICROSOFT = "Microsoft Learn, NDR codes of Exchange Online"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table.

    Attributes:
        name: the row's name, unique in the table.
        rule: the rule that such a bounce meets.
        codes: enhanced status codes, a `*` for any number; empty: any reply, with or without one.
        words: regular expressions of which one has to match the reply's words; empty: any words.
        why: the meaning of the code or the words, and its source.
    """

    name: str
    rule: Rule
    codes: tuple[str, ...]
    words: tuple[str, ...]
    why: str

    def matches(self, code: str | None, text: str) -> bool:
        """Whether a reply with this code, or none, and these words belongs to the row."""
        return (not self.codes or covers(self.codes, code)) and (
            not self.words or bool(_pattern(self.words).search(text))
        )


@lru_cache(maxsize=1024)
def covers(patterns: tuple[str, ...], code: str | None) -> bool:
    """Whether a code is one of those that the patterns mean.

    >>> covers(("5.1.*",), "5.1.10"), covers(("5.1.*",), None)
    (True, False)
    """
    return code is not None and any(
        all(wanted in {"*", found} for wanted, found in zip(pattern, parts, strict=True))
        for parts in [code.split(".")]
        for pattern in [pattern.split(".") for pattern in patterns]
    )


@lru_cache(maxsize=128)
def _pattern(alternatives: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


ROWS = (
    Row(
        "temporary code",
        Rule.TRANSIENT_BOUNCE,
        ("4.*.*",),
        (),
        f"class 4 is a transient failure ({_RFC_3463})",
    ),
    Row(
        "no mail for the domain",
        Rule.HARD_BOUNCE,
        (),
        words.NO_MAIL_FOR_DOMAIN,
        "the recipient's domain takes no mail at all (RFC 7505, Null MX)",
    ),
    Row(
        "sender's authentication code",
        Rule.SENDER_FAULT,
        (
            *("5.7.20", "5.7.21", "5.7.22", "5.7.23", "5.7.24", "5.7.25", "5.7.26", "5.7.27"),
            *("5.7.29", "5.7.30", "5.7.509", "5.7.515"),
        ),
        (),
        f"SPF, DKIM, DMARC, TLS or PTR of the sender ({_IANA}; {_GOOGLE}; {_MICROSOFT})",
    ),
    Row(
        "sender's reputation",
        Rule.BLOCK,
        (),
        words.SENDER_REPUTATION,
        "the sender is on a list or the mail looks like spam, also where SPF or DKIM is named",
    ),
    Row(
        "sender's authentication",
        Rule.SENDER_FAULT,
        (),
        words.SENDER_AUTHENTICATION,
        "the words name SPF, DKIM, DMARC, TLS or PTR of the sender (postmaster pages)",
    ),
    Row(
        "sender's address code",
        Rule.BLOCK,
        ("5.1.7", "5.1.8"),
        (),
        f"the sender's address is refused, not the recipient's ({_RFC_3463}, 3.2)",
    ),
    Row(
        "sender's address",
        Rule.BLOCK,
        (),
        words.SENDER_ADDRESS,
        "the words are about the sender's address (Postfix, Exim, sendmail)",
    ),
    Row(
        "sender's network",
        Rule.BLOCK,
        (),
        words.SENDER_NETWORK,
        "the words are about the sender's server or network (Postfix, Exim, sendmail)",
    ),
    Row(
        "mailbox full",
        Rule.TRANSIENT_BOUNCE,
        (),
        words.MAILBOX_FULL,
        f"the mailbox, or the system's disk, is full ({_RFC_5321}, 4.2.3, 452 and 552)",
    ),
    Row(
        "message too large",
        Rule.MESSAGE_FAULT,
        (),
        words.MESSAGE_TOO_LARGE,
        "the message is too big (RFC 1870, Message Size Declaration)",
    ),
    Row(
        "message malformed",
        Rule.MESSAGE_FAULT,
        (),
        words.MESSAGE_MALFORMED,
        "the message is not formed as a mail should be (RFC 5322, Internet Message Format)",
    ),
    Row(
        "rate",
        Rule.TRANSIENT_BOUNCE,
        (),
        words.RATE,
        f"too much for now, not for good ({_GOOGLE}; error pages of QQ, Orange and Microsoft)",
    ),
    Row(
        "no relay",
        Rule.ROUTING_FAILURE,
        (),
        words.NO_RELAY,
        "the server is not responsible for the recipient's domain (Postfix, Exchange, qmail)",
    ),
    Row(
        "unverified",
        Rule.ROUTING_FAILURE,
        (),
        words.UNVERIFIED,
        "the receiving system could not find out whether there is such a recipient (Postfix, Exim)",
    ),
    Row(
        "no such domain",
        Rule.HARD_BOUNCE,
        (),
        words.NO_SUCH_DOMAIN,
        f"there is no such domain ({_RFC_3463}, 3.2; {_MICROSOFT}, 5.4.310)",
    ),
    Row(
        "no such recipient",
        Rule.HARD_BOUNCE,
        (),
        words.NO_SUCH_RECIPIENT,
        "the recipient is unknown; Yandex, qmail and Google Workspace add 5.7.0 or 5.7.1",
    ),
    Row(
        "no such recipient, other languages",
        Rule.HARD_BOUNCE,
        (),
        words.NO_SUCH_RECIPIENT_ABROAD,
        "the same in German, French, Spanish, Italian, Portuguese, Polish, Russian, Dutch, Czech, "
        "Chinese and Japanese",
    ),
    Row(
        "recipient disabled",
        Rule.HARD_BOUNCE,
        (),
        words.RECIPIENT_DISABLED,
        f"the mailbox is closed or disabled ({_RFC_3463}, 3.3)",
    ),
    Row(
        "directory lookup",
        Rule.HARD_BOUNCE,
        ("5.4.1", "5.7.504"),
        words.ACCESS_DENIED,
        f"Exchange Online: no such recipient ({_MICROSOFT})",
    ),
    Row(
        "unknown recipient code",
        Rule.HARD_BOUNCE,
        ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"),
        (),
        f"no such mailbox or domain, a bad address, or one that has moved ({_RFC_3463}, 3.2)",
    ),
    Row(
        "block",
        Rule.BLOCK,
        (),
        words.BLOCK,
        "policy, reputation or content, in the words of most filters (postmaster pages)",
    ),
    Row(
        "broken route",
        Rule.ROUTING_FAILURE,
        (),
        words.BROKEN_ROUTE,
        "the route or the receiving system is broken (Postfix, sendmail, Exim, Exchange)",
    ),
    Row(
        "try again later",
        Rule.TRANSIENT_BOUNCE,
        (),
        words.TRY_LATER,
        f"temporary, in its own words ({_RFC_5321}, 4.2.1)",
    ),
    Row(
        "mailbox unavailable",
        Rule.HARD_BOUNCE,
        (),
        words.MAILBOX_UNAVAILABLE,
        f"the words of RFC 5321 for 550, which Outlook.com and others use ({_RFC_5321}, 4.2.3)",
    ),
    Row(
        "wrapped refusal",
        Rule.BLOCK,
        ("5.1.0",),
        words.UNKNOWN_ADDRESS_ERROR,
        "Cisco's words around any refusal of a recipient: only the quoted reply tells more",
    ),
    Row(
        "rate code",
        Rule.TRANSIENT_BOUNCE,
        ("5.1.90", "5.2.120", "5.2.121", "5.2.122"),
        (),
        f"a limit of the sender or of the recipient ({_MICROSOFT})",
    ),
    Row(
        "system code",
        Rule.ROUTING_FAILURE,
        ("5.1.4", "5.2.4", "5.3.2", "5.3.5", "5.4.*"),
        (),
        f"ambiguous, closed, set up wrongly, or no route ({_RFC_3463}, 3.2 to 3.5)",
    ),
    Row(
        "address code",
        Rule.HARD_BOUNCE,
        ("5.1.*",),
        (),
        f"the recipient's address is bad ({_RFC_3463}, 3.2)",
    ),
    Row(
        "disabled code",
        Rule.HARD_BOUNCE,
        ("5.2.1", "5.7.13", "5.7.17", "5.7.18"),
        (),
        f"the mailbox is disabled, or has another owner ({_RFC_3463}, 3.3; {_IANA}; RFC 7293)",
    ),
    Row(
        "full code",
        Rule.TRANSIENT_BOUNCE,
        ("5.2.2", "5.3.1"),
        (),
        f"the mailbox or the receiving system is full ({_RFC_3463}, 3.3 and 3.4)",
    ),
    Row(
        "size code",
        Rule.MESSAGE_FAULT,
        ("5.2.3", "5.3.4"),
        (),
        f"the message is too big for mailbox or system ({_RFC_3463}, 3.3 and 3.4)",
    ),
    Row(
        "policy code",
        Rule.BLOCK,
        ("5.6.*", "5.7.*"),
        (),
        f"content, security, policy or reputation ({_RFC_3463}, 3.7 and 3.8)",
    ),
    Row(
        "recipient refused",
        Rule.HARD_BOUNCE,
        (),
        words.RECIPIENT_REFUSED,
        "the recipient is refused, without a code and without another reason",
    ),
    Row(
        "recipient denied",
        Rule.HARD_BOUNCE,
        (),
        words.RECIPIENT_DENIED,
        "the words name the recipient and a negation, and neither the mail nor the sender",
    ),
)
"""The table, in order."""

DELAYED = Row(
    "delayed", Rule.TRANSIENT_BOUNCE, (), (), "the action is `delayed`: nothing was refused yet"
)
NO_REPLY = Row(
    "no reply",
    Rule.HARD_BOUNCE,
    (),
    (),
    "no status and no text: SES read a report that it does not pass on, and says permanent",
)
OTHERWISE = Row(
    "otherwise",
    Rule.BLOCK,
    (),
    (),
    "a refusal without a code or words about the recipient is not a dead mailbox",
)
