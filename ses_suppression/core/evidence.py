"""What happened to an address: one flat piece of evidence for each event, and whom it is about.

Evidence forms a set. Its ids are deterministic, so that the same event, however often and through
whichever feed it comes, is one piece of evidence; `join` unites two copies of it without regard
to their order.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar, assert_never

from ses_suppression.core.address import domain_of
from ses_suppression.core.notification import (
    LONGEST_STREAM,
    Bounce,
    Complaint,
    Delivery,
    Feedback,
    Mail,
    Preference,
    Recipient,
    Subscription,
)
from ses_suppression.errors import InvalidNotificationError, InvalidStreamError

EVERY_STREAM = "*"
"""The stream of what holds for every mail. No tag of a mail can name it."""

TENANT_PREFIX = "tenant:"
"""Begins the verdict's key for the mail of one tenant of SES. No stream has such a name."""

TENANT_LIST = "OnTenantSuppressionList"
"""SES's sub type of feedback for mail that a tenant's own suppression list held back."""

_TENANT_TAG = "ses:tenant-name"

_HASH_DIGITS = 32
_Value = TypeVar("_Value", str, bool, datetime)


def tenant_key(name: str) -> str:
    """Return the verdict's key for the mail of one tenant of SES.

    >>> tenant_key("acme")
    'tenant:acme'
    """
    return f"{TENANT_PREFIX}{name}"


def is_stream(name: str) -> bool:
    """Whether a text can be the name of a stream of mail."""
    return (
        name not in {"", EVERY_STREAM}
        and not name.startswith(TENANT_PREFIX)
        and len(name) <= LONGEST_STREAM
    )


def check_length(**names: str | None) -> None:
    """Refuse a stream or a tenant that is asked about and is longer than any that is kept.

    Args:
        names: what it is -> its name; None: there is none.

    Raises:
        InvalidStreamError: it would never match, and nothing would be held back.
    """
    for what, name in names.items():
        if name is not None and len(name) > LONGEST_STREAM:
            raise InvalidStreamError(
                f"{what}: at most {LONGEST_STREAM} characters, as the tag of a mail: "
                f"this name has {len(name)}"
            )


class Kind(StrEnum):
    """What sort of event a piece of evidence is.

    Of SUPPRESS, REACTIVATE, IMPORT and VOID an operator is the author. A TALLY stands for evidence
    that is not kept piece by piece any more.
    """

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    DELIVERY = "delivery"
    SUBSCRIPTION = "subscription"
    SUPPRESS = "suppress"
    REACTIVATE = "reactivate"
    IMPORT = "import"
    VOID = "void"
    TALLY = "tally"


OPERATOR_KINDS = frozenset({Kind.SUPPRESS, Kind.REACTIVATE, Kind.IMPORT, Kind.VOID})


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Evidence:
    """One event, as it is kept. All times are UTC; None is what the event did not say.

    Attributes:
        id: deterministic; equal for every copy of the event.
        at: when it happened, never later than its receipt.
        mail_id, mail_at, identity, stream: the mail that it is about (operators: the stream that
            they name; a subscription: its topic).
        tenant: the tenant of SES whose suppression list held the mail back.
        bounce_type, bounce_sub_type, action, status, diagnostic: of a bounce, in SES's words.
        reported_as: the address that the report named, when it is another than the one that was
            mailed.
        feedback_type, sub_type: of a complaint, in SES's words.
        certain: of a complaint: nobody else can have made it.
        subscribed: of a subscription: whether the recipient wants the mail.
        by, note: which operator, and why.
        until: when an operator's suppression ends; None is never.
        consent: of a reactivation: whether the person agreed, so that complaints are lifted too;
            None: not said, by an earlier version, which lifted them.
        reason: of an import: BOUNCE, COMPLAINT or MANUAL.
        voids: the id of the evidence that a void voids.
        undo: the id of the undo that a void belongs to.
        lifted: of a void: the undo is taken back, and voids its target no longer. The newest
            void of an undo on a target speaks.
        rule: the rule that it met, where the words that tell it are kept no more.
        first_at: of a tally: when the first of its pieces happened; `at` is the last.
    """

    id: str
    kind: Kind
    at: datetime
    mail_id: str | None = None
    mail_at: datetime | None = None
    identity: str | None = None
    stream: str | None = None
    tenant: str | None = None
    bounce_type: str | None = None
    bounce_sub_type: str | None = None
    action: str | None = None
    status: str | None = None
    diagnostic: str | None = None
    reported_as: str | None = None
    feedback_type: str | None = None
    sub_type: str | None = None
    certain: bool | None = None
    subscribed: bool | None = None
    by: str | None = None
    note: str | None = None
    until: datetime | None = None
    reason: str | None = None
    voids: str | None = None
    undo: str | None = None
    lifted: bool | None = None
    consent: bool | None = None
    rule: str | None = None
    first_at: datetime | None = None


