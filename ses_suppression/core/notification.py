"""What SES sent: every form of a notification, parsed into plain data.

Liberal in what is parsed, strict in what is kept: only what a decision needs is read, every
enumeration is open, and a field of the wrong type is named with its path. The format is described
in "Amazon SNS notification contents for Amazon SES" and "Examples of event data that Amazon SES
publishes to Amazon SNS" (SES developer guide); what real traffic adds to that is tested in
`tests/notifications/`.

The dataclasses of a message are not frozen, though nothing changes them: `frozen=True` makes
parsing and deciding 11 to 37 % slower, and named tuples are no faster than slots.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from ses_suppression.core.address import MAX_LENGTH, normalise_reported
from ses_suppression.errors import InvalidAddressError, InvalidNotificationError

MAX_DIAGNOSTIC = 256
"""Characters of a diagnostic that are kept: its head, and its tail with the provider's mark."""

_TAIL = 90  # the mark of Exchange Online, a server with time and id, has 86
_CUT = " [...] "
_MAX_TEXT = 128
LONGEST_STREAM = 256
"""Characters of a stream's name: those of a message tag's value (MessageTag, SES API reference)."""

_EVENT_SET_UP_NOTICE = "Successfully validated SNS topic for Amazon SES event publishing."
_FEEDBACK = frozenset({"bounce", "complaint", "delivery", "subscription"})
_IDENTITY_SET_UP_NOTICE = "AmazonSnsSubscriptionSucceeded"
_SNS_HANDSHAKES = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})
_EVENTS_WITHOUT_FEEDBACK = frozenset(
    {"Send", "Reject", "Open", "Click", "Rendering Failure", "DeliveryDelay", "Received"}
)
_HARMLESS_TYPE = re.compile(r"[A-Za-z ]{1,40}")
_SUBSCRIBED = {"OptIn": True, "OptOut": False}
# C0, C1, DEL, lone surrogates, and what reorders or hides text on a screen.
UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)
"""What no text of a stranger may bring into a log or onto a screen."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")
# A word that is none is taken as a whole: to begin again at each of its letters takes too long.
_ADDRESS_OR_WORD = re.compile(
    r"""((?:"[^"]*"|[^\s<>"(),;:\[\]]+)@(?:\[[^\]]*\]|[^\s<>"'(),;:\[\]]+))
        |[^\s<>"(),;:\[\]]+""",
    re.VERBOSE,
)


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
    """Somebody marked the mail as spam: one of those named, not necessarily all of them."""

    feedback_id: str | None = None
    complaint_sub_type: str | None = None
    complaint_feedback_type: str | None = None


@dataclass(slots=True, kw_only=True)
class Delivery(_Feedback):
    """The receiving server accepted the mail. A bounce can still follow."""


@dataclass(slots=True, kw_only=True)
class Preference:
    """What a contact wants: the mail of a topic, or not. `topic` is None for the whole list."""

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
    text = _decode(body).strip()
    if text == _EVENT_SET_UP_NOTICE:
        return NotFeedback(what="event publishing set-up notice")
    return _parse_object(_load(text, ""))


def _decode(body: str | bytes) -> str:
    if isinstance(body, str):
        return body.removeprefix("\ufeff")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidNotificationError("", f"not UTF-8 at byte {error.start}") from None


def _load(text: str, path: str) -> Mapping[str, Any]:
    if not text:
        raise InvalidNotificationError(path, "empty")
    try:
        document = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidNotificationError(
            path, f"not JSON at character {error.pos}: {error.msg}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidNotificationError(
            path, f"not JSON that can be read: {type(error).__name__}"
        ) from None
    return _object(document, path)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _parse_object(document: Mapping[str, Any]) -> Notification:
    if (notification := _parse_sent_by_ses(document)) is not None:
        return notification
    if "Records" in document:
        return _parse_lambda_event(document)
    if "Type" in document:
        return _parse_envelope(document, "")
    raise InvalidNotificationError(
        "", "none of notificationType, eventType, Type and Records is there"
    )


def _parse_sent_by_ses(document: Mapping[str, Any]) -> Notification | None:
    if "notificationType" in document or "eventType" in document:
        return _parse_notification(document)
    if "detail-type" in document and document.get("source") == "aws.ses":
        # SES does not promise it; the feedback itself comes by the topics.
        return NotFeedback(what="EventBridge event")
    return None


def _parse_lambda_event(event: Mapping[str, Any]) -> Notification:
    records = _list(event, "Records", "")
    if len(records) != 1:
        raise InvalidNotificationError(
            "Records", f"SNS sends one record an event, this has {len(records)}"
        )
    return _parse_envelope(
        _object(_object(records[0], "Records[0]").get("Sns"), "Records[0].Sns"), "Records[0].Sns."
    )


def _parse_envelope(envelope: Mapping[str, Any], prefix: str) -> Notification:
    kind = _text(envelope, "Type", prefix)
    if kind in _SNS_HANDSHAKES:
        return NotFeedback(what=f"SNS {kind}")
    if kind != "Notification":
        raise InvalidNotificationError(f"{prefix}Type", "not Notification")
    message = _raw_text(envelope, "Message", prefix)
    if message is None:
        raise InvalidNotificationError(f"{prefix}Message", "missing")
    if message.strip() == _EVENT_SET_UP_NOTICE:
        return NotFeedback(what="event publishing set-up notice")
    notification = _parse_sent_by_ses(_load(message.strip(), f"{prefix}Message"))
    if notification is None:
        raise InvalidNotificationError(
            f"{prefix}Message", "neither notificationType nor eventType is there"
        )
    return notification


def _parse_notification(document: Mapping[str, Any]) -> Notification:
    by_identity, by_event = (
        _text(document, "notificationType", ""),
        _text(document, "eventType", ""),
    )
    if by_identity and by_event and by_identity != by_event:
        raise InvalidNotificationError("eventType", "contradicts notificationType")
    kind = by_event or by_identity
    match kind:
        case "Bounce":
            return _parse_bounce(document)
        case "Complaint":
            return _parse_complaint(document)
        case "Delivery":
            return _parse_delivery(document)
        case "Subscription":
            return _parse_subscription(document)
        case _ if kind == _IDENTITY_SET_UP_NOTICE:
            return NotFeedback(what="identity notification set-up notice")
        case _ if kind in _EVENTS_WITHOUT_FEEDBACK:
            return NotFeedback(what=f"{kind} event")
        case None:
            raise InvalidNotificationError(
                "eventType" if "eventType" in document else "notificationType", "empty"
            )
        case _ if not _FEEDBACK.isdisjoint(document):  # nobody loses feedback to a wrong type
            path = "eventType" if by_event else "notificationType"
            raise InvalidNotificationError(path, "not a known type, beside feedback")
        case _:  # SES may have added it
            is_name = _HARMLESS_TYPE.fullmatch(kind)
            return NotFeedback(what=f"unknown type {kind}" if is_name else "unknown type")


def _parse_bounce(document: Mapping[str, Any]) -> Bounce:
    bounce = _object(document.get("bounce"), "bounce")
    recipients, broken = _recipients(bounce, "bouncedRecipients", "bounce.")
    return Bounce(
        mail=_parse_mail(document),
        timestamp=_timestamp(bounce.get("timestamp")),
        recipients=recipients,
        broken=broken,
        feedback_id=_text(bounce, "feedbackId", "bounce."),
        bounce_type=_text(bounce, "bounceType", "bounce."),
        bounce_sub_type=_text(bounce, "bounceSubType", "bounce."),
        reporting_mta=_mta(bounce.get("reportingMTA")),
    )


def _parse_complaint(document: Mapping[str, Any]) -> Complaint:
    complaint = _object(document.get("complaint"), "complaint")
    recipients, broken = _recipients(complaint, "complainedRecipients", "complaint.")
    return Complaint(
        mail=_parse_mail(document),
        timestamp=_timestamp(complaint.get("timestamp")),
        recipients=recipients,
        broken=broken,
        feedback_id=_text(complaint, "feedbackId", "complaint."),
        complaint_sub_type=_text(complaint, "complaintSubType", "complaint."),
        complaint_feedback_type=_text(complaint, "complaintFeedbackType", "complaint."),
    )


def _parse_delivery(document: Mapping[str, Any]) -> Delivery:
    delivery = _object(document.get("delivery"), "delivery")
    recipients, broken = _recipients(delivery, "recipients", "delivery.")
    return Delivery(
        mail=_parse_mail(document),
        timestamp=_timestamp(delivery.get("timestamp")),
        recipients=recipients,
        broken=broken,
    )


def _parse_subscription(document: Mapping[str, Any]) -> Subscription:
    subscription = _object(document.get("subscription"), "subscription")
    mail = _parse_mail(document)
    preferences, broken = _preferences(subscription)
    return Subscription(
        mail=mail,
        timestamp=_timestamp(subscription.get("timestamp")),
        recipients=(_contact(mail),),
        broken=broken,
        preferences=preferences,
    )


def _contact(mail: Mail) -> Recipient:
    """Name the mail's single destination; of several nobody can tell which one it is."""
    single = not mail.unreadable_destinations and len(set(mail.destination)) == 1
    address = mail.destination[0] if single else None
    return Recipient(path="mail.destination", reported=address or "", address=address)


def _preferences(
    subscription: Mapping[str, Any],
) -> tuple[tuple[Preference, ...], tuple[InvalidNotificationError, ...]]:
    path = "subscription.newTopicPreferences"
    new = _object(subscription.get("newTopicPreferences"), path)
    preferences: list[Preference] = []
    broken: list[InvalidNotificationError] = []
    unsubscribed = new.get("unsubscribeAll")
    if isinstance(unsubscribed, bool):
        preferences.append(
            Preference(path=f"{path}.unsubscribeAll", topic=None, subscribed=not unsubscribed)
        )
    elif unsubscribed is not None:
        raise InvalidNotificationError(
            f"{path}.unsubscribeAll", f"a boolean is needed, this is {_json_type(unsubscribed)}"
        )
    for index, entry in enumerate(_list(new, "topicSubscriptionStatus", f"{path}.")):
        try:
            preferences.append(_preference(entry, f"{path}.topicSubscriptionStatus[{index}]"))
        except InvalidNotificationError as error:
            broken.append(error)
    return tuple(preferences), tuple(broken)


def _preference(entry: object, path: str) -> Preference:
    topic = _object(entry, path)
    name = _text(topic, "topicName", f"{path}.", LONGEST_STREAM)
    if name is None:
        raise InvalidNotificationError(f"{path}.topicName", "missing")
    status = _text(topic, "subscriptionStatus", f"{path}.")
    if status not in _SUBSCRIBED:
        raise InvalidNotificationError(
            f"{path}.subscriptionStatus", f"{' or '.join(_SUBSCRIBED)} is needed"
        )
    return Preference(path=f"{path}.topicName", topic=name, subscribed=_SUBSCRIBED[status])


def _parse_mail(document: Mapping[str, Any]) -> Mail:
    mail = _object(document.get("mail", {}), "mail")
    texts = _list(mail, "destination", "mail.")
    destination = tuple(_addresses(texts))
    return Mail(
        message_id=_text(mail, "messageId", "mail."),
        timestamp=_timestamp(mail.get("timestamp")),
        identity=_identity(mail.get("sourceArn")),
        sending_account_id=_text(mail, "sendingAccountId", "mail."),
        destination=destination,
        unreadable_destinations=len(texts) - len(destination),
        tags=_tags(mail.get("tags")),
    )


def _identity(source_arn: object) -> str | None:
    """Take `example.com` out of `arn:aws:ses:eu-west-1:111122223333:identity/example.com`."""
    if not isinstance(source_arn, str) or ":identity/" not in source_arn:
        return None
    return clean(source_arn.partition(":identity/")[2], MAX_LENGTH) or None


def _addresses(texts: Iterable[object]) -> Iterable[str]:
    for text in texts:
        if isinstance(text, str):
            try:
                yield normalise_reported(text)
            except InvalidAddressError:
                continue  # It serves only to attribute feedback: nobody can be meant by it.


def _tags(tags: object) -> Mapping[str, tuple[str, ...]]:
    """Read the tags that have the documented shape; without a readable tag there is no stream."""
    if not isinstance(tags, dict):
        return {}
    return {
        name: tuple(clean(value, LONGEST_STREAM) for value in values if isinstance(value, str))
        for name, values in tags.items()
        if isinstance(values, list)
    }


def _recipients(
    holder: Mapping[str, Any], key: str, prefix: str
) -> tuple[tuple[Recipient, ...], tuple[InvalidNotificationError, ...]]:
    recipients: list[Recipient] = []
    broken: list[InvalidNotificationError] = []
    for index, entry in enumerate(_list(holder, key, prefix)):
        try:
            recipients.append(_recipient(entry, f"{prefix}{key}[{index}]"))
        except InvalidNotificationError as error:
            broken.append(error)
    return tuple(recipients), tuple(broken)


def _recipient(entry: object, path: str) -> Recipient:
    if isinstance(entry, str) and path.startswith("delivery."):
        return _named(entry, path, {})
    recipient = _object(entry, path)
    field_path = f"{path}.emailAddress"
    reported = recipient.get("emailAddress")
    if not isinstance(reported, str):
        raise InvalidNotificationError(
            field_path, f"a string is needed, this is {_json_type(reported)}"
        )
    return _named(reported, field_path, recipient)


def _named(reported: str, path: str, recipient: Mapping[str, Any]) -> Recipient:
    try:
        address = normalise_reported(reported)
    except InvalidAddressError:
        address = None
    prefix = path.removesuffix("emailAddress")
    return Recipient(
        path=path,
        reported=clean(reported, MAX_LENGTH),
        address=address,
        action=_text(recipient, "action", prefix),
        status=_text(recipient, "status", prefix),
        diagnostic=kept_diagnostic(_raw_text(recipient, "diagnosticCode", prefix)),
    )


def kept_diagnostic(text: str | None) -> str | None:
    """Return what is kept of a diagnostic: printable, without addresses, at most 256 characters.

    >>> kept_diagnostic("550 <jane@example.com>: user unknown")
    '550 <[address]>: user unknown'
    """
    if text is None:
        return None
    # Cut before searching: the text comes from strangers and may be long.
    cut = _head_and_tail(text.strip(), 8 * MAX_DIAGNOSTIC, tail=4 * MAX_DIAGNOSTIC)
    visible = cut if cut.isascii() else _INVISIBLE.sub("", cut)
    printable = clean(visible, len(visible))
    without = _ADDRESS_OR_WORD.sub(lambda found: "[address]" if found[1] else found[0], printable)
    return _head_and_tail(without, MAX_DIAGNOSTIC, tail=_TAIL).strip() or None


def _head_and_tail(text: str, limit: int, *, tail: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit - tail - len(_CUT)]}{_CUT}{text[-tail:]}"


