"""From a mail to an app that hears of its bounce: the stack's topic, HTTP, the page's adapters."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from local.mailbox_simulator import SIMULATOR
from local.waiting import wait_for
from ses_suppression.core.notification import Bounce
from ses_suppression.integrations.webhook import Certificates, Kind, Received, confirm_subscription
from tests.adapters import serving
from tests.e2e.operator import Operator
from tests.e2e.sns_relay import Relay, running_relay
from tests.e2e.stack import SECONDS, Stack
from tests.signed_by_sns import certificate


class App:
    """An app that crashes in the middle of the first bounce that it hears of."""

    def __init__(self) -> None:
        self.handled: list[Received] = []
        self.crashed: list[str] = []

    def handle(self, received: Received) -> None:
        if isinstance(received.notification, Bounce) and not self.crashed:
            self.crashed.append(received.message_id)
            raise RuntimeError("in the middle of it")
        self.handled.append(received)

    def has_heard_of(self, address: str) -> bool:
        return address in [
            recipient.address
            for received in self.handled
            if isinstance(received.notification, Bounce)
            for recipient in received.notification.recipients
        ]


@contextmanager
def subscribed(stack: Stack, relay: Relay) -> Iterator[None]:
    """Subscribe to the bounces, for as long as it is needed."""
    sns, topic = stack.emulator.client("sns"), stack.deployment.outputs["BouncesTopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=relay.url)
    try:
        yield
    finally:
        for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
            if one["Endpoint"] == relay.url:
                sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def options(stack: Stack, app: App) -> dict[str, Any]:
    now = datetime.now(UTC)
    pem = certificate(begins=now - timedelta(days=1))
    return {
        "topics": {stack.deployment.outputs["BouncesTopicArn"]},
        "handle": app.handle,
        "certificates": Certificates(lambda _url: pem),
        "confirm": partial(confirm_subscription, client=stack.emulator.client("sns")),
    }


@pytest.mark.parametrize("framework", ["FastAPI", "Flask"])
def test_an_app_confirms_hears_of_a_bounce_crashes_and_is_told_again(
    stack: Stack, operator: Operator, framework: str
) -> None:
    app, address = App(), f"bounce+{uuid.uuid4().hex}@{SIMULATOR}"
    with (
        serving(framework, **options(stack, app)) as url,
        running_relay(url) as relay,
        subscribed(stack, relay),
    ):
        wait_for("the confirmation", lambda: app.handled, seconds=SECONDS)
        found = {one["found"]: one["state"] for one in operator.documents("doctor")}
        assert found[f"{relay.url} has confirmed"] == "ok"
        stack.send_mail(address)
        wait_for("the bounce", lambda: app.has_heard_of(address), seconds=SECONDS)
        stack.await_suppression(address)
        wait_for("three posts", lambda: len(relay.posted) == 3, seconds=SECONDS)
    confirmation, bounce = app.handled
    assert confirmation.kind is Kind.SUBSCRIPTION_CONFIRMATION
    assert relay.posted == [
        ("SubscriptionConfirmation", 204),
        ("Notification", 500),
        ("Notification", 204),
    ]
    assert bounce.message_id == app.crashed[0]
