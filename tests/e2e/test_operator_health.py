"""Is the path alive, and what became of messages that nobody could use: at the shell."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.mailbox_simulator import sender_of
from local.waiting import wait_for
from tests.builders import bounce_notification
from tests.e2e.operator import Operator
from tests.e2e.stack import SECONDS, Stack


def states(operator: Operator, status: int, *arguments: str) -> dict[str, str]:
    return {
        one["check"]: one["state"]
        for one in operator.documents("doctor", *arguments, status=status)
    }


def test_a_doctor_finds_a_healthy_path_and_mails_itself(operator: Operator, stack: Stack) -> None:
    found = states(operator, 0, "--send", sender_of(stack.config))
    # The emulator does not take up the table's time to live: there is something to find.
    assert [check for check, state in found.items() if state != "ok"] == ["time to live"]
    assert found["round trip"] == found["key"] == "ok"
    text = operator.says("doctor")
    assert "✓  table" in text
    assert "its feedback comes here, forwarding is off" in text


def test_a_deploy_says_whether_ses_sends(stack: Stack) -> None:
    assert stack.deployment.outputs["Sending"] == "SES sends for the account and for every identity"


def test_a_doctor_finds_what_is_broken_and_says_what_to_do(
    operator: Operator, stack: Stack
) -> None:
    ses, sns = stack.emulator.client("ses"), stack.emulator.client("sns")
    identity = stack.config.identities[0].name
    topic = stack.deployment.outputs["ComplaintsTopicArn"]
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])
    ses.verify_domain_identity(Domain="forgotten.example")
    ses.set_identity_notification_topic(Identity=identity, NotificationType="Complaint")
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    try:
        documents = {one["check"]: one for one in operator.documents("doctor", status=1)}
    finally:
        ses.set_identity_notification_topic(
            Identity=identity, NotificationType="Complaint", SnsTopic=topic
        )
        ses.delete_identity(Identity="forgotten.example")
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=subscription["Endpoint"],
            Attributes={
                name: attributes["Attributes"][name]
                for name in ("RawMessageDelivery", "RedrivePolicy")
                if name in attributes["Attributes"]
            },
        )
    broken = documents[f"identity {identity}"]
    assert broken["state"] == "failed"
    assert broken["found"] == "Complaint notifications do not come here"
    assert broken["advice"].startswith("doctor --fix")
    assert documents["subscription of complaints"]["found"] == "it is gone"
    assert documents["identities without topics"]["found"] == "forgotten.example"


@pytest.fixture
def dead_letter(stack: Stack) -> Iterator[str]:
    """A body that nobody can use, on the dead-letter queue of bounces."""
    body = json.dumps({"notificationType": "Bounce", "id": uuid.uuid4().hex})
    queue = stack.deployment.outputs["BouncesDeadLetterQueueUrl"]
    stack.publish("Bounces", body)
    sqs = stack.emulator.client("sqs")

    def is_there() -> bool:
        names = ["ApproximateNumberOfMessages"]
        answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        return bool(answer["Attributes"]["ApproximateNumberOfMessages"] != "0")

    wait_for("the dead letter", is_there, seconds=SECONDS)
    yield body
    sqs.purge_queue(QueueUrl=queue)


def test_dead_letters_are_shown_with_their_reason_and_stay(
    operator: Operator, dead_letter: str
) -> None:
    for _ in range(2):
        (shown,) = operator.documents("dead-letters", "show", "--kind", "bounces")
        assert (shown["kind"], shown["queue"], shown["body"]) == (
            "Bounces",
            "dead-letter",
            dead_letter,
        )
        assert shown["reason"] == "bounce: an object is needed, this is null or missing"
    assert "bounce: an object is needed" in operator.says("dead-letters", "show")
    assert "dead letters of bounces" in operator.says("doctor", status=1)
    assert "there are bounces, complaints" in operator.refused(
        "dead-letters", "show", "--kind", "opens", status=2
    )


def test_dead_letters_are_redriven_and_come_back_with_their_reason(
    operator: Operator, stack: Stack, dead_letter: str
) -> None:
    del dead_letter
    dry = operator.document("dead-letters", "redrive")
    assert dry == {"applied": False, "redriven": {"Bounces": 1}}
    assert operator.document("dead-letters", "redrive", "--apply")["redriven"] == {"Bounces": 1}
    wait_for(
        "its return",
        lambda: operator.documents("dead-letters", "show", "--kind", "bounces"),
        seconds=SECONDS,
    )
    stack.await_drained("Bounces")


def test_a_message_that_can_be_used_by_now_is_applied(operator: Operator, stack: Stack) -> None:
    address = f"{uuid.uuid4().hex}@example.net"
    stack.emulator.client("sqs").send_message(
        QueueUrl=stack.deployment.outputs["BouncesUndeliveredQueueUrl"],
        MessageBody=bounce_notification(address, feedback_id=uuid.uuid4().hex),
    )
    (shown,) = operator.documents("dead-letters", "show")
    assert (shown["queue"], shown["reason"]) == (
        "undelivered", "SNS could not deliver it to the queue",
    )  # fmt: skip
    assert "1 messages redriven" in operator.says("dead-letters", "redrive", "--apply")
    assert stack.await_suppression(address).reason == "BOUNCE"
    assert operator.says("dead-letters", "show") == "there are no dead letters\n"


def test_dead_letters_are_dropped_after_a_copy(
    operator: Operator, dead_letter: str, tmp_path: Path
) -> None:
    file = tmp_path / "dead-letters.jsonl"
    operator.says("dead-letters", "drop", "--to", str(file))
    assert not file.exists()
    assert "1 messages dropped" in operator.says(
        "dead-letters", "drop", "--to", str(file), "--apply"
    )
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["body"] == dead_letter
    assert operator.documents("dead-letters", "show") == []
