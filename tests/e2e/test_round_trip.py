import uuid
from datetime import UTC, datetime

from local.mailbox_simulator import SIMULATOR, automatic_reply
from ses_suppression.core.classification import rule_of
from ses_suppression.core.policy import Reason
from ses_suppression.core.rules import Rule
from tests.builders import bounce_notification, delivery_notification
from tests.e2e.stack import Stack


def simulated(kind: str) -> str:
    return f"{kind}+{uuid.uuid4().hex[:8]}@{SIMULATOR}"


def test_a_mail_that_bounces_ends_as_a_suppressed_address(stack: Stack) -> None:
    address = simulated("bounce")
    assert stack.suppressions.check(address) is None
    stack.send_mail(address)
    suppression = stack.await_suppression(address)
    assert (suppression.reason, suppression.rule) == (Reason.BOUNCE, Rule.HARD_BOUNCE)


def test_an_address_on_the_list_of_ses_is_suppressed_as_a_bounce(stack: Stack) -> None:
    address = simulated("suppressionlist")
    stack.send_mail(address)
    assert stack.await_suppression(address).reason is Reason.BOUNCE


def test_a_mail_that_is_marked_as_spam_ends_as_a_complaint(stack: Stack) -> None:
    address = simulated("complaint")
    stack.send_mail(address)
    assert stack.await_suppression(address).reason is Reason.COMPLAINT


def test_several_bounces_of_one_mail_suppress_each_of_its_recipients(stack: Stack) -> None:
    addresses = [simulated("bounce") for _ in range(3)]
    stack.send_mail(*addresses, simulated("success"))
    for address in addresses:
        assert stack.await_suppression(address).reason is Reason.BOUNCE


def test_a_delivered_mail_leaves_no_record(stack: Stack) -> None:
    address = simulated("success")
    before = stack.applied("Deliveries")
    stack.send_mail(address)
    stack.await_applied("Deliveries", before + 1)
    assert stack.record(address).evidence == ()


def test_an_automatic_reply_is_recorded_and_holds_nothing_back(stack: Stack) -> None:
    address = simulated("ooto")
    message_id = stack.send_mail(address)
    stack.publish("Bounces", automatic_reply(address, message_id))
    record = stack.await_record(address)
    assert [rule_of(piece) for piece in record.evidence] == [Rule.AUTOMATIC_REPLY]
    assert stack.suppressions.check(address) is None


def test_the_same_notification_twice_is_kept_once(stack: Stack) -> None:
    address = simulated("bounce")
    body = bounce_notification(address, at=datetime.now(UTC), feedback_id=uuid.uuid4().hex)
    stack.publish("Bounces", body)
    first = stack.await_record(address)
    before = stack.applied("Bounces")
    stack.publish("Bounces", body)
    stack.await_applied("Bounces", before + 1)
    assert stack.record(address) == first


def test_a_delivery_ends_a_row_of_transient_bounces(stack: Stack) -> None:
    address = f"{uuid.uuid4().hex}@example.net"
    body = bounce_notification(
        address, bounce_type="Transient", sub_type="MailboxFull", feedback_id=uuid.uuid4().hex
    )
    stack.publish("Bounces", body)
    stack.await_record(address)
    before = stack.applied("Deliveries")
    stack.publish(
        "Deliveries", delivery_notification(address, at=datetime.now(UTC), mail_id=uuid.uuid4().hex)
    )
    stack.await_applied("Deliveries", before + 1)
    assert [rule_of(piece) for piece in stack.record(address).evidence] == [
        Rule.TRANSIENT_BOUNCE,
        Rule.DELIVERY,
    ]


def test_the_identity_publishes_to_the_topics_and_sends_no_feedback_mail(stack: Stack) -> None:
    name = stack.config.identities[0].name
    answer = stack.emulator.client("ses").get_identity_notification_attributes(Identities=[name])
    attributes = answer["NotificationAttributes"][name]
    for kind, name in (
        ("Bounce", "Bounces"),
        ("Complaint", "Complaints"),
        ("Delivery", "Deliveries"),
    ):
        assert attributes[f"{kind}Topic"] == stack.deployment.outputs[f"{name}TopicArn"]
    assert attributes["ForwardingEnabled"] is False
