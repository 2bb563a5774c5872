"""The services whose suppression lists can be taken over: a table to read and to extend."""

from collections.abc import Sequence
from dataclasses import dataclass

from ses_suppression.core.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The export of one service.

    Attributes:
        name: what it is.
        header: the columns by which it is known, in lower case.
        address: the column of the address.
        at: the columns of the date, the first that is there.
        rule: what a row means whose reason is no known word; None: an operator's suppression, and
            the word is kept in the note.
        reasons_in: the column of the reason.
        flags: columns that mean a rule each, unless they are empty or FALSE.
        status: the column of an SMTP or an enhanced status code.
        reply: the column of a server's reply. Where there is no status, only a text with a code
            is one.
        until: the column of the end.
        notes: the columns that are kept as a note.
    """

    name: str
    header: frozenset[str]
    address: str
    at: tuple[str, ...]
    rule: Rule | None = None
    reasons_in: str = "reason"
    flags: tuple[tuple[str, Rule], ...] = ()
    status: str = ""
    reply: str = ""
    until: str = "until"
    notes: tuple[str, ...] = ()


def _format(name: str, header: str, *at: str, notes: str = "", **more: object) -> Format:
    """Make a format; the first column of its header is the address."""
    columns, kept = header.split(","), tuple(filter(None, notes.split(",")))
    values: dict[str, object] = {"name": name, "address": columns[0], "at": at, "notes": kept}
    return Format(header=frozenset(columns), **values, **more)  # type: ignore[arg-type]


_BOUNCE, _COMPLAINT, _SUPPRESS = Rule.HARD_BOUNCE, Rule.COMPLAINT, Rule.SUPPRESS
_HUBSPOT = (
    ("portal spam report", _COMPLAINT),
    ("portal bounce", _BOUNCE),
    ("global bounce", _BOUNCE),
    ("portal unsubscribe", _SUPPRESS),
)
_SENDGRID = {"rule": _BOUNCE, "reply": "reason", "notes": "reason"}
_MAILGUN = {"rule": _BOUNCE, "status": "code", "reply": "error", "notes": "error"}
_SPARKPOST = {"reasons_in": "source", "reply": "description", "notes": "description,type"}
_MAILCHIMP_CLEANED = {"rule": _BOUNCE, "notes": "clean_campaign_title"}
_MAILCHIMP_UNSUBSCRIBED = {"rule": _SUPPRESS, "notes": "unsub_reason"}
_POSTMARK = {"reasons_in": "suppressionreason", "notes": "origin"}
_MANDRILL = {"reply": "detail", "notes": "detail"}
_SINCE = ("since", "date", "at")

FORMATS: Sequence[Format] = (
    _format("SES account-level list", "emailaddress,reason", "lastupdatetime"),
    _format("Postmark", "emailaddress,suppressionreason", "createdat", **_POSTMARK),
    _format("Mandrill rejections", "email,reason,detail,created_at", "created_at", **_MANDRILL),
    _format("Brevo blocked contacts", "email,reason,blockedat", "blockedat", notes="senderemail"),
    _format("Klaviyo suppressed profiles", "email,reason,timestamp", "timestamp"),
    _format(
        "HubSpot unsubscribes and bounces",
        "email,portal bounce,portal unsubscribe",
        flags=_HUBSPOT,
        notes="portal bounce",
    ),
    _format(
        "SendGrid bounces or blocks",
        "email,status,reason,created",
        "created",
        status="status",
        **_SENDGRID,
    ),
    _format("SendGrid invalid addresses", "email,reason,created", "created", **_SENDGRID),
    _format("SendGrid spam reports", "email,ip,created", "created", rule=_COMPLAINT),
    _format("SendGrid unsubscribes", "email,created", "created", rule=_SUPPRESS),
    _format("SparkPost", "recipient,type", "created", **_SPARKPOST),
    _format("Postal", "address,reason,keep_until", "timestamp", until="keep_until"),
    _format("Mailgun bounces", "address,code,error", "created_at", **_MAILGUN),
    _format("Mailgun unsubscribes", "address,tags", "created_at", rule=_SUPPRESS, notes="tags"),
    _format("Mailgun complaints", "address,created_at", "created_at", rule=_COMPLAINT),
    _format(
        "Mailchimp cleaned contacts", "email address,clean_time", "clean_time", **_MAILCHIMP_CLEANED
    ),
    _format(
        "Mailchimp unsubscribed contacts",
        "email address,unsub_time",
        "unsub_time",
        **_MAILCHIMP_UNSUBSCRIBED,
    ),
    _format("generic, with email", "email", *_SINCE, notes="note"),
    _format("generic, with address", "address", *_SINCE, notes="note"),
)
"""From the most to the least demanding: the first whose columns are all there is meant. Beside a
column `email`, one called `address` is where somebody lives."""

SES_BULK = Format(
    name="SES bulk import, without a header", header=frozenset(), address="emailaddress", at=()
)
"""Two columns, address and reason ("Using the account-level suppression list", SES guide)."""
