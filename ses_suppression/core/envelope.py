"""The forms in which a notification arrives: raw, in an SNS envelope, in a Lambda event."""

import json
from typing import NoReturn

from ses_suppression.core.fields import Fields, as_object, read_list, read_raw_text, read_text
from ses_suppression.errors import InvalidNotificationError

_SET_UP_NOTICE = "Successfully validated SNS topic for Amazon SES event publishing."
_SNS_HANDSHAKES = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})


def unwrap(body: str | bytes) -> Fields | str:
    """Return the fields of the notification; for a message without one, a text that names it.

    Raises:
        InvalidNotificationError: the message has another form.

    >>> unwrap('{"eventType": "Open"}')
    {'eventType': 'Open'}
    >>> unwrap('{"Type": "UnsubscribeConfirmation"}')
    'SNS UnsubscribeConfirmation'
    """
    document = _read(_decode(body), "")
    if isinstance(document, str) or _is_notification(document):
        return document
    if "Records" in document:
        return _open_lambda_event(document)
    if "Type" in document:
        return _open_envelope(document, "")
    raise InvalidNotificationError(
        "", "none of notificationType, eventType, Type and Records is there"
    )


def _decode(body: str | bytes) -> str:
    if isinstance(body, str):
        return body.removeprefix("\ufeff")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidNotificationError("", f"not UTF-8 at byte {error.start}") from None


def _read(text: str, path: str) -> Fields | str:
    stripped = text.strip()
    if stripped == _SET_UP_NOTICE:
        return "event publishing set-up notice"
    document = as_object(_load(stripped, path), path)
    is_event_bridge = "detail-type" in document and document.get("source") == "aws.ses"
    if is_event_bridge and not _is_notification(document):
        # SES does not promise it; the feedback itself comes by the topics.
        return "EventBridge event"
    return document


def _is_notification(document: Fields) -> bool:
    return "notificationType" in document or "eventType" in document


def _load(text: str, path: str) -> object:
    if not text:
        raise InvalidNotificationError(path, "empty")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = f"not JSON at character {error.pos}: {error.msg}"
    except (ValueError, RecursionError) as error:
        reason = f"not JSON that can be read: {type(error).__name__}"
    raise InvalidNotificationError(path, reason)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _open_lambda_event(event: Fields) -> Fields | str:
    records = read_list(event, "Records", "")
    if len(records) != 1:
        raise InvalidNotificationError(
            "Records", f"SNS sends one record an event, this has {len(records)}"
        )
    record = as_object(records[0], "Records[0]")
    return _open_envelope(as_object(record.get("Sns"), "Records[0].Sns"), "Records[0].Sns.")


def _open_envelope(envelope: Fields, prefix: str) -> Fields | str:
    kind = read_text(envelope, "Type", prefix)
    if kind in _SNS_HANDSHAKES:
        return f"SNS {kind}"
    if kind != "Notification":
        raise InvalidNotificationError(f"{prefix}Type", "not Notification")
    path = f"{prefix}Message"
    message = read_raw_text(envelope, "Message", prefix)
    if message is None:
        raise InvalidNotificationError(path, "missing")
    document = _read(message, path)
    if isinstance(document, str) or _is_notification(document):
        return document
    raise InvalidNotificationError(path, "neither notificationType nor eventType is there")
