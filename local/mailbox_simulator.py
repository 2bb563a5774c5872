"""SES's mailbox simulator, as the emulator has it, and what the emulator leaves out."""

import json
import uuid
from datetime import UTC, datetime

from local.cdk import Deployment
from local.emulator import ACCOUNT_ID, Emulator
from ses_suppression.deployment import ChannelOutput, NotificationType
from stacks.config import Config

SIMULATOR = "simulator.amazonses.com"


def verify_identities(emulator: Emulator, config: Config) -> None:
    """Verify all identities that the stack does not make.

    Before the deploy: verifying clears their notification topics.
    """
    ses = emulator.client("ses", region_name=config.region)
    for identity in config.identities:
        if identity.create:
            continue
        if "@" in identity.name:
            ses.verify_email_identity(EmailAddress=identity.name)
        else:
            ses.verify_domain_identity(Domain=identity.name)


def sender_of(config: Config) -> str:
    """Give an address that mail can be sent from."""
    name = config.identities[0].name
    return name if "@" in name else f"shop@{name}"


def send_mail(emulator: Emulator, sender: str, *recipients: str) -> str:
    """Send a mail through SES; give its id."""
    answer = emulator.client("ses").send_email(
        Source=sender,
        Destination={"ToAddresses": list(recipients)},
        Message={
            "Subject": {"Data": "Your order"},
            "Body": {"Text": {"Data": "It is on its way."}},
        },
    )
    message_id: str = answer["MessageId"]
    return message_id


def publish(
    emulator: Emulator, deployment: Deployment, carries: NotificationType, body: str
) -> None:
    """Publish to one of the stack's topics as SES does."""
    topic_arn = deployment.outputs[ChannelOutput.TOPIC_ARN.of(carries)]
    emulator.client("sns").publish(TopicArn=topic_arn, Message=body)


def automatic_reply(recipient: str, message_id: str) -> str:
    """Write the bounce with which SES reports an out-of-office reply: the emulator sends none.

    The form is the one that the real simulator's `ooto` gives: Transient, General, without DSN.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps(
        {
            "notificationType": "Bounce",
            "bounce": {
                "bounceType": "Transient",
                "bounceSubType": "General",
                "bouncedRecipients": [{"emailAddress": recipient}],
                "timestamp": now,
                "feedbackId": str(uuid.uuid4()),
            },
            "mail": {
                "timestamp": now,
                "sendingAccountId": ACCOUNT_ID,
                "messageId": message_id,
                "destination": [recipient],
            },
        }
    )


def waiting_messages(emulator: Emulator, queue_url: str) -> int:
    """Count the messages of a queue, those under way included."""
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    answer = emulator.client("sqs").get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=list(names)
    )
    return sum(int(answer["Attributes"][name]) for name in names)
