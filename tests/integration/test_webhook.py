"""The adapters of docs/webhook.md in their frameworks: what an app's endpoint answers."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from django.test import RequestFactory
from moto import mock_aws

from ses_suppression.core.notification import Bounce
from ses_suppression.integrations.webhook import (
    Certificates,
    Kind,
    Received,
    RefusedMessageError,
    confirm_subscription,
)
from tests.adapters import FRAMEWORKS, PAGE, SECTIONS, adapter, over_http, page_code, serving
from tests.builders import bounce_notification
from tests.integration.django_project import configured_django
from tests.integration.servers import ACCESS
from tests.signed_by_sns import NOW, TOPIC, certificate, confirmation, notification, signed

Post = Callable[[bytes], tuple[int, str]]


class App:
    """What an app does with what it is given, and what its endpoint asks of others."""

    def __init__(self) -> None:
        self.handled: list[Received] = []
        self.confirmed: list[str] = []
        self.crashes = 0
        self.certificate: bytes | None = certificate()

    def handle(self, received: Received) -> None:
        if self.crashes:
            self.crashes -= 1
            raise RuntimeError("in the middle of it")
        self.handled.append(received)

    def options(self) -> dict[str, Any]:
        return {
            "topics": {TOPIC},
            "handle": self.handle,
            "certificates": Certificates(self._fetch),
            "confirm": lambda _topic, token: self.confirmed.append(token),
            "clock": lambda: NOW,
        }

    def _fetch(self, _url: str) -> bytes:
        if self.certificate is None:
            raise TimeoutError
        return self.certificate


def through_django(names: dict[str, Any], body: bytes) -> tuple[int, str]:
    """Call the view; what it raises Django makes a 500, unless it is a test."""
    request = RequestFactory().post("/ses", body, content_type="text/plain; charset=UTF-8")
    try:
        answer = names["ses"](request)
    except RuntimeError:
        return 500, ""
    return answer.status_code, answer.content.decode()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture(params=[*FRAMEWORKS, "Django"])
def post(request: pytest.FixtureRequest, app: App) -> Iterator[Post]:
    if request.param == "Django":
        configured_django()
        names = adapter("Django", **app.options())
        yield lambda body: through_django(names, body)
        return
    with serving(request.param, **app.options()) as url:
        yield lambda body: over_http(url, body)


def as_body(message: object) -> bytes:
    return json.dumps(message).encode()


def test_a_notification_is_handed_over(app: App, post: Post) -> None:
    assert post(as_body(signed(notification()))) == (204, "")
    (received,) = app.handled
    assert isinstance(received.notification, Bounce)
    assert received.notification.recipients[0].address == "jane@example.com"


def test_a_subscription_is_confirmed(app: App, post: Post) -> None:
    assert post(as_body(signed(confirmation()))) == (204, "")
    assert app.confirmed == ["2336412f37fb687f5d51e6e2425c464d"]
    assert [received.kind for received in app.handled] == [Kind.SUBSCRIPTION_CONFIRMATION]


def test_what_crashed_is_handed_over_again(app: App, post: Post) -> None:
    app.crashes, body = 1, as_body(signed(notification()))
    status, _ = post(body)
    assert (status, app.handled) == (500, [])
    assert post(body) == (204, "")
    assert [received.kind for received in app.handled] == [Kind.NOTIFICATION]


def test_what_is_not_taken_is_answered_with_its_status_and_reason(app: App, post: Post) -> None:
    assert post(b"hello") == (400, "not JSON")
    assert post(b"x" * 10_000_000) == (400, "larger than 1,048,576 bytes")
    forged = {**signed(notification()), "Message": "{}"}
    assert post(as_body(forged)) == (403, "Signature: it does not match")
    other = signed(notification(TopicArn=TOPIC.replace("bounces", "orders")))
    assert post(as_body(other)) == (403, "TopicArn: not a topic of ours")
    assert app.handled == []


def test_sns_has_to_try_again_when_the_certificate_cannot_be_fetched(app: App, post: Post) -> None:
    app.certificate, body = None, as_body(signed(notification()))
    assert post(body) == (503, "the certificate cannot be fetched: TimeoutError")
    app.certificate = certificate()
    assert post(body) == (204, "")
    assert [received.kind for received in app.handled] == [Kind.NOTIFICATION]


def test_the_page_names_the_topics_of_its_endpoints() -> None:
    (environment,) = re.findall(r"^ *```json\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    kinds = json.loads(environment)["endpoints"]
    code = [text for text in SECTIONS.values() if "TOPICS = " in text]
    assert len(code) == 3
    for text in code:
        topics = set(re.findall(r'"(arn:[^"]+)"', text))
        assert topics == {TOPIC.replace("bounces", kind) for kind in kinds}


def test_the_page_marks_who_bounced() -> None:
    marked: list[str] = []
    names = page_code("What an app does with it", mark_as_bounced=marked.append)
    options = {**App().options(), "handle": names["handle"]}
    with serving("Flask", **options) as url:
        assert over_http(url, as_body(signed(notification()))) == (204, "")
        assert over_http(url, as_body(signed(confirmation())))[0] == 204
        nobody = notification(Message=bounce_notification("undisclosed"))
        assert over_http(url, as_body(signed(nobody))) == (204, "")
    assert marked == ["jane@example.com"]


@mock_aws
def test_the_page_reads_what_an_app_did_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "x",
        "DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    sqs = boto3.client("sqs", **ACCESS)
    url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    for number in range(12):
        body = notification(Message=bounce_notification(f"customer-{number}@example.com"))
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(signed(body)))
    marked: list[str] = []
    app = page_code("What an app does with it", mark_as_bounced=marked.append)
    page_code("When the app does not take it", QUEUE_URL=url, mark=app["mark"])
    assert sorted(marked) == sorted(f"customer-{number}@example.com" for number in range(12))
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == "0"
    assert left["ApproximateNumberOfMessagesNotVisible"] == "0"


@mock_aws
def test_a_confirmation_goes_through_the_api_of_sns() -> None:
    client = boto3.client("sns", **ACCESS)
    topic = client.create_topic(Name="ses-bounces-topic-prod")["TopicArn"]
    asked: list[dict[str, str]] = []
    client.meta.events.register(
        "before-call.sns.*", lambda params, **_: asked.append(params["body"])
    )
    confirm_subscription(topic, "token", client=client)
    (body,) = asked
    assert body["Action"] == "ConfirmSubscription"
    assert (body["Token"], body["AuthenticateOnUnsubscribe"]) == ("token", "true")


@mock_aws
def test_sns_has_to_try_again_when_a_confirmation_fails() -> None:
    with pytest.raises(RefusedMessageError, match="did not confirm") as refused:
        confirm_subscription(TOPIC, "token", client=boto3.client("sns", **ACCESS))
    assert refused.value.status == 503
