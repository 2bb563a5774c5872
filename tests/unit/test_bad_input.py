"""Each bad input ends as it should, and its neighbours are applied."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ses_suppression.core.evidence import attribute
from ses_suppression.core.notification import NotFeedback, parse
from ses_suppression.core.policy import Policy
from ses_suppression.ingest import Message, Outcome, Status, ingest
from ses_suppression.store.deadline import Deadline
from ses_suppression.testing import InMemoryStore
from tests.builders import (
    ACCOUNT_ID,
    NOON,
    RECEIVED,
    bounce_notification,
    clock_at,
    complaint_notification,
    mail_object,
)

JANE = "jane@example.com"
NEIGHBOUR = bounce_notification("neighbour@example.com", feedback_id="neighbour")


def outcome_of(body: str, policy: Policy | None = None) -> tuple[Outcome, InMemoryStore]:
    """Ingest a body between two neighbours; the neighbours are always applied."""
    store = InMemoryStore(clock=clock_at(RECEIVED))
    bodies = [
        NEIGHBOUR,
        body,
        complaint_notification("neighbour@example.net", feedback_id="other neighbour"),
    ]
    before, outcome, after = ingest(
        [Message(id=str(n), body=one, received_at=RECEIVED) for n, one in enumerate(bodies)],
        store=store,
        policy=policy or Policy(),
        deadline=Deadline(5),
        account_ids=frozenset({ACCOUNT_ID}),
    )
    assert (before.status, after.status) == (Status.APPLIED, Status.APPLIED)
    assert store.records.pop("neighbour@example.com").suppressions
    assert store.records.pop("neighbour@example.net").suppressions
    assert "jane" not in outcome.reason
    return outcome, store


def with_recipients(recipients: Any, destination: Any = None) -> str:
    document = json.loads(bounce_notification(JANE))
    document["bounce"]["bouncedRecipients"] = recipients
    document["mail"]["destination"] = destination
    return json.dumps(document)


def envelope(message: str) -> str:
    return json.dumps({"Type": "Notification", "Message": message})


def unsubscribing(subscription: Any) -> str:
    document = {
        "eventType": "Subscription",
        "subscription": subscription,
        "mail": {"destination": [JANE]},
    }
    return json.dumps(document)


BODIES: list[tuple[str, str, Status, str]] = [
    ("empty", "", Status.REJECTED, "empty"),
    ("white space", " \n ", Status.REJECTED, "empty"),
    ("null", "null", Status.REJECTED, "an object is needed, this is null"),
    ("list", "[]", Status.REJECTED, "an object is needed, this is a list"),
    ("string", '"text"', Status.REJECTED, "an object is needed, this is a string"),
    ("number", "17", Status.REJECTED, "an object is needed, this is a number"),
    ("cut-off", '{"notificationType":', Status.REJECTED, "not JSON at character"),
    ("NaN", '{"notificationType": NaN}', Status.REJECTED, "not JSON that can be read"),
    ("Infinity", '{"x": -Infinity}', Status.REJECTED, "not JSON that can be read"),
    ("deep list", "[" * 100_000 + "]" * 100_000, Status.REJECTED, ""),
    ("deep object", '{"x":' * 100_000 + "1" + "}" * 100_000, Status.REJECTED, ""),
    ("long number", '{"x": ' + "1" * 5_000 + "}", Status.REJECTED, "not JSON that can be read"),
    ("one mebibyte of text", "x" * 2**20, Status.REJECTED, "not JSON at character 0"),
    (
        "one mebibyte of JSON",
        json.dumps({"x": "y" * 2**20}),
        Status.REJECTED,
        "none of notificationType",
    ),
    ("another service", '{"source": "aws.ec2"}', Status.REJECTED, "none of notificationType"),
    ("unknown type", '{"notificationType": "Bouncy"}', Status.ACKNOWLEDGED, "unknown type Bouncy"),
    ("lower case type", '{"eventType": "bounce"}', Status.ACKNOWLEDGED, "unknown type bounce"),
    ("address as type", f'{{"eventType": "{JANE}"}}', Status.ACKNOWLEDGED, "unknown type"),
    ("empty type", '{"eventType": ""}', Status.REJECTED, "eventType: empty"),
    (
        "EventBridge of another service",
        '{"source": "aws.ec2", "detail-type": "x", "detail": {}}',
        Status.REJECTED,
        "none of notificationType",
    ),
    ("no subscription", unsubscribing(None), Status.REJECTED, "subscription: an object is needed"),
    ("subscription is text", unsubscribing("x"), Status.REJECTED, "subscription: an object is"),
    (
        "no preferences",
        unsubscribing({"newTopicPreferences": None}),
        Status.REJECTED,
        "subscription.newTopicPreferences: an object is needed, this is null or missing",
    ),
    (
        "unsubscribe all is a number",
        unsubscribing({"newTopicPreferences": {"unsubscribeAll": 1}}),
        Status.REJECTED,
        "subscription.newTopicPreferences.unsubscribeAll: a boolean is needed, this is a number",
    ),
    (
        "topics are text",
        unsubscribing({"newTopicPreferences": {"topicSubscriptionStatus": "news"}}),
        Status.REJECTED,
        "subscription.newTopicPreferences.topicSubscriptionStatus: a list is needed, this is a",
    ),
    (
        "a topic is text",
        unsubscribing({"newTopicPreferences": {"topicSubscriptionStatus": ["news"]}}),
        Status.REJECTED,
        "subscription.newTopicPreferences.topicSubscriptionStatus[0]: an object is needed, this",
    ),
    ("type of another type", '{"eventType": {}}', Status.REJECTED, "eventType: a string is needed"),
    (
        "contradicting types",
        '{"eventType": "Bounce", "notificationType": "Delivery"}',
        Status.REJECTED,
        "eventType: contradicts notificationType",
    ),
    (
        "no bounce",
        '{"eventType": "Bounce", "mail": {}}',
        Status.REJECTED,
        "bounce: an object is needed",
    ),
    (
        "bounce is text",
        '{"eventType": "Bounce", "bounce": "x"}',
        Status.REJECTED,
        "bounce: an object",
    ),
    ("envelope with text", envelope("hello"), Status.REJECTED, "Message: not JSON"),
    ("envelope in an envelope", envelope(envelope(NEIGHBOUR)), Status.REJECTED, "Message: neither"),
    ("envelope of nothing", '{"Type": "Notification"}', Status.REJECTED, "Message: missing"),
    (
        "recipients missing",
        with_recipients(None),
        Status.ACKNOWLEDGED,
        "feedback that names nobody",
    ),
    ("recipients empty", with_recipients([]), Status.ACKNOWLEDGED, "feedback that names nobody"),
    (
        "recipients a string",
        with_recipients(JANE),
        Status.REJECTED,
        "bounce.bouncedRecipients: a list",
    ),
    (
        "recipients an object",
        with_recipients({}),
        Status.REJECTED,
        "bounce.bouncedRecipients: a list",
    ),
    (
        "recipient a string",
        with_recipients([JANE]),
        Status.REJECTED,
        "bounce.bouncedRecipients[0]: an object is needed, this is a string",
    ),
    (
        "recipient without an address",
        with_recipients([{}]),
        Status.REJECTED,
        "bounce.bouncedRecipients[0].emailAddress: a string is needed, this is null or missing",
    ),
    (
        "no message id and no mail",
        '{"eventType": "Bounce", "bounce": {}}',
        Status.ACKNOWLEDGED,
        "feedback",
    ),
    (
        "destination a string",
        with_recipients([], JANE),
        Status.REJECTED,
        "mail.destination: a list",
    ),
]


@pytest.mark.parametrize(
    ("body", "status", "reason"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_a_body_that_cannot_be_used_is_put_aside_with_its_reason(
    body: str, status: Status, reason: str
) -> None:
    outcome, store = outcome_of(body)
    assert outcome.status is status
    assert outcome.reason.startswith(reason)
    assert store.records == {}


@pytest.mark.parametrize(
    "address",
    [
        "no-at-sign",
        "@example.com",
        "jane@",
        "jane doe@example.com",
        "j" * 2_049 + "@example.com",
        "jane\ud800@example.com",
        "jane\x1b[2J@example.com",
        "jane@example..com",
    ],
    ids=ascii,
)
def test_a_recipient_that_is_no_address_is_put_aside_and_the_others_are_applied(
    address: str,
) -> None:
    recipients = [{"emailAddress": address}, {"emailAddress": JANE}]
    outcome, store = outcome_of(with_recipients(recipients))
    assert outcome.status is Status.REJECTED
    assert outcome.reason == "bounce.bouncedRecipients[0].emailAddress: not an e-mail address"
    assert list(store.records) == [JANE]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ('"Jane Doe" <jane@example.com>', JANE),
        ('"jane"@example.com', JANE),
        ("JANE@EXAMPLE.COM", JANE),
        ("jane@example.com.", JANE),
        (" jane@example.com\n", JANE),
        ("jäne@bücher.example", "jäne@xn--bcher-kva.example"),
        ('"jane doe"@example.com', '"jane doe"@example.com'),
    ],
)
def test_an_unusual_spelling_ends_at_the_address_that_is_meant(address: str, key: str) -> None:
    outcome, store = outcome_of(with_recipients([{"emailAddress": address}], [address]))
    assert outcome.status is Status.APPLIED
    assert list(store.records) == [key]


def test_a_thousand_recipients_are_applied_each() -> None:
    addresses = [f"a{number}@example.com" for number in range(1_000)]
    outcome, store = outcome_of(
        with_recipients([{"emailAddress": one} for one in addresses], addresses)
    )
    assert outcome.status is Status.APPLIED
    assert sorted(store.records) == sorted(addresses)


def test_a_thousand_broken_recipients_give_a_short_reason() -> None:
    outcome, _ = outcome_of(with_recipients([{}] * 1_000))
    assert outcome.status is Status.REJECTED
    assert len(outcome.reason) < 600


def test_of_duplicate_keys_the_last_counts() -> None:
    body = bounce_notification(JANE).replace(
        '"bounceType": "Permanent"', '"bounceType": "Transient", "bounceType": "Permanent"'
    )
    outcome, store = outcome_of(body)
    assert outcome.status is Status.APPLIED
    assert store.records[JANE].suppressions


def test_a_byte_order_mark_is_no_error() -> None:
    assert outcome_of("\ufeff" + bounce_notification(JANE))[0].status is Status.APPLIED


def changed(change: Callable[[dict[str, Any]], None]) -> str:
    document = json.loads(bounce_notification(JANE))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    "body",
    [
        changed(
            lambda document: document["bounce"].update(bounceType="Unheard-of", bounceSubType="New")
        ),
        changed(lambda document: document["bounce"].update(bounceType=None, bounceSubType=None)),
        changed(lambda document: document["bounce"].update(feedbackId=None)),
        changed(lambda document: document["bounce"].update(timestamp="soon")),
        changed(lambda document: document["bounce"].update(timestamp=None)),
        changed(lambda document: document["bounce"].update(added_by_ses_next_year={"x": [1]})),
        changed(lambda document: document["mail"].update(tags="wrong")),
        changed(lambda document: document["mail"].update(tags={"list": "news"})),
        changed(lambda document: document["mail"].update(timestamp=17)),
        changed(lambda document: document["mail"].update(headers="wrong", commonHeaders=[])),
        changed(lambda document: document.update(mail={})),
        changed(lambda document: document.pop("mail")),
    ],
)
def test_what_a_decision_does_not_need_may_be_missing_new_or_wrong(body: str) -> None:
    outcome, store = outcome_of(body, Policy(stream_tag="list"))
    assert outcome.status is Status.APPLIED
    assert list(store.records) == [JANE]


def test_a_complaint_without_a_type_counts_and_one_without_recipients_names_nobody() -> None:
    assert outcome_of(complaint_notification(JANE))[1].records[JANE].suppressions
    outcome, _ = outcome_of(complaint_notification(JANE, complainedRecipients=None))
    assert (outcome.status, outcome.reason) == (Status.ACKNOWLEDGED, "feedback that names nobody")


def test_another_accounts_feedback_is_rejected() -> None:
    body = changed(lambda document: document["mail"].update(sendingAccountId="210987654321"))
    outcome, store = outcome_of(body)
    assert (outcome.status, outcome.reason) == (
        Status.REJECTED,
        "mail.sendingAccountId: another account's",
    )
    assert store.records == {}


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2J\x1b[1;31mred",
        "line\r\nline\u2028line",
        '{"_aws": {"CloudWatchMetrics": []}}',
        "x" * 100_000,
    ],
    ids=["escapes", "lines", "a metric", "100 KB"],
)
def test_a_hostile_diagnostic_is_kept_harmless_and_short(hostile: str) -> None:
    _, store = outcome_of(with_recipients([{"emailAddress": JANE, "diagnosticCode": hostile}]))
    (piece,) = store.records[JANE].evidence
    assert piece.diagnostic is not None
    assert piece.diagnostic.isprintable()
    assert len(piece.diagnostic) <= 256


def test_nothing_of_the_mail_but_what_is_documented_is_kept() -> None:
    document = json.loads(bounce_notification(JANE))
    document["mail"] = mail_object(
        JANE, headers=[{"name": "Subject", "value": "secret"}], commonHeaders={"subject": "secret"}
    )
    notification = parse(json.dumps(document))
    assert not isinstance(notification, NotFeedback)
    kept = attribute(notification, received_at=NOON)
    assert "secret" not in repr(kept)
