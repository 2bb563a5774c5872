"""Messages that anybody can post to an app's endpoint: what is taken, and what is refused how."""

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http.client import BadStatusLine
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ses_suppression.core.notification import Bounce, Subscription
from ses_suppression.integrations.webhook import (
    MOST_BYTES,
    OLDEST,
    Certificates,
    Kind,
    Received,
    RefusedMessageError,
    receive,
)
from tests.builders import bounce_notification, iso, subscription_event
from tests.signed_by_sns import (
    HOST,
    NAME,
    NOW,
    TOPIC,
    URL,
    certificate,
    confirmation,
    notification,
    signed,
)

CHINA = "arn:aws-cn:sns:cn-north-1:123456789012:ses-bounces-topic-prod"
SOVEREIGN = "arn:aws-eusc:sns:eusc-de-east-1:123456789012:ses-bounces-topic-prod"
UNKNOWN = "arn:aws-moon:sns:moon-1:123456789012:ses-bounces-topic-prod"
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ELLIPTIC_KEY = ec.generate_private_key(ec.SECP256R1())


class Wire:
    """What an endpoint would ask of others: certificates, and confirmations."""

    def __init__(self, answer: bytes | Exception | None = None) -> None:
        self.answer = certificate() if answer is None else answer
        self.fetched: list[str] = []
        self.confirmed: list[tuple[str, str]] = []
        self.certificates = Certificates(self.fetch)

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def receive(self, message: object, **options: Any) -> Received:
        body = message if isinstance(message, bytes | str) else json.dumps(message)
        return receive(
            body,
            options.pop("headers", {"x-amz-sns-message-type": "Notification"}),
            topics={TOPIC, CHINA, SOVEREIGN, UNKNOWN},
            certificates=self.certificates,
            confirm=lambda topic, token: self.confirmed.append((topic, token)),
            clock=lambda: NOW,
            **options,
        )

    def refused(self, message: object, **options: Any) -> tuple[int, str]:
        with pytest.raises(RefusedMessageError) as refused:
            self.receive(message, **options)
        return refused.value.status, str(refused.value)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_a_notification_of_ours_is_the_typed_notification_of_everywhere_else(
    wire: Wire, version: str, more: dict[str, str]
) -> None:
    received = wire.receive(signed(notification(**more), version=version))
    assert isinstance(received.notification, Bounce)
    assert received.notification.recipients[0].address == "jane@example.com"
    assert (received.kind, received.topic_arn) == (Kind.NOTIFICATION, TOPIC)
    assert wire.fetched == [URL]


def test_what_a_recipient_wants_is_handed_over_as_a_subscription(wire: Wire) -> None:
    body = subscription_event("jane@example.com", unsubscribe_all=True, topics={"news": "OptOut"})
    received = wire.receive(signed(notification(Message=body)))
    assert isinstance(received.notification, Subscription)
    assert received.notification.recipients[0].address == "jane@example.com"
    assert {one.topic for one in received.notification.preferences} == {None, "news"}


def test_a_certificate_is_fetched_once(wire: Wire) -> None:
    for _ in range(3):
        wire.receive(signed(notification()))
    assert wire.fetched == [URL]


def test_a_topic_in_china_has_its_certificate_there(wire: Wire) -> None:
    url = f"https://sns.cn-north-1.amazonaws.com.cn/{NAME}"
    wire.receive(signed(notification(TopicArn=CHINA, SigningCertURL=url)))
    assert wire.fetched == [url]


def test_a_topic_in_the_european_sovereign_cloud_has_its_certificate_there(wire: Wire) -> None:
    url = f"https://sns.eusc-de-east-1.amazonaws.eu/{NAME}"
    wire.receive(signed(notification(TopicArn=SOVEREIGN, SigningCertURL=url)))
    assert wire.fetched == [url]


def test_a_partition_that_nobody_knows_has_no_certificate(wire: Wire) -> None:
    assert wire.refused(signed(notification(TopicArn=UNKNOWN))) == (
        403,
        "TopicArn: aws-moon is no partition that is known here",
    )


@pytest.mark.parametrize("topics", [TOPIC, [], ""])
def test_topics_are_a_collection_and_not_a_text_of_which_every_part_would_be_ours(
    topics: list[str] | str,
) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^topics: "):
        receive("{}", {}, topics=topics)


def test_a_message_that_comes_again_is_handed_over_again(wire: Wire) -> None:
    first, again = (wire.receive(signed(notification())) for _ in range(2))
    assert first == again


def test_a_subscription_is_confirmed_by_its_token_and_no_url_is_followed(wire: Wire) -> None:
    received = wire.receive(signed(confirmation()))
    assert wire.confirmed == [(TOPIC, "2336412f37fb687f5d51e6e2425c464d")]
    assert (received.kind, received.notification) == (Kind.SUBSCRIPTION_CONFIRMATION, None)
    assert wire.fetched == [URL]


