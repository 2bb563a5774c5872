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


def _format(name: str, header: str, address: str, *at: str, **more: object) -> Format:
    values: dict[str, object] = {"header": frozenset(header.split(",")), **more}
    return Format(name=name, address=address, at=at, **values)  # type: ignore[arg-type]


FORMATS: Sequence[Format] = (
    _format("SES account-level list", "emailaddress,reason", "emailaddress", "lastupdatetime"),
    _format(
        "Postmark",
        "emailaddress,suppressionreason",
        "emailaddress",
        "createdat",
        reasons_in="suppressionreason",
        notes=("origin",),
    ),
    _format(
        "Mandrill rejections",
        "email,reason,detail,created_at",
        "email",
        "created_at",
        reply="detail",
        notes=("detail",),
    ),
    _format(
        "Brevo blocked contacts",
        "email,reason,blockedat",
        "email",
        "blockedat",
        notes=("senderemail",),
    ),
    _format("Klaviyo suppressed profiles", "email,reason,timestamp", "email", "timestamp"),
    _format(
        "HubSpot unsubscribes and bounces",
        "email,portal bounce,portal unsubscribe",
        "email",
        flags=(
            ("portal spam report", Rule.COMPLAINT),
            ("portal bounce", Rule.HARD_BOUNCE),
            ("global bounce", Rule.HARD_BOUNCE),
            ("portal unsubscribe", Rule.SUPPRESS),
        ),
        notes=("portal bounce",),
    ),
    _format(
        "SendGrid bounces or blocks",
        "status,reason,email,created",
        "email",
        "created",
        rule=Rule.HARD_BOUNCE,
        status="status",
        reply="reason",
        notes=("reason",),
    ),
    _format(
        "SendGrid invalid addresses",
        "email,reason,created",
        "email",
        "created",
        rule=Rule.HARD_BOUNCE,
        reply="reason",
        notes=("reason",),
    ),
    _format("SendGrid spam reports", "email,ip,created", "email", "created", rule=Rule.COMPLAINT),
    _format("SendGrid unsubscribes", "email,created", "email", "created", rule=Rule.SUPPRESS),
    _format(
        "SparkPost",
        "recipient,type",
        "recipient",
        "created",
        reasons_in="source",
        reply="description",
        notes=("description", "type"),
    ),
    _format(
        "Postal",
        "address,reason,keep_until",
        "address",
        "timestamp",
        until="keep_until",
    ),
    _format(
        "Mailgun bounces",
        "address,code,error",
        "address",
        "created_at",
        rule=Rule.HARD_BOUNCE,
        status="code",
        reply="error",
        notes=("error",),
    ),
    _format(
        "Mailgun unsubscribes",
        "address,tags",
        "address",
        "created_at",
        rule=Rule.SUPPRESS,
        notes=("tags",),
    ),
    _format(
        "Mailgun complaints", "address,created_at", "address", "created_at", rule=Rule.COMPLAINT
    ),
    _format(
        "Mailchimp cleaned contacts",
        "email address,clean_time",
        "email address",
        "clean_time",
        rule=Rule.HARD_BOUNCE,
        notes=("clean_campaign_title",),
    ),
    _format(
        "Mailchimp unsubscribed contacts",
        "email address,unsub_time",
        "email address",
        "unsub_time",
        rule=Rule.SUPPRESS,
        notes=("unsub_reason",),
    ),
    _format("generic, with email", "email", "email", "since", "date", "at", notes=("note",)),
    _format("generic, with address", "address", "address", "since", "date", "at", notes=("note",)),
)
"""From the most to the least demanding: the first whose columns are all there is meant. Beside a
column `email`, one called `address` is where somebody lives."""

SES_BULK = Format(
    name="SES bulk import, without a header",
    header=frozenset(),
    address="emailaddress",
    at=(),
)
"""Two columns, address and reason ("Using the account-level suppression list", SES guide)."""
