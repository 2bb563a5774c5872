"""Notifications of SES, parsed into plain data.

Only what a decision needs is read, every enumeration is open, and a field of the wrong type is
named with its path. The format is described in "Amazon SNS notification contents for Amazon SES"
and "Examples of event data that Amazon SES publishes to Amazon SNS" (SES developer guide);
`tests/notifications/` has what real traffic adds to that.

The dataclasses of a message are not frozen, though nothing changes them: `frozen=True` makes
parsing and deciding 11 to 37 % slower, and named tuples are no faster than slots.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ses_suppression.core.address import MAX_LENGTH, normalise_reported
from ses_suppression.core.envelope import unwrap
from ses_suppression.core.fields import (
    MAX_TEXT,
    Fields,
    as_object,
    as_time,
    read_each,
    read_list,
    read_raw_text,
    read_text,
    wrong_type,
)
from ses_suppression.core.untrusted_text import clean, kept_diagnostic
from ses_suppression.errors import InvalidAddressError, InvalidNotificationError

LONGEST_STREAM = 256
"""Characters of a stream's name: those of a message tag's value (MessageTag, SES API reference)."""

_FEEDBACK = frozenset({"bounce", "complaint", "delivery", "subscription"})
_EVENTS_WITHOUT_FEEDBACK = frozenset(
    {"Send", "Reject", "Open", "Click", "Rendering Failure", "DeliveryDelay", "Received"}
)
_HARMLESS_TYPE = re.compile(r"[A-Za-z ]{1,40}")
_SUBSCRIBED = {"OptIn": True, "OptOut": False}


@dataclass(slots=True, kw_only=True)
class Mail:
    """The mail that the feedback is about.

    `destination` holds normalised addresses; how many entries are none, `unreadable_destinations`
    tells. `identity` is the verified identity that sent it. `tags` are the message tags of the
    configuration-set channel.
    """

    message_id: str | None = None
    timestamp: datetime | None = None
    identity: str | None = None
    sending_account_id: str | None = None
    destination: tuple[str, ...] = ()
    unreadable_destinations: int = 0
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Recipient:
    """One recipient that a notification names. `address` is None when `reported` is not an address.

    `reported` is the text as SES sent it, without characters that cannot be printed.
    """

    path: str
    reported: str
    address: str | None
    action: str | None = None
    status: str | None = None
    diagnostic: str | None = None


@dataclass(slots=True, kw_only=True)
class _Feedback:
    mail: Mail
    timestamp: datetime | None
    recipients: tuple[Recipient, ...]
    broken: tuple[InvalidNotificationError, ...] = ()
    """Recipients that cannot be read at all: they do not cost the others."""


@dataclass(slots=True, kw_only=True)
class Bounce(_Feedback):
    """A mail was not delivered, or an automatic reply came back."""

    feedback_id: str | None = None
    bounce_type: str | None = None
    bounce_sub_type: str | None = None
    reporting_mta: str | None = None


@dataclass(slots=True, kw_only=True)
class Complaint(_Feedback):
    """A recipient marked the mail as spam: one of those named, not necessarily all of them."""

    feedback_id: str | None = None
    complaint_sub_type: str | None = None
    complaint_feedback_type: str | None = None


@dataclass(slots=True, kw_only=True)
class Delivery(_Feedback):
    """The receiving server accepted the mail. A bounce can still follow."""


@dataclass(slots=True, kw_only=True)
class Preference:
    """Whether a contact wants the mail of a topic. `topic` is None for the whole list."""

    path: str
    topic: str | None
    subscribed: bool


@dataclass(slots=True, kw_only=True)
class Subscription(_Feedback):
    """A contact of SES's contact list changed what mail it wants; `preferences` are all of them.

    The contact is the mail's single destination, which `recipients` names.
    """

    preferences: tuple[Preference, ...] = ()


@dataclass(slots=True, kw_only=True)
class NotFeedback:
    """A valid message that says nothing about an address: a set-up notice, another event."""

    what: str


Feedback = Bounce | Complaint | Delivery | Subscription
Notification = Feedback | NotFeedback


def parse(body: str | bytes) -> Notification:
    """Read one notification in any form in which it can arrive.

    Accepts the raw notification (SNS with raw message delivery), the SNS envelope around it (SNS
    without), and the event with which SNS calls a Lambda function; identity notifications and
    configuration-set events alike.

    Args:
        body: the message, as text or as UTF-8 bytes.

    Returns:
        A `Bounce`, `Complaint`, `Delivery` or `Subscription`; or `NotFeedback` for everything else
        that SES sends on purpose, a type that is not known here among it.

    Raises:
        InvalidNotificationError: it is none of these. The error names the field and never holds an
            address.

    >>> parse('{"eventType": "Open", "mail": {}, "open": {}}')
    NotFeedback(what='Open event')
    """
    document = unwrap(body)
    if isinstance(document, str):
        return NotFeedback(what=document)
    return _parse_notification(document)


def _parse_notification(document: Fields) -> Notification:
    kind, path = _type_of(document)
    match kind:
        case "Bounce":
            return _parse_bounce(document)
        case "Complaint":
            return _parse_complaint(document)
        case "Delivery":
            return _parse_delivery(document)
        case "Subscription":
            return _parse_subscription(document)
        case "AmazonSnsSubscriptionSucceeded":
            return NotFeedback(what="identity notification set-up notice")
        case _ if kind in _EVENTS_WITHOUT_FEEDBACK:
            return NotFeedback(what=f"{kind} event")
        case _ if not _FEEDBACK.isdisjoint(document):  # a wrong type must not lose feedback
            raise InvalidNotificationError(path, "not a known type, beside feedback")
        case _:  # SES may have added it
            is_name = _HARMLESS_TYPE.fullmatch(kind)
            return NotFeedback(what=f"unknown type {kind}" if is_name else "unknown type")


def _type_of(document: Fields) -> tuple[str, str]:
    """Return the notification's type, and the field that has it."""
    by_identity = read_text(document, "notificationType", "")
    by_event = read_text(document, "eventType", "")
    if by_identity and by_event and by_identity != by_event:
        raise InvalidNotificationError("eventType", "contradicts notificationType")
    path = "eventType" if by_event or "notificationType" not in document else "notificationType"
    kind = by_event or by_identity
    if kind is None:
        raise InvalidNotificationError(path, "empty")
    return kind, path