def test_the_end_of_a_subscription_is_told_and_nothing_is_done(wire: Wire) -> None:
    received = wire.receive(signed(confirmation("UnsubscribeConfirmation")))
    assert (received.kind, wire.confirmed) == (Kind.UNSUBSCRIBE_CONFIRMATION, [])


def _with_certificate_on(url: str) -> object:
    return signed(notification(SigningCertURL=url))


def _without(name: str) -> object:
    return {key: value for key, value in signed(confirmation()).items() if key != name}


def _at(timestamp: str) -> object:
    return signed(notification(Timestamp=timestamp))


NO_TIME = "Timestamp: a time such as 2026-11-24T12:00:00.000Z is needed"
OUR_REASON = "SigningCertURL: not a certificate of SNS in eu-west-1, the topic's region"
ATTACKS: dict[str, tuple[Callable[[], object], int, str]] = {
    "another topic, validly signed": (
        lambda: signed(notification(TopicArn=TOPIC.replace("123456789012", "999999999999"))),
        403,
        "TopicArn: not a topic of ours",
    ),
    **{
        f"a certificate {what}": (
            partial(_with_certificate_on, url),
            403,
            OUR_REASON,
        )
        for what, url in {
            "on sns.evil.example": f"https://sns.evil.example/{NAME}",
            "on S3": f"https://s3.amazonaws.com/bucket/{NAME}",
            "on a look-alike sub domain": f"https://sns.eu-west-1.amazonaws.com.evil.example/{NAME}",
            "on a bucket named like it": f"https://sns.eu-west-1.s3.amazonaws.com/{NAME}",
            "on a host with a suffix": f"https://sns.eu-west-1.amazonaws.com-evil.example/{NAME}",
            "on a host where a dot is any character": f"https://sns.eu-west-1xamazonaws.com/{NAME}",
            "over http": f"http://sns.eu-west-1.amazonaws.com/{NAME}",
            "on a port": f"https://sns.eu-west-1.amazonaws.com:8443/{NAME}",
            "with a user": f"https://sns.eu-west-1.amazonaws.com@evil.example/{NAME}",
            "with a user and a password": f"https://a:b@sns.eu-west-1.amazonaws.com/{NAME}",
            "with a traversal": f"{HOST}/x/../{NAME}",
            "with an encoded traversal": f"{HOST}/%2e%2e/{NAME}",
            "with a query": f"{URL}?next=https://evil.example",
            "with a fragment": f"{URL}#.pem",
            "with a line break": f"{URL}\n",
            "with a backslash": f"https://evil.example\\@sns.eu-west-1.amazonaws.com/{NAME}",
            "of another region": f"https://sns.us-east-1.amazonaws.com/{NAME}",
            "of China": f"https://sns.eu-west-1.amazonaws.com.cn/{NAME}",
            "in capitals": URL.upper(),
            "in digits of another script": f"{HOST}/SimpleNotificationService-{32 * chr(1633)}.pem",
            "with a name that is none of SNS's": f"{HOST}/SimpleNotificationService-{'x' * 31}.pem",
        }.items()
    },
    "an old message": (
        lambda: signed(notification(Timestamp=iso(NOW - OLDEST - timedelta(seconds=1)))),
        403,
        "Timestamp: older than 75 minutes, or in the future",
    ),
    "a message of the future": (
        lambda: signed(notification(Timestamp="2026-11-24T12:30:00.000Z")),
        403,
        "Timestamp: older than 75 minutes, or in the future",
    ),
    "version 3": (
        lambda: {**signed(notification()), "SignatureVersion": "3"},
        400,
        "SignatureVersion: 1 or 2 is needed",
    ),
    "10 MB": (
        lambda: json.dumps(signed(notification(Message="x" * 10_000_000))),
        400,
        "larger than 1,048,576 bytes",
    ),
    "a signature that is none": (
        lambda: {**signed(notification()), "Signature": "%"},
        400,
        "Signature: Base64 is needed",
    ),
    "a time without a zone": (
        lambda: signed(notification(Timestamp="2026-11-24T11:59:00")),
        400,
        NO_TIME,
    ),
    **{
        f"a time such as {text!r}": (
            partial(_at, text),
            400,
            NO_TIME,
        )
        for text in ("now", "2026-13-01T00:00:00.000Z", "2026-11-24\n11:59:00.000Z", "2026-W48-2")
    },
    "a token that reaches into the next field": (
        lambda: signed(confirmation() | {"Token": "t\nTopicArn\nx"}),
        400,
        "Token: a text of one line is needed",
    ),
    "a subject that reaches into the next field": (
        lambda: signed(notification(Subject="x\nTimestamp\n2026-11-24T11:59:00.000Z")),
        400,
        "Subject: a text of one line is needed",
    ),
    "an id that reaches into the next field": (
        lambda: signed(notification(MessageId="22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\nSubject\nx")),
        400,
        "MessageId: a UUID is needed",
    ),
    "another type": (
        lambda: signed(notification()) | {"Type": "Order"},
        400,
        "Type: one of Notification, SubscriptionConfirmation, UnsubscribeConfirmation is needed",
    ),
    "no JSON": (lambda: "<xml/>", 400, "not JSON"),
    "not UTF-8": (lambda: b"\xff\xfe\x00", 400, "not JSON"),
    "nested 100,000 deep": (lambda: "[" * 100_000, 400, "not JSON"),
    "a list": (list, 400, "not a JSON object"),
    "nothing": (lambda: "", 400, "not JSON"),
    **{
        f"no {name}": (
            partial(_without, name),
            400,
            f"{name}: a text is needed",
        )
        for name in (
            "Message", "MessageId", "Signature", "SignatureVersion", "SigningCertURL",
            "SubscribeURL", "Timestamp", "Token", "TopicArn",
        )
    },
    "a number for a text": (
        lambda: signed(notification()) | {"TopicArn": 7},
        400,
        "TopicArn: a text is needed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "status", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_with_its_own_reason_and_nobody_is_asked(
    wire: Wire, make: Callable[[], object], status: int, reason: str
) -> None:
    assert wire.refused(make()) == (status, reason)
    assert (wire.fetched, wire.confirmed) == ([], [])


FORGED = "Signature: it does not match"


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_forged_signature_is_refused(wire: Wire, version: str) -> None:
    forged = signed(notification(), version=version, key=OTHER_KEY)
    assert wire.refused(forged) == (403, FORGED)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "Subject"])