EVIDENCE_FIELDS = tuple(field.name for field in fields(Evidence))


def in_time(evidence: Evidence) -> tuple[datetime, str]:
    """Sort key: by time, and by id where times are equal, so that there is one order."""
    return evidence.at, evidence.id


def began(evidence: Evidence) -> datetime:
    """Return when evidence happened; of a tally, when its first piece did."""
    return evidence.first_at or evidence.at


def mailed_at(evidence: Evidence) -> datetime:
    """Return when the mail was sent that feedback is about; when it is not known, when it came."""
    return evidence.mail_at or evidence.at


def happened_at(evidence: Evidence) -> datetime:
    """Return when something happened, for what puts it behind.

    A bounce of mail from before says nothing about the mailbox afterwards, however late it comes. A
    complaint's own time can be earlier than its mail's.
    """
    match evidence.kind:
        case Kind.BOUNCE | Kind.TALLY:
            return mailed_at(evidence)
        case Kind.COMPLAINT:
            return max(evidence.at, mailed_at(evidence))
        case _:
            return evidence.at


def in_order_of_mail(evidence: Evidence) -> tuple[datetime, datetime, str]:
    """Sort key: by when the mail was sent, then as `in_time`."""
    return happened_at(evidence), evidence.at, evidence.id


def join(one: Evidence, other: Evidence) -> Evidence:
    """Unite two copies of one event: field by field, present beats absent, then the smaller.

    Commutative, associative and idempotent, so that no order of arrival can change the result.
    """
    if one == other:
        return one
    values: dict[str, Any] = {
        name: _smaller(getattr(one, name), getattr(other, name)) for name in EVIDENCE_FIELDS
    }
    return replace(one, **values)


def _smaller(one: _Value | None, other: _Value | None) -> _Value | None:
    if one is None:
        return other
    return one if other is None or one <= other else other


@dataclass(slots=True, kw_only=True)
class Attribution:
    """Whom a notification is about.

    Attributes:
        evidence: the addresses and what happened to each.
        unattributed: the paths of recipients that are none of the mail's several destinations.
        broken: recipients that name nobody: neither they nor the mail's destination is an address.
    """

    evidence: tuple[tuple[str, Evidence], ...]
    unattributed: tuple[str, ...] = ()
    broken: tuple[InvalidNotificationError, ...] = ()


def attribute(
    feedback: Feedback, *, received_at: datetime, stream_tag: str | None = None
) -> Attribution:
    """Turn feedback into evidence about the addresses that were mailed.

    A report names the address at which the mail ended. After forwarding that need not be one that
    was mailed: with one destination the evidence belongs to that one; with several nobody can tell.

    Args:
        feedback: the parsed notification.
        received_at: when the queue got it; bounds every time in it from above.
        stream_tag: the name of the message tag whose value is the mail's stream.
    """
    destination = frozenset(feedback.mail.destination)
    mailed = len(destination) + feedback.mail.unreadable_destinations
    evidence: list[tuple[str, Evidence]] = []
    unattributed: list[str] = []
    broken = [*feedback.broken, *_topics_that_are_no_stream(feedback)]
    for recipient in feedback.recipients:
        address = recipient.address
        if mailed and address not in destination:
            if mailed > 1:
                unattributed.append(recipient.path)
                continue
            address = next(iter(destination), address)
        if address is None:
            broken.append(InvalidNotificationError(recipient.path, "not an e-mail address"))
            continue
        pieces = _evidence(feedback, recipient, address, received_at, stream_tag)
        evidence.extend((address, piece) for piece in pieces)
    return Attribution(
        evidence=tuple(evidence), unattributed=tuple(unattributed), broken=tuple(broken)
    )


def _evidence(
    feedback: Feedback,
    recipient: Recipient,
    address: str,
    received_at: datetime,
    stream_tag: str | None,
) -> Iterable[Evidence]:
    mail = feedback.mail
    reported_as = None if recipient.address == address else recipient.address or recipient.reported
    shared: dict[str, Any] = {
        "at": min(feedback.timestamp or received_at, received_at),
        "mail_id": mail.message_id,
        "mail_at": min(mail.timestamp, received_at) if mail.timestamp else None,
        "identity": mail.identity,
        "stream": _stream(mail, stream_tag),
        "reported_as": reported_as,
    }
    for own in _fields_of(feedback, recipient, address, reported_as):
        yield Evidence(**{**shared, **own})


