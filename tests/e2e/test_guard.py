"""What reaches SES through a guarded client, for each of the six calls that send mail."""

import json
import ssl
import urllib.request
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from local.mailbox_simulator import sender_of
from local.waiting import wait_for
from ses_suppression.errors import AllRecipientsSuppressedError
from ses_suppression.integrations.boto3 import guard
from tests.builders import bounce_notification
from tests.e2e.stack import SECONDS, Stack

SIMPLE = {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}
TEMPLATE = "greeting"


def raw(sender: str, *to: str) -> bytes:
    return f"From: {sender}\r\nTo: {', '.join(to)}\r\nSubject: x\r\n\r\nHello.".encode()


def bulk(*addresses: str) -> list[dict[str, Any]]:
    return [{"Destination": {"ToAddresses": [one]}} for one in addresses]


Call = Callable[[Any, Any, str, list[str]], Any]
CALLS: dict[str, Call] = {
    "ses.SendEmail": lambda ses, _v2, sender, to: ses.send_email(
        Source=sender, Message=SIMPLE, Destination={"ToAddresses": to}
    ),
    "ses.SendTemplatedEmail": lambda ses, _v2, sender, to: ses.send_templated_email(
        Source=sender, Template=TEMPLATE, TemplateData="{}", Destination={"ToAddresses": to}
    ),
    "ses.SendBulkTemplatedEmail": lambda ses, _v2, sender, to: ses.send_bulk_templated_email(
        Source=sender, Template=TEMPLATE, DefaultTemplateData="{}", Destinations=bulk(*to)
    ),
    "sesv2.SendEmail": lambda _ses, v2, sender, to: v2.send_email(
        FromEmailAddress=sender, Content={"Simple": SIMPLE}, Destination={"ToAddresses": to}
    ),
    "sesv2.SendBulkEmail": lambda _ses, v2, sender, to: v2.send_bulk_email(
        FromEmailAddress=sender,
        DefaultContent={"Template": {"TemplateName": TEMPLATE, "TemplateData": "{}"}},
        BulkEmailEntries=bulk(*to),
    ),
}


def reached_ses(stack: Stack) -> str:
    """Give all mails that SES took. (Of a raw mail the emulator tells the headers only.)"""
    trust = ssl.create_default_context(cafile=stack.emulator.environment["AWS_CA_BUNDLE"])
    url = f"{stack.emulator.endpoint_url}/_ministack/ses/messages"
    with urllib.request.urlopen(url, context=trust) as answer:  # noqa: S310  # the emulator's own
        return json.dumps(json.load(answer))


@pytest.fixture(scope="module")
def held(stack: Stack) -> str:
    """An address that bounced."""
    address = f"held-{uuid.uuid4().hex}@example.net"
    stack.publish(
        "Bounces", bounce_notification(address, at=datetime.now(UTC), feedback_id=uuid.uuid4().hex)
    )
    stack.await_suppression(address)
    template = {"TemplateName": TEMPLATE, "SubjectPart": "x", "TextPart": "x"}
    stack.emulator.client("ses").create_template(Template=template)
    return address


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_only_who_may_be_mailed_reaches_ses(stack: Stack, held: str, call: Call) -> None:
    allowed = f"success+{uuid.uuid4().hex}@simulator.amazonses.com"
    ses = guard(stack.emulator.client("ses"), stack.suppressions)
    v2 = guard(stack.emulator.client("sesv2"), stack.suppressions)
    response = call(ses, v2, sender_of(stack.config), [held, allowed])
    assert list(response["ResponseMetadata"]["SuppressedRecipients"]) == [held]
    reached = reached_ses(stack)
    assert allowed in reached
    assert f'"{held}"' not in reached
    with pytest.raises(AllRecipientsSuppressedError):
        call(ses, v2, sender_of(stack.config), [held])


def test_a_raw_mail_is_delivered_only_to_who_may_be_mailed(stack: Stack, held: str) -> None:
    """What SES delivers to stands in the notification of the delivery."""
    sqs, sns = stack.emulator.client("sqs"), stack.emulator.client("sns")
    may_fill = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    queue_url = sqs.create_queue(
        QueueName=f"listener-{uuid.uuid4().hex[:8]}",
        Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [may_fill]})},
    )["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    sns.subscribe(
        TopicArn=stack.deployment.outputs["DeliveriesTopicArn"],
        Protocol="sqs",
        Endpoint=attributes["Attributes"]["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    allowed = f"success+{uuid.uuid4().hex}@simulator.amazonses.com"
    sender = sender_of(stack.config)
    ses = guard(stack.emulator.client("ses"), stack.suppressions)
    response = ses.send_raw_email(RawMessage={"Data": raw(sender, held, allowed)})
    assert list(response["ResponseMetadata"]["SuppressedRecipients"]) == [held]

    def delivered() -> list[Any]:
        messages = sqs.receive_message(QueueUrl=queue_url).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    (notification,) = wait_for("the delivery", delivered, seconds=SECONDS)
    assert notification["mail"]["destination"] == [allowed]
    with pytest.raises(AllRecipientsSuppressedError):
        ses.send_raw_email(RawMessage={"Data": raw(sender, held)})
