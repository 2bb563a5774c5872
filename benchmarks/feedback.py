"""Notifications for benchmarks: the same every time, with the fields that SES sends."""

import json
from collections.abc import Sequence
from typing import Any

_HEADERS = [
    {"name": name, "value": value}
    for name, value in (
        ("From", "Shop <shop@example.com>"),
        ("To", "Jane Doe <jane@example.com>"),
        ("Subject", "Your order 4711 is on its way"),
        ("Date", "Wed, 27 Jan 2027 14:05:45 +0000"),
        ("Message-ID", "<01000162a1d4c1f2-3c5d0e9b@shop.example.com>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", 'multipart/alternative; boundary="----=_Part_7378_1629847660.151684"'),
        ("List-Unsubscribe", "<https://shop.example.com/unsubscribe?token=4f5c9a0e8b7d>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("X-Mailer", "shop 12.4"),
    )
]  # fmt: skip
TAGS = {
    "ses:operation": ["SendEmail"],
    "ses:configuration-set": ["ses-suppression-prod"],
    "ses:source-ip": ["192.0.2.0"],
    "ses:from-domain": ["example.com"],
    "ses:caller-identity": ["shop"],
    "ses:outgoing-ip": ["192.0.2.10"],
    "stream": ["news"],
}


def _mail(address: str, number: int, *, event: bool) -> dict[str, Any]:
    mail: dict[str, Any] = {
        "timestamp": "2026-11-23T14:59:38.237Z",
        "source": "shop@example.com",
        "sourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "sourceIp": "192.0.2.0",
        "sendingAccountId": "123456789012",
        "callerIdentity": "shop",
        "messageId": f"0000014644fe5ef6-9a483358-9170-4cb4-a269-{number:012d}-000000",
        "destination": [address],
    }
    if event:
        mail |= {
            "headersTruncated": False,
            "headers": _HEADERS,
            "commonHeaders": {
                "from": ["Shop <shop@example.com>"],
                "date": "Wed, 27 Jan 2027 14:05:45 +0000",
                "to": [f"Jane Doe <{address}>"],
                "messageId": mail["messageId"],
                "subject": "Your order 4711 is on its way",
            },
            "tags": TAGS,
        }
    return mail


def bounce(address: str, number: int, *, event: bool = False) -> str:
    """Make a hard bounce: an identity's notification, or an event of a configuration set."""
    return json.dumps(
        {
            "eventType" if event else "notificationType": "Bounce",
            "bounce": {
                "feedbackId": f"00000138111222aa-33322211-cccc-cccc-cccc-{number:012d}-000000",
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [
                    {
                        "emailAddress": address,
                        "action": "failed",
                        "status": "5.1.1",
                        "diagnosticCode": f"smtp; 550 5.1.1 <{address}>... User unknown",
                    }
                ],
                "timestamp": "2026-11-23T14:59:39.000Z",
                "remoteMtaIp": "198.51.100.7",
                "reportingMTA": "dsn; a8-70.smtp-out.amazonses.com",
            },
            "mail": _mail(address, number, event=event),
        }
    )


def transient(address: str, number: int) -> str:
    """Make a transient bounce: the mailbox is full."""
    document = json.loads(bounce(address, number))
    document["bounce"] |= {"bounceType": "Transient", "bounceSubType": "MailboxFull"}
    (recipient,) = document["bounce"]["bouncedRecipients"]
    recipient |= {"status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 mailbox full"}
    document["bounce"]["timestamp"] = "2026-11-22T14:59:39.000Z"
    return json.dumps(document)


def delivery(address: str, number: int, *, event: bool = False) -> str:
    """Make a delivery, as above."""
    return json.dumps(
        {
            "eventType" if event else "notificationType": "Delivery",
            "mail": _mail(address, number, event=event),
            "delivery": {
                "timestamp": "2026-11-23T14:59:39.000Z",
                "recipients": [address],
                "processingTimeMillis": 546,
                "reportingMTA": "a8-70.smtp-out.amazonses.com",
                "smtpResponse": "250 ok:  Message 64111812 accepted",
                "remoteMtaIp": "198.51.100.7",
            },
        }
    )


def sqs_event(bodies: Sequence[str], first: int = 0) -> dict[str, Any]:
    """Make the event with which SQS calls a function; messages are numbered from `first`."""
    attributes = {"SentTimestamp": "1795539600000", "ApproximateReceiveCount": "1"}
    return {
        "Records": [
            {"messageId": f"m{number}", "body": body, "attributes": attributes}
            for number, body in enumerate(bodies, first)
        ]
    }