def _mta(value: object) -> str | None:
    """Read a system's name, which only counts for a metric: a wrong one costs no bounce."""
    return clean(value, _MAX_TEXT) if isinstance(value, str) else None


def _timestamp(value: object) -> datetime | None:
    """Read ISO 8601 as SES writes it: with or without milliseconds, or a space before the offset.

    What cannot be read is None, and the time of receipt stands in for it.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().replace(" +", "+").replace(" -", "-"))
        if moment.tzinfo is UTC:  # nearly always
            return moment
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def clean(text: str, limit: int) -> str:
    r"""Take out what cannot be printed or stored, and cut to `limit` characters.

    >>> clean("550\x1b[2J no such\r\nuser", 64)
    '550 [2J no such user'
    """
    cut = text[:limit]
    if not (cut.isascii() and cut.isprintable()):  # which takes far longer
        cut = UNPRINTABLE.sub(" ", cut)
    return cut.strip()


def _raw_text(holder: Mapping[str, Any], key: str, prefix: str) -> str | None:
    value = holder.get(key)
    if value is None or isinstance(value, str):
        return value
    raise InvalidNotificationError(
        f"{prefix}{key}", f"a string is needed, this is {_json_type(value)}"
    )


def _text(holder: Mapping[str, Any], key: str, prefix: str, limit: int = _MAX_TEXT) -> str | None:
    value = _raw_text(holder, key, prefix)
    return None if value is None else clean(value, limit) or None


def _list(holder: Mapping[str, Any], key: str, prefix: str) -> list[Any]:
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidNotificationError(
            f"{prefix}{key}", f"a list is needed, this is {_json_type(value)}"
        )
    return value


def _object(value: object, path: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise InvalidNotificationError(path, f"an object is needed, this is {_json_type(value)}")


def _json_type(value: object) -> str:
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "null or missing")
