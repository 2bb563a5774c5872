"""What the doctor finds in answers that no emulator gives."""

from types import SimpleNamespace
from typing import Any

import boto3
from botocore.stub import Stubber

from ses_suppression.cli.doctor import _configuration_set, _subscriptions
from ses_suppression.cli.finding import Finding, State

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-bounces-topic-prod"


def subscription(protocol: str, endpoint: str, arn: str) -> dict[str, str]:
    return {
        "SubscriptionArn": arn,
        "Owner": "123456789012",
        "Protocol": protocol,
        "Endpoint": endpoint,
        "TopicArn": TOPIC,
    }


def found(*subscriptions: dict[str, str], configured: str = "") -> list[Finding]:
    """Let the doctor look at what SNS lists for the topic of bounces."""
    client = boto3.client(
        "sns", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    outputs = {"BouncesTopicArn": TOPIC, "BouncesQueueUrl": "https://sqs.example/1/bounces"}
    stack = SimpleNamespace(
        kinds=["Bounces"],
        output=outputs.__getitem__,
        outputs={**outputs, "BouncesEndpoints": configured},
    )
    session: Any = SimpleNamespace(stack=stack, client=lambda _name: client)
    with Stubber(client) as stubber:
        stubber.add_response("list_subscriptions_by_topic", {"Subscriptions": list(subscriptions)})
        return list(_subscriptions(session))


ARNS = {f"{kind}TopicArn": f"arn:{kind}" for kind in ("Bounces", "Complaints", "Deliveries")}


def published(**events: list[str]) -> Finding:
    """Let the doctor look at a configuration set that publishes these events to the topics."""
    client = boto3.client(
        "sesv2", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stack = SimpleNamespace(
        kinds=["Bounces", "Complaints", "Deliveries"], output=ARNS.__getitem__, outputs={}
    )
    session: Any = SimpleNamespace(stack=stack, client=lambda _name: client)
    destinations = [
        {
            "Name": kind,
            "Enabled": True,
            "MatchingEventTypes": types,
            "SnsDestination": {"TopicArn": ARNS[f"{kind}TopicArn"]},
        }
        for kind, types in events.items()
    ]
    with Stubber(client) as stubber:
        stubber.add_response(
            "get_configuration_set_event_destinations", {"EventDestinations": destinations}
        )
        (finding,) = _configuration_set(session, "ours")
    return finding


def test_a_configuration_set_that_publishes_no_subscriptions_is_broken() -> None:
    others = {"Bounces": ["BOUNCE"], "Deliveries": ["DELIVERY"]}
    assert published(**others, Complaints=["COMPLAINT", "SUBSCRIPTION"]).state is State.OK
    older = published(**others, Complaints=["COMPLAINT"])
    assert older.state is State.FAILED
    assert older.found == "Subscription events of ours do not come here"


QUEUE = subscription("sqs", "arn:aws:sqs:eu-west-1:1:bounces", f"{TOPIC}:1")
URL = "https://shop.example/ses"


def test_an_app_that_has_not_confirmed_is_told_nothing() -> None:
    pending = subscription("https", URL, "PendingConfirmation")
    queue, app = found(QUEUE, pending, configured=URL)
    assert queue.state is State.OK
    assert (app.check, app.state) == ("endpoint of bounces", State.WARNING)
    assert app.found.startswith(f"{URL} has not confirmed: it is told nothing")
    assert "read its queue of what it did not take" in app.advice
    assert "take it out of `endpoints`, deploy, put it in again" in app.advice
    _, by_hand = found(QUEUE, pending)
    assert by_hand.advice.startswith("it is not of this stack")


def test_an_app_that_sns_has_forgotten_is_missed() -> None:
    _, app = found(QUEUE, configured=URL)
    assert app.state is State.FAILED
    assert app.found.startswith(f"{URL} is not subscribed: it did not confirm within two days")
    (_, is_there) = found(QUEUE, subscription("https", URL, f"{TOPIC}:2"), configured=URL)
    assert is_there.state is State.OK


def test_an_app_that_has_confirmed_is_fine_and_a_person_is_none_of_ours() -> None:
    _, *apps = found(
        QUEUE,
        subscription("https", URL, f"{TOPIC}:2"),
        subscription("email", "ops@shop.example", "PendingConfirmation"),
    )
    assert [(app.state, app.found) for app in apps] == [(State.OK, f"{URL} has confirmed")]


def test_an_app_has_confirmed_whatever_else_sns_lists_of_it() -> None:
    confirmed = subscription("https", URL, f"{TOPIC}:2")
    for other in ("PendingConfirmation", "Deleted"):
        listed = (confirmed, {**confirmed, "SubscriptionArn": other})
        for order in (listed, listed[::-1]):
            _, app = found(QUEUE, *order, configured=URL)
            assert app.state is State.OK


def test_a_queue_whose_subscription_is_pending_or_gone_is_broken() -> None:
    pending, gone = (found(*listed) for listed in ([{**QUEUE, "SubscriptionArn": "x"}], []))
    assert [one.found for one in (*pending, *gone)] == ["it is not confirmed", "it is gone"]
