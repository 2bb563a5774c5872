"""Event publishing for the emulator, which keeps configuration sets but publishes nothing for them.

What becomes of a mail is what the mailbox simulator says; an event is a notification of an
identity, with another name for its type and with the mail's tags. Not told of: mail whose set and
tags are in its headers, and raw mail of the second version that names nobody as its destination.
"""

# ruff: noqa: SLF001  # there is no public way to ask ministack

import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote

from ministack.services import ses, ses_v2

_IDENTITIES = "/v2/email/identities/"
_SEND = "/v2/email/outbound-emails"

Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Sending:
    """What a request that sends mail says of its events."""

    configuration_set: str | None = None
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


_sending: ContextVar[_Sending] = ContextVar("_sending")
_send_notifications = ses._send_notifications


def install() -> None:
    """Let whatever tells topics of a mail's fate tell the event destinations too."""
    ses._send_notifications = _send_notifications_and_events


def note_v1(parameters: Mapping[str, Sequence[str]]) -> None:
    """Remember what a request of the first version says of its events."""
    (name,) = parameters.get("ConfigurationSetName", [None])
    tags = {
        values[0]: [parameters[f"{key.removesuffix('.Name')}.Value"][0]]
        for key, values in parameters.items()
        if key.startswith("Tags.member.") and key.endswith(".Name")
    }
    _sending.set(_Sending(name, tags))


def tell_v2(method: str, path: str, body: bytes, answer: tuple[int, Any, bytes | str]) -> None:
    """Tell of a mail of the second version: ministack tells nobody of those."""
    if (method, path) != ("POST", _SEND) or answer[0] != 200:  # noqa: PLR2004  # HTTP's own
        return
    mail = json.loads(body)
    tags = {tag["Name"]: [tag["Value"]] for tag in mail.get("EmailTags", [])}
    _sending.set(_Sending(mail.get("ConfigurationSetName"), tags))
    recipients = [address for part in mail.get("Destination", {}).values() for address in part]
    _send_notifications_and_events(
        json.loads(answer[2])["MessageId"], mail.get("FromEmailAddress", ""), recipients
    )


def answer_identity(method: str, path: str, body: bytes) -> Answer | None:
    """Answer what ministack does not know of identities; None: it does."""
    if not path.startswith(_IDENTITIES):
        return None
    name, _, what = unquote(path.removeprefix(_IDENTITIES)).partition("/")
    identity = ses._identities.get(name)
    if identity is None:
        return None
    if method == "GET" and not what:
        return 200, {
            **ses_v2._identities.get(name, {"VerifiedForSendingStatus": True}),
            "ConfigurationSetName": identity.get("ConfigurationSetName", ""),
            "FeedbackForwardingStatus": identity["FeedbackForwardingEnabled"],
        }
    if method == "PUT" and what == "configuration-set":
        identity["ConfigurationSetName"] = json.loads(body or b"{}").get("ConfigurationSetName", "")
        return 200, {}
    if method == "PUT" and what == "feedback":
        identity["FeedbackForwardingEnabled"] = json.loads(body)["EmailForwardingEnabled"]
        return 200, {}
    return None


def _send_notifications_and_events(message_id: str, source: str, recipients: list[str]) -> None:
    _send_notifications(message_id, source, recipients)
    found = ses._notification_identity(source)
    if found:
        _send_events(message_id, source, recipients, *found)


def _send_events(
    message_id: str, source: str, recipients: list[str], name: str, identity: Mapping[str, Any]
) -> None:
    sending = _sending.get(_Sending())
    configuration_set = sending.configuration_set or identity.get("ConfigurationSetName")
    destinations = ses_v2._config_sets.get(configuration_set, {}).get("EventDestinations", {})
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    mail = {
        "timestamp": now,
        "source": parseaddr(source)[1],
        "sourceArn": ses_v2._resource_arn("identity", name),
        "sendingAccountId": ses.get_account_id(),
        "messageId": message_id,
        "destination": recipients,
        "tags": {"ses:configuration-set": [configuration_set], **sending.tags},
    }
    for recipient in recipients:
        for kind, sub_type in _outcomes(recipient):
            event = ses._notification_detail(kind, recipient, now, sub_type)
            for destination in destinations.values():
                topic = destination.get("SnsDestination", {}).get("TopicArn")
                wanted = (
                    destination["Enabled"] and kind.upper() in destination["MatchingEventTypes"]
                )
                if topic and wanted:
                    ses._publish_notification(topic, {"eventType": kind, "mail": mail, **event})


def _outcomes(recipient: str) -> Sequence[tuple[str, str | None]]:
    delivered: Sequence[tuple[str, str | None]] = (("Delivery", None),)
    local, _, domain = parseaddr(recipient)[1].partition("@")
    if domain.lower() != ses._SIMULATOR_DOMAIN:
        return delivered
    outcomes: Sequence[tuple[str, str | None]] = ses._SIMULATOR_OUTCOMES.get(
        local.lower().split("+")[0], delivered
    )
    return outcomes
