"""Notifications as SES writes them, for tests to vary."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ses_suppression.core.decision import Effect, decide
from ses_suppression.core.evidence import (
    EVERY_STREAM,
    TENANT_LIST,
    Attribution,
    Evidence,
    Kind,
    attribute,
)
from ses_suppression.core.notification import NotFeedback, parse
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.core.rules import Rule
from ses_suppression.core.suppression import Suppression
from ses_suppression.ingest import Message

ACCOUNT_ID = "123456789012"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def mail_object(
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


def bounce_notification(
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
            "mail": mail_object(address, at=at, mail_id=mail_id),
        }
    )


def complaint_notification(
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
            "mail": mail_object(address, at=at, mail_id=mail_id),
        }
    )


def subscription_event(
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
            "mail": mail_object(address, at=at, mail_id=mail_id),
        }
    )


def delivery_notification(address: str, *, at: datetime = NOON, mail_id: str = "mail-1") -> str:
    return json.dumps(
        {
            "notificationType": "Delivery",
            "delivery": {
                "timestamp": iso(at),
                "recipients": [address],
                "processingTimeMillis": 500,
            },
            "mail": mail_object(address, at=at, mail_id=mail_id),
        }
    )


JANE = "jane@example.com"


T0 = datetime(2026, 1, 1, 8, tzinfo=UTC)


POLICY = Policy()


def day(number: float) -> datetime:
    return T0 + timedelta(days=number)


def piece(kind: Kind, at: float = 0, **fields: object) -> Evidence:
    """A piece of evidence on some day; its id tells its kind and day."""
    given_fields = {"id": f"{kind}-{at}", **fields}
    return Evidence(kind=kind, at=day(at), **given_fields)  # type: ignore[arg-type]  # tests vary fields


def hard(at: float = 0, **fields: object) -> Evidence:
    return piece(
        Kind.BOUNCE, at, **{"bounce_type": "Permanent", "bounce_sub_type": "General", **fields}
    )


def block(at: float = 0, **fields: object) -> Evidence:
    return hard(at, **{"status": "5.7.1", **fields})


def transient(at: float = 0, **fields: object) -> Evidence:
    return piece(
        Kind.BOUNCE, at, **{"bounce_type": "Transient", "bounce_sub_type": "MailboxFull", **fields}
    )


def complaint(at: float = 0, **fields: object) -> Evidence:
    return piece(Kind.COMPLAINT, at, **{"certain": True, "mail_id": "m1", **fields})


def tenant_bounce(at: float = 0, **fields: object) -> Evidence:
    return hard(at, **{"bounce_sub_type": TENANT_LIST, "tenant": "acme", **fields})


def tenant_complaint(at: float = 0, **fields: object) -> Evidence:
    return complaint(at, **{"sub_type": TENANT_LIST, "tenant": "acme", **fields})


def unsubscribed_bounce(at: float = 0, **fields: object) -> Evidence:
    return hard(at, **{"bounce_sub_type": "UnsubscribedRecipient", **fields})


def opt_out(at: float = 0, *, subscribed: bool = False, **fields: object) -> Evidence:
    more = {"id": f"subscription-{subscribed}-{at}", **fields}
    return piece(Kind.SUBSCRIPTION, at, subscribed=subscribed, **more)


def opt_in(at: float = 0, **fields: object) -> Evidence:
    return opt_out(at, subscribed=True, **fields)


def delivery(at: float = 0, mail_id: str = "delivered") -> Evidence:
    return piece(Kind.DELIVERY, at, mail_id=mail_id, id=f"delivery:{mail_id}")


def reactivate(at: float, stream: str | None = None, *, consent: bool | None = True) -> Evidence:
    return piece(Kind.REACTIVATE, at, stream=stream, consent=consent)


def void(at: float, target: Evidence) -> Evidence:
    return piece(Kind.VOID, at, voids=target.id, undo="undo-1")


def verdict(
    *evidence: Evidence, policy: Policy = POLICY, address: str = JANE
) -> dict[str, Suppression]:
    return dict(decide(address, evidence, policy).suppressions)


def only(*evidence: Evidence, policy: Policy = POLICY, stream: str = EVERY_STREAM) -> Suppression:
    found = verdict(*evidence, policy=policy)
    assert list(found) == [stream]
    return found[stream]


def steps(*evidence: Evidence, policy: Policy = POLICY) -> dict[str, tuple[Rule, Effect]]:
    decision = decide(JANE, evidence, policy)
    return {step.evidence.id: (step.rule, step.effect) for step in decision.steps}


LATER = NOON + timedelta(hours=1)


def attributed(
    body: str, *, received_at: datetime = LATER, stream_tag: str | None = None
) -> Attribution:
    notification = parse(body)
    assert not isinstance(notification, NotFeedback)
    return attribute(notification, received_at=received_at, stream_tag=stream_tag)


def changed(body: str, path: str, value: Any) -> str:
    document = json.loads(body)
    *parents, last = path.split(".")
    place = document
    for name in parents:
        place = place[name]
    place[last] = value
    return json.dumps(document)


def evidence_of(attribution: Attribution) -> Evidence:
    ((_, evidence),) = attribution.evidence
    return evidence


RECEIVED = NOON + timedelta(minutes=1)


def clock_at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def messages(*bodies: str, received_at: datetime = RECEIVED) -> list[Message]:
    return [
        Message(id=str(number), body=body, received_at=received_at)
        for number, body in enumerate(bodies)
    ]


def record_of(*evidence: Evidence, address: str = JANE) -> Record:
    record = update(Record(address=address), evidence, POLICY)
    assert record is not None
    return record