def _fields_of(
    feedback: Feedback, recipient: Recipient, address: str, reported_as: str | None
) -> Iterable[dict[str, Any]]:
    match feedback:
        case Bounce():
            evidence_id = _feedback_id(feedback, Kind.BOUNCE, address, reported_as)
            yield {"id": evidence_id, "kind": Kind.BOUNCE, **_read_bounce(feedback, recipient)}
        case Complaint():
            evidence_id = _feedback_id(feedback, Kind.COMPLAINT, address, reported_as)
            yield {"id": evidence_id, "kind": Kind.COMPLAINT, **_read_complaint(feedback, address)}
        case Delivery():
            mail_id = feedback.mail.message_id
            by_mail = f"{Kind.DELIVERY}:{mail_id}" if mail_id else None
            evidence_id = by_mail or _hashed_id(Kind.DELIVERY, feedback, address)
            yield {"id": evidence_id, "kind": Kind.DELIVERY}
        case Subscription():
            for one in filter(_is_stream_or_every, feedback.preferences):
                evidence_id = _hashed_id(Kind.SUBSCRIPTION, feedback, address, one.topic)
                own = {"stream": one.topic, "subscribed": one.subscribed}
                yield {"id": evidence_id, "kind": Kind.SUBSCRIPTION, **own}
        case _:
            assert_never(feedback)


def _read_bounce(bounce: Bounce, recipient: Recipient) -> dict[str, Any]:
    return {
        "bounce_type": bounce.bounce_type,
        "bounce_sub_type": bounce.bounce_sub_type,
        "tenant": _tenant(bounce.mail, bounce.bounce_sub_type),
        "action": recipient.action,
        "status": recipient.status,
        "diagnostic": recipient.diagnostic,
    }


def _read_complaint(complaint: Complaint, address: str) -> dict[str, Any]:
    return {
        "feedback_type": complaint.complaint_feedback_type,
        "sub_type": complaint.complaint_sub_type,
        "tenant": _tenant(complaint.mail, complaint.complaint_sub_type),
        "certain": _is_certain(complaint, address),
    }


def _topics_that_are_no_stream(feedback: Feedback) -> Iterable[InvalidNotificationError]:
    if isinstance(feedback, Subscription):
        for one in feedback.preferences:
            if not _is_stream_or_every(one):
                yield InvalidNotificationError(one.path, "no stream can have such a name")


def _is_stream_or_every(preference: Preference) -> bool:
    return preference.topic is None or is_stream(preference.topic)


def _is_certain(complaint: Complaint, address: str) -> bool:
    """SES names everyone at the complaining domain: they *may* have complained."""
    named = len(complaint.recipients) + len(complaint.broken)
    if named != 1 or complaint.mail.unreadable_destinations:
        return False
    return not any(
        other != address and domain_of(other) == domain_of(address)
        for other in complaint.mail.destination
    )


def _stream(mail: Mail, stream_tag: str | None) -> str | None:
    value = _tag(mail, stream_tag) if stream_tag else None
    return value if value and is_stream(value) else None


def _tenant(mail: Mail, sub_type: str | None) -> str | None:
    """Return the tenant of mail that a tenant's list held back; nothing else needs it."""
    return _tag(mail, _TENANT_TAG) if sub_type == TENANT_LIST else None


def _tag(mail: Mail, name: str) -> str | None:
    return next(iter(mail.tags.get(name, ())), None) or None


def _feedback_id(
    feedback: Bounce | Complaint, kind: Kind, address: str, reported_as: str | None
) -> str:
    """Identify one report about one address: SES's id, except where several are about the same."""
    feedback_id = feedback.feedback_id or _hashed_id(kind, feedback, address)
    return f"{feedback_id}:{digest(reported_as)}" if reported_as else feedback_id


def _hashed_id(kind: Kind, feedback: Feedback, address: str, *more: str | None) -> str:
    """Identify feedback without an id; by SES's time: the time of receipt differs by copy."""
    at = feedback.timestamp.isoformat() if feedback.timestamp else None
    return f"{kind}:{digest(feedback.mail.message_id, address, at, *more)}"


def digest(*parts: str | None) -> str:
    """Hash parts to 32 hexadecimal digits; no two lists of parts run together."""
    hashed = hashlib.sha256(
        "\x00".join("-" if part is None else f"+{part}" for part in parts).encode()
    )
    return hashed.hexdigest()[:_HASH_DIGITS]


def unite(evidence: Iterable[Evidence]) -> dict[str, Evidence]:
    """Unite all copies: one piece of evidence for each id."""
    by_id: dict[str, Evidence] = {}
    for piece in evidence:
        known = by_id.get(piece.id)
        by_id[piece.id] = piece if known is None else join(known, piece)
    return by_id