def _parse_bounce(document: Fields) -> Bounce:
    bounce = as_object(document.get("bounce"), "bounce")
    recipients, broken = read_each(bounce, "bouncedRecipients", "bounce.", _recipient)
    return Bounce(
        mail=_parse_mail(document),
        timestamp=as_time(bounce.get("timestamp")),
        recipients=recipients,
        broken=broken,
        feedback_id=read_text(bounce, "feedbackId", "bounce."),
        bounce_type=read_text(bounce, "bounceType", "bounce."),
        bounce_sub_type=read_text(bounce, "bounceSubType", "bounce."),
        reporting_mta=_mta(bounce.get("reportingMTA")),
    )


def _parse_complaint(document: Fields) -> Complaint:
    complaint = as_object(document.get("complaint"), "complaint")
    recipients, broken = read_each(complaint, "complainedRecipients", "complaint.", _recipient)
    return Complaint(
        mail=_parse_mail(document),
        timestamp=as_time(complaint.get("timestamp")),
        recipients=recipients,
        broken=broken,
        feedback_id=read_text(complaint, "feedbackId", "complaint."),
        complaint_sub_type=read_text(complaint, "complaintSubType", "complaint."),
        complaint_feedback_type=read_text(complaint, "complaintFeedbackType", "complaint."),
    )


def _parse_delivery(document: Fields) -> Delivery:
    delivery = as_object(document.get("delivery"), "delivery")
    recipients, broken = read_each(delivery, "recipients", "delivery.", _recipient)
    return Delivery(
        mail=_parse_mail(document),
        timestamp=as_time(delivery.get("timestamp")),
        recipients=recipients,
        broken=broken,
    )


def _parse_subscription(document: Fields) -> Subscription:
    subscription = as_object(document.get("subscription"), "subscription")
    mail = _parse_mail(document)
    preferences, broken = _preferences(subscription)
    return Subscription(
        mail=mail,
        timestamp=as_time(subscription.get("timestamp")),
        recipients=(_contact(mail),),
        broken=broken,
        preferences=preferences,
    )


