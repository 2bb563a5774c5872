"""Envelopes as Amazon SNS signs them, with a key made here: emulators sign nothing."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.builders import bounce_notification

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-bounces-topic-prod"
HOST = "https://sns.eu-west-1.amazonaws.com"
NAME = "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
URL = f"{HOST}/{NAME}"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HASHES: Mapping[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303


def certificate(
    key: Any = KEY, *, begins: datetime = NOW - timedelta(days=30), days: int = 365
) -> bytes:
    """Make a certificate as SNS's is, but for who signed it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


# Written down once more, from "Verifying the signatures of Amazon SNS messages" (SNS developer
# guide): what is tested may not say itself what is right.
_CONFIRMATION = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
SIGNED_FIELDS = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}


def text_to_sign(message: Mapping[str, Any]) -> bytes:
    fields = [name for name in SIGNED_FIELDS[message["Type"]] if name in message]
    return "".join(f"{name}\n{message[name]}\n" for name in fields).encode()


def signed(message: dict[str, Any], *, version: str = "2", key: Any = KEY) -> dict[str, Any]:
    """Sign a message as SNS does."""
    signature = key.sign(text_to_sign(message), padding.PKCS1v15(), HASHES[version])
    return {
        **message,
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": message.get("SigningCertURL", URL),
    }


def notification(**more: Any) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": bounce_notification("jane@example.com"),
        "Timestamp": "2026-11-24T11:59:00.000Z",
        **more,
    }


def confirmation(kind: str = "SubscriptionConfirmation", **more: Any) -> dict[str, Any]:
    return notification(
        Type=kind,
        Message="You have chosen to subscribe to the topic.",
        Token="2336412f37fb687f5d51e6e2425c464d",
        SubscribeURL="https://attacker.example/?Action=ConfirmSubscription",
        **more,
    )
