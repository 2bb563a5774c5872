"""An app's own HTTPS endpoint for the stack's topics: verify first, then look.

Anybody can post to an endpoint that the internet reaches. A message is taken only from a topic that
the app named, signed by Amazon SNS, and not long ago.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ses_suppression.core.notification import Notification, parse
from ses_suppression.errors import InvalidNotificationError
from ses_suppression.integrations.sns_signatures import (
    SIGNED,
    Certificates,
    Kind,
    RefusedMessageError,
    verify,
)

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

__all__ = [
    "MOST_BYTES",
    "OLDEST",
    "Certificates",
    "Kind",
    "Received",
    "RefusedMessageError",
    "confirm_subscription",
    "receive",
]

MOST_BYTES = 1024 * 1024
"""A message of SNS has at most 256 KB; as text in JSON it may be twice that."""

OLDEST = timedelta(minutes=75)
"""SNS tries a delivery over HTTP again for up to an hour."""

_EARLIEST = timedelta(minutes=5)  # a sender's clock may be ahead of ours
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ONE_LINE = re.compile(r"[^\r\n]*")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_CERTIFICATES = Certificates()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that was verified.

    Attributes:
        kind: its type; only a notification is about mail.
        topic_arn: the topic that it came from, one of those that the app named.
        message_id: SNS's own; the same for every attempt at a delivery.
        notification: the notification of SES; None for another kind.
    """

    kind: Kind
    topic_arn: str
    message_id: str
    notification: Notification | None = None


def confirm_subscription(topic_arn: str, token: str, *, client: "SNSClient | None" = None) -> None:
    """Confirm a subscription through SNS's own API; only its owner can end it then.

    The app's role needs `sns:ConfirmSubscription` on the topic.

    Args:
        topic_arn: of the topic.
        token: of the confirmation.
        client: of boto3 for SNS; None: one with the app's own credentials, in the topic's region.

    Raises:
        RefusedMessageError: SNS did not answer, or refused.
    """
    try:
        client = client or boto3.client(
            "sns",
            region_name=topic_arn.split(":")[3],
            config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
        )
        client.confirm_subscription(
            TopicArn=topic_arn, Token=token, AuthenticateOnUnsubscribe="true"
        )
    except (ClientError, BotoCoreError) as error:
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        reason = f"SNS did not confirm the subscription: {code or type(error).__name__}"
        raise RefusedMessageError(503, reason) from None


def receive(
    body: bytes | str,
    headers: Mapping[str, str],
    *,
    topics: Collection[str],
    demand_version_2: bool = False,
    certificates: Certificates = _CERTIFICATES,
    confirm: Callable[[str, str], None] = confirm_subscription,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Received:
    """Verify a message that SNS posted, confirm a subscription, and parse the notification.

    SNS may post a message several times, and each time it is returned.

    Args:
        body: of the request, as it came.
        headers: of the request.
        topics: the ARNs of the topics that the app takes messages from; at least one.
        demand_version_2: refuse signatures of version 1, which use SHA-1.
        certificates: where SNS's certificates are kept.
        confirm: confirms a subscription: topic, token.
        clock: the time, UTC.

    Raises:
        RefusedMessageError: nothing was done; answer with its `status`.
        TypeError, ValueError: the app has no collection of topics, or an empty one.

    >>> topics = {"arn:aws:sns:eu-west-1:123456789012:ses-bounces-topic-prod"}
    >>> try:
    ...     receive(b"hello", {}, topics=topics)
    ... except RefusedMessageError as refused:
    ...     print(int(refused.status), refused)
    400 not JSON
    """
    if isinstance(topics, str):  # of which every part would be in it
        raise TypeError("topics: a collection of ARNs is needed, not a text")
    if not topics:
        raise ValueError("topics: at least one ARN is needed: without any, nothing is ours")
    message = _read(body, headers)
    kind, topic_arn, now = Kind(message["Type"]), message["TopicArn"], clock()
    if topic_arn not in topics:
        raise RefusedMessageError(403, "TopicArn: not a topic of ours")
    _check_age(message["Timestamp"], now)
    verify(message, certificates=certificates, demand_version_2=demand_version_2, now=now)
    if kind is Kind.SUBSCRIPTION_CONFIRMATION:
        confirm(topic_arn, message["Token"])
    return Received(
        kind=kind,
        topic_arn=topic_arn,
        message_id=message["MessageId"],
        notification=_parse_message(message["Message"]) if kind is Kind.NOTIFICATION else None,
    )


def _read(body: bytes | str, headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the fields of a message; those that count are texts."""
    if len(body) > MOST_BYTES:
        raise RefusedMessageError(400, f"larger than {MOST_BYTES:,} bytes")
    if any(str(name).lower() == "x-amz-sns-rawdelivery" for name in headers):
        raise RefusedMessageError(
            400, "raw message delivery carries no signature: turn it off for this subscription"
        )
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedMessageError(400, "not JSON") from None
    if not isinstance(document, dict):
        raise RefusedMessageError(400, "not a JSON object")
    _check_fields(document)
    return document


def _check_fields(document: Mapping[str, object]) -> None:
    kind = document.get("Type")
    if not isinstance(kind, str) or kind not in set(Kind):
        raise RefusedMessageError(400, f"Type: one of {', '.join(Kind)} is needed")
    needed = {*SIGNED[Kind(kind)], "SignatureVersion", "Signature", "SigningCertURL"}
    for name in sorted(needed):
        is_missing = name == "Subject" and document.get(name) is None  # it need not be there
        if not (is_missing or isinstance(document.get(name), str)):
            raise RefusedMessageError(400, f"{name}: a text is needed")
    # SNS signs a list of lines. With line breaks in the message alone, which comes first and is
    # followed by an id of a fixed form, there is one way to read it.
    if not _MESSAGE_ID.fullmatch(str(document["MessageId"])):
        raise RefusedMessageError(400, "MessageId: a UUID is needed")
    for name in ("Subject", "SubscribeURL", "Token"):
        if not _ONE_LINE.fullmatch(str(document.get(name) or "")):
            raise RefusedMessageError(400, f"{name}: a text of one line is needed")


def _check_age(timestamp: str, now: datetime) -> None:
    try:
        sent = datetime.fromisoformat(timestamp) if _TIMESTAMP.fullmatch(timestamp) else None
    except ValueError:
        sent = None
    if sent is None:
        raise RefusedMessageError(
            400, "Timestamp: a time such as 2026-11-24T12:00:00.000Z is needed"
        )
    if not now - OLDEST <= sent <= now + _EARLIEST:
        minutes = OLDEST // timedelta(minutes=1)
        raise RefusedMessageError(403, f"Timestamp: older than {minutes} minutes, or in the future")


def _parse_message(text: str) -> Notification:
    try:
        return parse(text)
    except InvalidNotificationError as error:
        raise RefusedMessageError(400, f"Message: {error}") from None
