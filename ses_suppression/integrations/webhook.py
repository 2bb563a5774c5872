"""An app's own HTTPS endpoint for the stack's topics: verify first, then look.

Anybody can post to an endpoint that the internet reaches. What is taken has to come from a topic
that the app named, signed by Amazon SNS with a certificate of that topic's own region, and not long
ago. No URL in a message is ever followed but that of the certificate, and that one has a fixed
form. ("Verifying the signatures of Amazon SNS messages", SNS developer guide.)
"""

import base64
import binascii
import json
import re
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from ses_suppression.core.notification import Notification, parse
from ses_suppression.errors import InvalidNotificationError, SESSuppressionError
from ses_suppression.store.daemon_pool import DaemonPool
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.fork import BegunAgainInAFork, Lock

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

MOST_BYTES = 1024 * 1024
"""A message of SNS has at most 256 KB; as text in JSON it may be twice that."""

OLDEST = timedelta(minutes=75)
"""SNS tries a delivery over HTTP again for up to an hour."""

_EARLIEST = timedelta(minutes=5)  # a sender's clock may be ahead of ours
_MOST_CERTIFICATE_BYTES = 64 * 1024
_CERTIFICATES_KEPT = 16
# SNS waits 15 seconds for an answer: this, and a confirmation, have to fit.
_CERTIFICATE_SECONDS = 5.0
_FETCHED_AT_A_TIME = 4
_FETCHES_WAITED_FOR = 64
_DOMAINS: Mapping[str, str] = {
    "aws": "amazonaws.com",
    "aws-us-gov": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
}
_IDS_KEPT = 100_000
_HASHES: Mapping[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}
_TOPIC_ARN = re.compile(r"arn:(aws[a-z-]*):sns:([a-z0-9-]+):\d{12}:[\w-]{1,256}(?:\.fifo)?")
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ONE_LINE = re.compile(r"[^\r\n]*")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


class Kind(StrEnum):
    """What SNS posts."""

    NOTIFICATION = "Notification"
    SUBSCRIPTION_CONFIRMATION = "SubscriptionConfirmation"
    UNSUBSCRIBE_CONFIRMATION = "UnsubscribeConfirmation"


SIGNED: Mapping[Kind, tuple[str, ...]] = {
    Kind.NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    Kind.SUBSCRIPTION_CONFIRMATION: _CONFIRMATION,
    Kind.UNSUBSCRIBE_CONFIRMATION: _CONFIRMATION,
}
"""The fields that are signed, in their order; a notification need not have a `Subject`."""


class RefusedMessageError(SESSuppressionError):
    """A message is not taken.

    Attributes:
        status: the HTTP status to answer with: 400, it is no message of SNS; 403, it is none of
            ours; 503, it could not be verified now, and SNS has to try again.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status

    def __reduce__(self) -> tuple[type["RefusedMessageError"], tuple[HTTPStatus, str]]:
        return type(self), (self.status, str(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that was verified.

    Attributes:
        kind: what it is; only a notification is about mail.
        topic_arn: the topic that it came from, one of those that the app named.
        message_id: SNS's own; the same for every attempt at a delivery.
        notification: what SES says, for a notification; else None.
        duplicate: this id was handed over before. It is handed over again: the first time the app
            may have failed in the middle. What is done already is for the app to know.
    """

    kind: Kind
    topic_arn: str
    message_id: str
    notification: Notification | None = None
    duplicate: bool = False


class Seen(Protocol):
    """Remembers ids of messages, for as long as SNS may repeat them."""

    def __call__(self, message_id: str) -> bool:
        """Take an id, and tell whether it was there before."""


class SeenHere:
    """Remembers the newest ids in this process. With several processes, give a shared one.

    >>> seen = SeenHere()
    >>> seen("a"), seen("a")
    (False, True)
    """

    def __init__(self, most: int = _IDS_KEPT) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def __call__(self, message_id: str) -> bool:
        """Take an id, and tell whether it was there before."""
        with self._lock:
            before = message_id in self._ids
            self._ids[message_id] = None
            self._ids.move_to_end(message_id)
            if len(self._ids) > self._most:
                self._ids.popitem(last=False)
            return before


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is needed of SNS's certificate."""

    key: RSAPublicKey
    not_before: datetime
    not_after: datetime


