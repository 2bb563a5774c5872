"""Notifications as SES writes them, for tests to vary."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

ACCOUNT_ID = "123456789012"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def mail(
    *destination: str, at: datetime = NOON, mail_id: str = "mail-1", **more: Any
) -> dict[str, Any]:
    return {
        "timestamp": iso(at),
        "source": "shop@example.com",
        "sourceArn": f"arn:aws:ses:eu-west-1:{ACCOUNT_ID}:identity/example.com",
        "sendingAccountId": ACCOUNT_ID,
        "messageId": mail_id,
        "destination": list(destination),
        **more,
    }


def bounce(
    address: str,
    *,
    bounce_type: str = "Permanent",
    sub_type: str = "General",
    at: datetime = NOON,
    feedback_id: str = "feedback-1",
    mail_id: str = "mail-1",
    **recipient: str,
) -> str:
    return json.dumps(
        {
            "notificationType": "Bounce",
            "bounce": {
                "bounceType": bounce_type,
                "bounceSubType": sub_type,
                "bouncedRecipients": [{"emailAddress": address, **recipient}],
                "timestamp": iso(at),
                "feedbackId": feedback_id,
            },
            "mail": mail(address, at=at, mail_id=mail_id),
        }
    )


def complaint(
    address: str,
    *,
    at: datetime = NOON,
    feedback_id: str = "feedback-1",
    mail_id: str = "mail-1",
    **more: Any,
) -> str:
    return json.dumps(
        {
            "notificationType": "Complaint",
            "complaint": {
                "complainedRecipients": [{"emailAddress": address}],
                "timestamp": iso(at),
                "feedbackId": feedback_id,
                "complaintSubType": None,
                **more,
            },
            "mail": mail(address, at=at, mail_id=mail_id),
        }
    )


def subscription(
    address: str,
    *,
    unsubscribe_all: bool | None = None,
    topics: Mapping[str, str] | None = None,
    at: datetime = NOON,
    mail_id: str = "mail-1",
) -> str:
    """What a contact wants now: `topics` is topic -> OptIn or OptOut."""
    statuses = [
        {"topicName": name, "subscriptionStatus": status} for name, status in (topics or {}).items()
    ]
    everything = {} if unsubscribe_all is None else {"unsubscribeAll": unsubscribe_all}
    return json.dumps(
        {
            "eventType": "Subscription",
            "subscription": {
                "contactList": "customers",
                "timestamp": iso(at),
                "source": "UnsubscribeHeader",
                "newTopicPreferences": {**everything, "topicSubscriptionStatus": statuses},
                "oldTopicPreferences": {"unsubscribeAll": False, "topicSubscriptionStatus": []},
            },
            "mail": mail(address, at=at, mail_id=mail_id),
        }
    )


def delivery(address: str, *, at: datetime = NOON, mail_id: str = "mail-1") -> str:
    return json.dumps(
        {
            "notificationType": "Delivery",
            "delivery": {
                "timestamp": iso(at),
                "recipients": [address],
                "processingTimeMillis": 500,
            },
            "mail": mail(address, at=at, mail_id=mail_id),
        }
    )