def test_a_field_that_was_changed_is_refused(wire: Wire, name: str, version: str) -> None:
    values = {
        "Message": bounce_notification("victim@example.com"),
        "MessageId": "00000000-fdea-4c2c-8f9d-bdfb0c7bf324",
        "Timestamp": "2026-11-24T11:58:00.000Z",
        "Subject": "another",
    }
    message = signed(notification(Subject="SES"), version=version)
    assert wire.refused({**message, name: values[name]}) == (403, FORGED)


def test_a_notification_is_no_confirmation_though_its_fields_are_there(wire: Wire) -> None:
    message = signed(notification()) | {"Type": "SubscriptionConfirmation", "Token": "t"}
    assert wire.refused({**message, "SubscribeURL": "x"}) == (403, FORGED)
    assert wire.confirmed == []


def test_a_message_of_the_other_topic_cannot_pass_for_this_ones(wire: Wire) -> None:
    message = signed(notification(TopicArn=TOPIC.replace("bounces", "complaints")))
    assert wire.refused({**message, "TopicArn": TOPIC}) == (403, FORGED)


def test_a_signature_of_version_1_does_not_pass_for_version_2(wire: Wire) -> None:
    message = signed(notification(), version="1") | {"SignatureVersion": "2"}
    assert wire.refused(message) == (403, FORGED)


def test_version_2_can_be_demanded(wire: Wire) -> None:
    message = signed(notification(), version="1")
    status, reason = wire.refused(message, demand_version_2=True)
    assert (status, reason.partition(";")[0]) == (403, "SignatureVersion: 2 is demanded")
    assert wire.fetched == []
    wire.receive(signed(notification()), demand_version_2=True)


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (
            certificate(begins=NOW - timedelta(days=30), days=29),
            403,
            "the certificate has expired, or is not valid yet",
        ),
        (
            certificate(begins=NOW + timedelta(days=1)),
            403,
            "the certificate has expired, or is not valid yet",
        ),
        (certificate(ELLIPTIC_KEY), 503, "the certificate's key is not RSA"),
        (
            BadStatusLine("garbage of a proxy"),
            503,
            "the certificate cannot be fetched: BadStatusLine",
        ),
        (TimeoutError(), 503, "the certificate cannot be fetched: TimeoutError"),
        (b"<html>", 503, "what was fetched is no certificate"),
    ],
)
def test_a_certificate_that_is_not_good_is_refused_and_one_that_is_not_there_is_tried_again(
    answer: bytes | Exception, status: int, reason: str
) -> None:
    assert Wire(answer).refused(signed(notification())) == (status, reason)


def test_what_could_not_be_fetched_is_fetched_the_next_time() -> None:
    wire = Wire(TimeoutError())
    wire.refused(signed(notification()))
    wire.answer = certificate()
    assert wire.receive(signed(notification())).kind is Kind.NOTIFICATION


def test_raw_delivery_is_refused_since_nobody_signed_it(wire: Wire) -> None:
    status, reason = wire.refused(
        bounce_notification("jane@example.com"), headers={"X-Amz-Sns-Rawdelivery": "true"}
    )
    assert (status, reason) == (
        400, "raw message delivery carries no signature: turn it off for this subscription",
    )  # fmt: skip


def test_what_is_ours_and_no_notification_of_ses_is_refused_with_the_field(wire: Wire) -> None:
    message = notification(Message='{"notificationType": "Bounce"}')
    status, reason = wire.refused(signed(message))
    assert status == 400
    assert reason.startswith("Message: bounce: an object is needed")


def test_a_body_at_the_limit_is_read(wire: Wire) -> None:
    assert wire.refused(" " * MOST_BYTES) == (400, "not JSON")