class Certificates(BegunAgainInAFork):
    """SNS's certificates, fetched once each.

    Whoever knows a topic's ARN can name certificates that are none. So few are fetched at a time,
    in threads of their own, and a message waits no longer than `seconds` for its own: then it is
    refused, for SNS to send it again. Messages that name the same certificate wait for one fetch.

    Args:
        fetch: gives the bytes behind a URL.
        seconds: how long a message waits for one.
    """

    def __init__(
        self, fetch: Callable[[str], bytes] | None = None, *, seconds: float = _CERTIFICATE_SECONDS
    ) -> None:
        self._fetch = fetch or fetch_certificate
        self._seconds = seconds
        self._kept: OrderedDict[str, Certificate] = OrderedDict()
        self._pool = DaemonPool(_FETCHED_AT_A_TIME, "sns-certificates")
        self._lock = Lock()
        super().__init__()

    def begin(self) -> None:
        """Begin without fetches under way."""
        self._fetching: dict[str, Future[Certificate]] = {}

    def get(self, url: str) -> Certificate:
        """Give the certificate behind a URL whose form has been checked.

        Raises:
            RefusedMessageError: it cannot be fetched now, or is none.
        """
        with self._lock:
            if url in self._kept:
                self._kept.move_to_end(url)
                return self._kept[url]
            fetching = self._under_way(url)
        try:
            return fetching.result(self._seconds)
        except RefusedMessageError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, SNS has to try again
            _refuse(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"the certificate cannot be fetched: {type(error).__name__}",
            )

    def _under_way(self, url: str) -> "Future[Certificate]":
        """Fetch, or join who does, with the lock held; what nobody waits for any more goes on."""
        self._fetching = {one: task for one, task in self._fetching.items() if not task.done()}
        if url not in self._fetching:
            if len(self._fetching) >= _FETCHES_WAITED_FOR:
                _refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many certificates are being fetched")
            self._fetching[url] = self._pool.submit(lambda: self._get(url))
        return self._fetching[url]

    def _get(self, url: str) -> Certificate:
        certificate = _read_certificate(self._fetch(url))
        with self._lock:
            self._kept[url] = certificate
            if len(self._kept) > _CERTIFICATES_KEPT:
                self._kept.popitem(last=False)
        return certificate


