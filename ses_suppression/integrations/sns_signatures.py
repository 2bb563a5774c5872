"""Signatures of Amazon SNS, checked with SNS's certificate of the topic's region.

The certificate's URL is the only one in a message that is followed, and it has a fixed form.
("Verifying the signatures of Amazon SNS messages", SNS developer guide.)
"""

import base64
import re
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from ses_suppression.errors import SESSuppressionError
from ses_suppression.store.daemon_pool import DaemonPool
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.fork import BegunAgainInAFork, Lock

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
_HASHES: Mapping[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}
_TOPIC_ARN = re.compile(r"arn:(aws[a-z-]*):sns:([a-z0-9-]+):\d{12}:[\w-]{1,256}(?:\.fifo)?")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


class Kind(StrEnum):
    """The types of messages that SNS posts."""

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

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = HTTPStatus(status)

    def __reduce__(self) -> tuple[type["RefusedMessageError"], tuple[HTTPStatus, str]]:
        return type(self), (self.status, str(self))


_Certificate = tuple[x509.Certificate, RSAPublicKey]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401  # the library's own
        """Follow none: urllib takes the answer for an error then."""


def fetch_certificate(url: str, *, seconds: float = _CERTIFICATE_SECONDS) -> bytes:
    """Fetch a certificate over HTTPS: no redirects, limited in size and in time.

    Raises:
        OSError, http.client.HTTPException: it cannot be fetched.
    """
    deadline = Deadline(seconds)
    content = b""
    with urllib.request.build_opener(_NoRedirects).open(url, timeout=seconds) as answer:
        while part := answer.read1(_MOST_CERTIFICATE_BYTES):
            content += part
            if len(content) > _MOST_CERTIFICATE_BYTES:
                raise OSError("too large for a certificate")
            if not deadline.remaining:
                raise TimeoutError("the certificate comes too slowly")
    return content


class Certificates(BegunAgainInAFork):
    """SNS's certificates, fetched once each.

    Whoever knows a topic's ARN can name certificates that do not exist. So few are fetched at a
    time, in threads of their own, and a message waits at most `seconds` for its certificate before
    it is refused, for SNS to send it again. Messages that name the same one wait for one fetch.

    Args:
        fetch: returns the bytes behind a URL.
        seconds: how long a message waits.
    """

    def __init__(
        self,
        fetch: Callable[[str], bytes] = fetch_certificate,
        *,
        seconds: float = _CERTIFICATE_SECONDS,
    ) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._pool = DaemonPool(_FETCHED_AT_A_TIME, "sns-certificates")
        self._lock = Lock()
        super().__init__()

    def begin(self) -> None:
        """Forget every fetch: the threads of those under way are not in a forked process."""
        self._fetches: dict[str, Future[_Certificate]] = {}

    def get(self, url: str) -> _Certificate:
        """Return the certificate behind a URL whose form has been checked, and its key.

        Raises:
            RefusedMessageError: it cannot be fetched now, or is none.
        """
        with self._lock:
            fetch = self._fetch_of(url)
        try:
            return fetch.result(self._seconds)
        except RefusedMessageError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, SNS has to try again
            name = type(error).__name__
            raise RefusedMessageError(503, f"the certificate cannot be fetched: {name}") from None

    def _fetch_of(self, url: str) -> "Future[_Certificate]":
        """Return the fetch of a certificate, finished or not, and forget failed and unused ones."""
        fetches = {
            one: fetch
            for one, fetch in self._fetches.items()
            if not (fetch.done() and fetch.exception())
        }
        found = fetches.pop(url, None)
        kept = [one for one, fetch in fetches.items() if fetch.done()]
        if found is None:
            if len(fetches) - len(kept) >= _FETCHES_WAITED_FOR:
                raise RefusedMessageError(503, "too many certificates are being fetched")
            found = self._pool.submit(lambda: _read_certificate(self._fetch(url)))
        for unused in kept[: 1 - _CERTIFICATES_KEPT]:
            del fetches[unused]
        self._fetches = {**fetches, url: found}  # the last one used is the last one
        return found


def _read_certificate(content: bytes) -> _Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(content)
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise RefusedMessageError(503, "what was fetched is no certificate") from None
    if not isinstance(key, RSAPublicKey):
        raise RefusedMessageError(503, "the certificate's key is not RSA")
    return certificate, key


def verify(
    message: Mapping[str, str], *, certificates: Certificates, demand_version_2: bool, now: datetime
) -> None:
    """Check that SNS signed a message, with a certificate of its topic's region.

    Args:
        message: its fields, which are texts.
        certificates: where SNS's certificates are kept.
        demand_version_2: refuse signatures of version 1, which use SHA-1.
        now: the time, UTC.

    Raises:
        RefusedMessageError: it is not signed by SNS, or this cannot be checked now.
    """
    hash_algorithm = _hash_algorithm(message["SignatureVersion"], demand_version_2=demand_version_2)
    url = _certificate_url(message["SigningCertURL"], message["TopicArn"])
    try:
        signature = base64.b64decode(message["Signature"], validate=True)
    except ValueError:
        raise RefusedMessageError(400, "Signature: Base64 is needed") from None
    certificate, key = certificates.get(url)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise RefusedMessageError(403, "the certificate has expired, or is not valid yet")
    try:
        key.verify(signature, string_to_sign(message), PKCS1v15(), hash_algorithm())
    except InvalidSignature:
        raise RefusedMessageError(403, "Signature: it does not match") from None


def _hash_algorithm(version: str, *, demand_version_2: bool) -> type[HashAlgorithm]:
    if version not in _HASHES:
        raise RefusedMessageError(400, "SignatureVersion: 1 or 2 is needed")
    if demand_version_2 and version != "2":
        raise RefusedMessageError(
            403, "SignatureVersion: 2 is demanded; set the topic's SignatureVersion"
        )
    return _HASHES[version]


def _certificate_url(url: str, topic_arn: str) -> str:
    """Return a certificate's URL if all of it has the one form that SNS uses."""
    arn = _TOPIC_ARN.fullmatch(topic_arn)
    if not arn:
        raise RefusedMessageError(403, "TopicArn: not the ARN of a topic")
    partition, region = arn.groups()
    if partition not in _DOMAINS:
        raise RefusedMessageError(403, f"TopicArn: {partition} is no partition that is known here")
    host = re.escape(f"sns.{region}.{_DOMAINS[partition]}")
    form = rf"https://{host}/SimpleNotificationService-[0-9A-Za-z]{{32}}\.pem"
    if not re.fullmatch(form, url, re.ASCII):
        raise RefusedMessageError(
            403, f"SigningCertURL: not a certificate of SNS in {region}, the topic's region"
        )
    return url


def string_to_sign(message: Mapping[str, str]) -> bytes:
    r"""Write the fields that are signed as SNS does: name and value, each on a line of its own.

    >>> string_to_sign({"Message": "hi", "MessageId": "1", "Timestamp": "t", "TopicArn": "a",
    ...     "Type": "Notification"})
    b'Message\nhi\nMessageId\n1\nTimestamp\nt\nTopicArn\na\nType\nNotification\n'
    """
    names = SIGNED[Kind(message["Type"])]
    lines = [f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None]
    return "".join(lines).encode("utf-8", "surrogatepass")