def _contact(mail: Mail) -> Recipient:
    """Return the mail's single destination; with several the contact is unknown."""
    single = not mail.unreadable_destinations and len(set(mail.destination)) == 1
    address = mail.destination[0] if single else None
    return Recipient(path="mail.destination", reported=address or "", address=address)


def _preferences(
    subscription: Fields,
) -> tuple[tuple[Preference, ...], tuple[InvalidNotificationError, ...]]:
    path = "subscription.newTopicPreferences"
    new = as_object(subscription.get("newTopicPreferences"), path)
    preferences, broken = read_each(new, "topicSubscriptionStatus", f"{path}.", _preference)
    unsubscribed, path = new.get("unsubscribeAll"), f"{path}.unsubscribeAll"
    if unsubscribed is None:
        return preferences, broken
    if not isinstance(unsubscribed, bool):
        raise wrong_type(unsubscribed, path, "a boolean")
    whole_list = Preference(path=path, topic=None, subscribed=not unsubscribed)
    return (whole_list, *preferences), broken


def _preference(entry: object, path: str) -> Preference:
    topic = as_object(entry, path)
    name = read_text(topic, "topicName", f"{path}.", LONGEST_STREAM)
    if name is None:
        raise InvalidNotificationError(f"{path}.topicName", "missing")
    status = read_text(topic, "subscriptionStatus", f"{path}.")
    if status not in _SUBSCRIBED:
        raise InvalidNotificationError(
            f"{path}.subscriptionStatus", f"{' or '.join(_SUBSCRIBED)} is needed"
        )
    return Preference(path=f"{path}.topicName", topic=name, subscribed=_SUBSCRIBED[status])


def _parse_mail(document: Fields) -> Mail:
    mail = as_object(document.get("mail", {}), "mail")
    texts = read_list(mail, "destination", "mail.")
    destination = tuple(filter(None, map(_address, texts)))
    return Mail(
        message_id=read_text(mail, "messageId", "mail."),
        timestamp=as_time(mail.get("timestamp")),
        identity=_identity(mail.get("sourceArn")),
        sending_account_id=read_text(mail, "sendingAccountId", "mail."),
        destination=destination,
        unreadable_destinations=len(texts) - len(destination),
        tags=_tags(mail.get("tags")),
    )


def _identity(source_arn: object) -> str | None:
    """Take `example.com` out of `arn:aws:ses:eu-west-1:111122223333:identity/example.com`."""
    if not isinstance(source_arn, str) or ":identity/" not in source_arn:
        return None
    return clean(source_arn.partition(":identity/")[2], MAX_LENGTH) or None


def _address(text: object) -> str | None:
    try:
        return normalise_reported(text) if isinstance(text, str) else None
    except InvalidAddressError:
        return None


def _tags(tags: object) -> Mapping[str, tuple[str, ...]]:
    """Read the tags that have the documented shape; without a readable tag there is no stream."""
    if not isinstance(tags, dict):
        return {}
    return {
        name: tuple(clean(value, LONGEST_STREAM) for value in values if isinstance(value, str))
        for name, values in tags.items()
        if isinstance(values, list)
    }


def _recipient(entry: object, path: str) -> Recipient:
    if isinstance(entry, str) and path.startswith("delivery."):
        return Recipient(path=path, reported=clean(entry, MAX_LENGTH), address=_address(entry))
    recipient, prefix = as_object(entry, path), f"{path}."
    reported = recipient.get("emailAddress")
    if not isinstance(reported, str):
        raise wrong_type(reported, f"{prefix}emailAddress", "a string")
    return Recipient(
        path=f"{prefix}emailAddress",
        reported=clean(reported, MAX_LENGTH),
        address=_address(reported),
        action=read_text(recipient, "action", prefix),
        status=read_text(recipient, "status", prefix),
        diagnostic=kept_diagnostic(read_raw_text(recipient, "diagnosticCode", prefix)),
    )


def _mta(value: object) -> str | None:
    """Read a system's name, which only counts for a metric: a wrong one costs no bounce."""
    return clean(value, MAX_TEXT) if isinstance(value, str) else None