def _read_certificate(content: bytes) -> Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(content)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        _refuse(HTTPStatus.SERVICE_UNAVAILABLE, "what was fetched is no certificate")
    if not isinstance(key, RSAPublicKey):
        _refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the certificate's key is not RSA")
    return Certificate(key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401  # the library's own
        """Follow none: urllib takes the answer for an error then."""


def fetch_certificate(url: str, *, seconds: float = _CERTIFICATE_SECONDS) -> bytes:
    """Fetch a certificate over HTTPS: no redirects, limited in size and in time.

    Raises:
        OSError, http.client.HTTPException: it cannot be fetched.
    """
    opener = urllib.request.build_opener(_NoRedirects)
    deadline = Deadline(seconds)
    content = b""
    with opener.open(url, timeout=seconds) as answer:
        while part := answer.read1(_MOST_CERTIFICATE_BYTES):
            content += part
            if len(content) > _MOST_CERTIFICATE_BYTES:
                raise OSError("too large for a certificate")
            if not deadline.remaining:
                raise TimeoutError("the certificate comes too slowly")
    return content


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
        _refuse(
            HTTPStatus.SERVICE_UNAVAILABLE,
            f"SNS did not confirm the subscription: {code or type(error).__name__}",
        )


_CERTIFICATES = Certificates()
_SEEN = SeenHere()


def receive(
    body: bytes | str,
    headers: Mapping[str, str],
    *,
    topics: Collection[str],
    demand_version_2: bool = False,
    certificates: Certificates = _CERTIFICATES,
    confirm: Callable[[str, str], None] = confirm_subscription,
    seen: Seen = _SEEN,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Received:
    """Verify a message that SNS posted, confirm a subscription, and parse what SES says.

    Args:
        body: of the request, as it came.
        headers: of the request.
        topics: the ARNs of the topics that the app takes messages from; at least one.
        demand_version_2: refuse signatures of version 1, which use SHA-1.
        certificates: where SNS's certificates are kept.
        confirm: confirms a subscription: topic, token.
        seen: remembers ids.
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
    message = _message(body, headers)
    kind = Kind(message["Type"])
    topic_arn = message["TopicArn"]
    if topic_arn not in topics:
        _refuse(HTTPStatus.FORBIDDEN, "TopicArn: not a topic of ours")
    hash_algorithm = _hash_algorithm(message["SignatureVersion"], demand_version_2=demand_version_2)
    url = _certificate_url(message["SigningCertURL"], topic_arn)
    now = clock()
    _check_age(message["Timestamp"], now)
    signature = _signature(message["Signature"])
    certificate = certificates.get(url)
    _verify(message, certificate, signature=signature, hashed_with=hash_algorithm(), now=now)
    if kind is Kind.SUBSCRIPTION_CONFIRMATION:
        confirm(topic_arn, message["Token"])
    return Received(
        kind=kind,
        topic_arn=topic_arn,
        message_id=message["MessageId"],
        notification=_parsed(message["Message"]) if kind is Kind.NOTIFICATION else None,
        duplicate=seen(message["MessageId"]),
    )


def _message(body: bytes | str, headers: Mapping[str, str]) -> Mapping[str, str]:
    """Read the fields that count; each of them is a text."""
    if len(body) > MOST_BYTES:
        _refuse(HTTPStatus.BAD_REQUEST, f"larger than {MOST_BYTES:,} bytes")
    if any(str(name).lower() == "x-amz-sns-rawdelivery" for name in headers):
        _refuse(
            HTTPStatus.BAD_REQUEST,
            "raw message delivery carries no signature: turn it off for this subscription",
        )
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        _refuse(HTTPStatus.BAD_REQUEST, "not JSON")
    if not isinstance(document, dict):
        _refuse(HTTPStatus.BAD_REQUEST, "not a JSON object")
    _check_fields(document)
    return document


def _check_fields(document: Mapping[str, object]) -> None:
    kind = document.get("Type")
    if not isinstance(kind, str) or kind not in set(Kind):
        _refuse(HTTPStatus.BAD_REQUEST, f"Type: one of {', '.join(Kind)} is needed")
    needed = {*SIGNED[Kind(kind)], "SignatureVersion", "Signature", "SigningCertURL"} - {"Subject"}
    for name in sorted(needed):
        if not isinstance(document.get(name), str):
            _refuse(HTTPStatus.BAD_REQUEST, f"{name}: a text is needed")
    subject = document.get("Subject")
    if not isinstance(subject, str | None):
        _refuse(HTTPStatus.BAD_REQUEST, "Subject: a text is needed")
    # What is signed is a list of lines. With a line break in the message alone, which comes first
    # and is followed by an id of a fixed form, there is one way to read it.
    if not _MESSAGE_ID.fullmatch(str(document["MessageId"])):
        _refuse(HTTPStatus.BAD_REQUEST, "MessageId: a UUID is needed")
    for name in ("Subject", "SubscribeURL", "Token"):
        if not _ONE_LINE.fullmatch(str(document.get(name) or "")):
            _refuse(HTTPStatus.BAD_REQUEST, f"{name}: a text of one line is needed")


def _hash_algorithm(version: str, *, demand_version_2: bool) -> type[HashAlgorithm]:
    if version not in _HASHES:
        _refuse(HTTPStatus.BAD_REQUEST, "SignatureVersion: 1 or 2 is needed")
    if demand_version_2 and version != "2":
        _refuse(
            HTTPStatus.FORBIDDEN,
            "SignatureVersion: 2 is demanded; set the topic's SignatureVersion",
        )
    return _HASHES[version]


def _certificate_url(url: str, topic_arn: str) -> str:
    """Check the form of the whole URL at once: what is not in it cannot be there."""
    arn = _TOPIC_ARN.fullmatch(topic_arn)
    if not arn:
        _refuse(HTTPStatus.FORBIDDEN, "TopicArn: not the ARN of a topic")
    partition, region = arn[1], arn[2]
    if partition not in _DOMAINS:
        _refuse(HTTPStatus.FORBIDDEN, f"TopicArn: {partition} is no partition that is known here")
    host = rf"sns\.{re.escape(region)}\.{re.escape(_DOMAINS[partition])}"
    if not re.fullmatch(
        rf"https://{host}/SimpleNotificationService-[0-9A-Za-z]{{32}}\.pem", url, re.ASCII
    ):
        _refuse(
            HTTPStatus.FORBIDDEN,
            f"SigningCertURL: not a certificate of SNS in {region}, the topic's region",
        )
    return url


def _check_age(timestamp: str, now: datetime) -> None:
    needed = "Timestamp: a time such as 2026-11-24T12:00:00.000Z is needed"
    if not _TIMESTAMP.fullmatch(timestamp):
        _refuse(HTTPStatus.BAD_REQUEST, needed)
    try:
        sent = datetime.fromisoformat(timestamp)
    except ValueError:
        _refuse(HTTPStatus.BAD_REQUEST, needed)
    if not now - OLDEST <= sent <= now + _EARLIEST:
        _refuse(
            HTTPStatus.FORBIDDEN,
            f"Timestamp: older than {OLDEST // timedelta(minutes=1)} minutes, or in the future",
        )


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        _refuse(HTTPStatus.BAD_REQUEST, "Signature: Base64 is needed")


def _verify(
    message: Mapping[str, str],
    certificate: Certificate,
    *,
    signature: bytes,
    hashed_with: HashAlgorithm,
    now: datetime,
) -> None:
    if not certificate.not_before <= now <= certificate.not_after:
        _refuse(HTTPStatus.FORBIDDEN, "the certificate has expired, or is not valid yet")
    try:
        certificate.key.verify(signature, string_to_sign(message), PKCS1v15(), hashed_with)
    except InvalidSignature:
        _refuse(HTTPStatus.FORBIDDEN, "Signature: it does not match")


def string_to_sign(message: Mapping[str, str]) -> bytes:
    r"""Write the fields that are signed as SNS does: name and value, each on a line of its own.

    >>> string_to_sign({"Message": "hi", "MessageId": "1", "Timestamp": "t", "TopicArn": "a",
    ...     "Type": "Notification"})
    b'Message\nhi\nMessageId\n1\nTimestamp\nt\nTopicArn\na\nType\nNotification\n'
    """
    names = SIGNED[Kind(message["Type"])]
    lines = [f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _parsed(text: str) -> Notification:
    try:
        return parse(text)
    except InvalidNotificationError as error:
        _refuse(HTTPStatus.BAD_REQUEST, f"Message: {error}")


def _refuse(status: HTTPStatus, reason: str) -> NoReturn:
    raise RefusedMessageError(status, reason) from None
