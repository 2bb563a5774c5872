import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ses_suppression.core.notification import (
    Bounce,
    Complaint,
    Delivery,
    NotFeedback,
    Subscription,
    parse,
)
from ses_suppression.errors import InvalidNotificationError
from tests.builders import (
    ACCOUNT_ID,
    NOON,
    bounce_notification,
    complaint_notification,
    delivery_notification,
    subscription_event,
)
from tests.work import lines_run

EVENT_NOTICE = "Successfully validated SNS topic for Amazon SES event publishing."
IDENTITY_NOTICE = (
    '{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have subscribed"}'
)


def envelope(message: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "Message": message,
        **more,
    }


EVENT_BRIDGE = json.dumps(
    {"source": "aws.ses", "detail-type": "Email Bounced", "detail": {"eventType": "Bounce"}}
)


def preferences(**new: Any) -> str:
    return json.dumps(
        {
            "eventType": "Subscription",
            "subscription": {"newTopicPreferences": new},
            "mail": {"destination": ["jane@example.com"]},
        }
    )


def test_a_bounce_is_read_with_what_a_decision_needs() -> None:
    notification = parse(
        bounce_notification(
            "Jane@example.com",
            action="failed",
            status="5.1.1",
            diagnosticCode="smtp; 550 5.1.1 unknown",
        )
    )
    assert isinstance(notification, Bounce)
    assert (notification.bounce_type, notification.bounce_sub_type) == ("Permanent", "General")
    assert notification.feedback_id == "feedback-1"
    assert notification.mail.message_id == "mail-1"
    assert notification.mail.identity == "example.com"
    assert notification.mail.sending_account_id == ACCOUNT_ID
    assert notification.mail.destination == ("jane@example.com",)
    (recipient,) = notification.recipients
    assert (recipient.address, recipient.reported) == ("jane@example.com", "Jane@example.com")
    assert (recipient.action, recipient.status) == ("failed", "5.1.1")
    assert recipient.diagnostic == "smtp; 550 5.1.1 unknown"


def test_a_complaint_is_read_with_its_types() -> None:
    notification = parse(complaint_notification("jane@example.com", complaintFeedbackType="abuse"))
    assert isinstance(notification, Complaint)
    assert (notification.complaint_feedback_type, notification.complaint_sub_type) == (
        "abuse",
        None,
    )


def test_a_delivery_names_its_recipients() -> None:
    notification = parse(delivery_notification("jane@example.com"))
    assert isinstance(notification, Delivery)
    assert [recipient.address for recipient in notification.recipients] == ["jane@example.com"]


def test_every_form_in_which_a_notification_arrives_is_read_alike() -> None:
    raw = bounce_notification("jane@example.com")
    as_event = json.dumps(
        {
            **{key: value for key, value in json.loads(raw).items() if key != "notificationType"},
            "eventType": "Bounce",
        }
    )
    in_envelope = json.dumps(
        envelope(raw, Subject=None, SigningCertURL="https://sns.example/cert.pem")
    )
    to_lambda = json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": envelope(raw)}]})
    forms = [raw, as_event, in_envelope, to_lambda, raw + "\n", "\ufeff" + raw]
    expected = parse(raw)
    assert [parse(form) for form in forms] == [expected] * len(forms)
    assert parse(raw.encode()) == parse(b"\xef\xbb\xbf" + raw.encode()) == expected


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (IDENTITY_NOTICE, "identity notification set-up notice"),
        (EVENT_NOTICE, "event publishing set-up notice"),
        (EVENT_NOTICE + "\n", "event publishing set-up notice"),
        (json.dumps(envelope(EVENT_NOTICE)), "event publishing set-up notice"),
        (json.dumps(envelope(IDENTITY_NOTICE)), "identity notification set-up notice"),
        ('{"Type": "SubscriptionConfirmation", "Token": "t"}', "SNS SubscriptionConfirmation"),
        ('{"Type": "UnsubscribeConfirmation", "Token": "t"}', "SNS UnsubscribeConfirmation"),
        ('{"eventType": "Send", "mail": {}, "send": {}}', "Send event"),
        ('{"eventType": "Rendering Failure", "failure": {}}', "Rendering Failure event"),
        ('{"eventType": "DeliveryDelay", "deliveryDelay": {}}', "DeliveryDelay event"),
        ('{"notificationType": "Received", "receipt": {}}', "Received event"),
        ('{"notificationType": "Bouncy"}', "unknown type Bouncy"),
        ('{"eventType": "Sending Paused"}', "unknown type Sending Paused"),
        ('{"eventType": "jane@example.com"}', "unknown type"),
        ('{"eventType": "\\u001b[2J"}', "unknown type"),
        (json.dumps({"eventType": "x" * 1_000}), "unknown type"),
        (EVENT_BRIDGE, "EventBridge event"),
        (json.dumps(envelope(EVENT_BRIDGE)), "EventBridge event"),
    ],
)
def test_what_is_no_feedback_is_recognised(body: str, what: str) -> None:
    assert parse(body) == NotFeedback(what=what)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "empty"),
        ("null", "an object is needed, this is null or missing"),
        ("[]", "an object is needed, this is a list"),
        ('"text"', "an object is needed, this is a string"),
        ("17", "an object is needed, this is a number"),
        ("{", "not JSON at character 1"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        ('{"notificationType": NaN}', "not JSON that can be read: ValueError"),
        ("[" * 100_000, "not JSON"),
        ('{"eventType": ' + "1" * 5_000 + "}", "not JSON that can be read: ValueError"),
        ('{"hello": "world"}', "none of notificationType, eventType, Type and Records is there"),
        ('{"notificationType": ""}', "notificationType: empty"),
        ('{"eventType": null}', "eventType: empty"),
        ('{"source": "aws.ec2", "detail-type": "x", "detail": {}}', "none of notificationType"),
        ('{"source": "aws.ses", "detail": {}}', "none of notificationType"),
        (
            json.dumps(envelope('{"source": "aws.ec2", "detail-type": "x", "detail": {}}')),
            "Message: neither notificationType nor eventType",
        ),
        ('{"eventType": "Subscription"}', "subscription: an object is needed, this is null or"),
        ('{"eventType": "Subscription", "subscription": []}', "subscription: an object is needed"),
        (
            '{"eventType": "Subscription", "subscription": {}}',
            "subscription.newTopicPreferences: an object is needed, this is null or missing",
        ),
        (
            preferences(unsubscribeAll="true"),
            "subscription.newTopicPreferences.unsubscribeAll: a boolean is needed, this is",
        ),
        (
            preferences(topicSubscriptionStatus={"news": "OptOut"}),
            "subscription.newTopicPreferences.topicSubscriptionStatus: a list is needed, this",
        ),
        ('{"eventType": 5}', "eventType: a string is needed, this is a number"),
        ('{"eventType": "Bounce", "notificationType": "Complaint"}', "eventType: contradicts"),
        ('{"notificationType": "Bounce"}', "bounce: an object is needed, this is null or missing"),
        ('{"notificationType": "Bounce", "bounce": {}, "mail": []}', "mail: an object is needed"),
        (
            '{"notificationType": "Bounce", "bounce": {"bouncedRecipients": "jane@example.com"}}',
            "bounce.bouncedRecipients: a list is needed, this is a string",
        ),
        (
            '{"notificationType": "Bounce", "bounce": {"bounceType": []}}',
            "bounce.bounceType: a string",
        ),
        ('{"Type": "Notification"}', "Message: missing"),
        ('{"Type": "Notification", "Message": "hello"}', "Message: not JSON at character 0"),
        (
            '{"Type": "Notification", "Message": "{}"}',
            "Message: neither notificationType nor eventType",
        ),
        ('{"Type": "Other"}', "Type: not Notification"),
        ('{"Records": []}', "Records: SNS sends one record an event, this has 0"),
        ('{"Records": [{"s3": {}}]}', "Records[0].Sns: an object is needed"),
    ],
)
def test_what_is_no_notification_names_the_field_that_is_wrong(
    body: str | bytes, error: str
) -> None:
    with pytest.raises(InvalidNotificationError) as raised:
        parse(body)
    assert str(raised.value).startswith(error)


def test_a_subscription_is_the_whole_state_of_what_a_contact_wants() -> None:
    notification = parse(
        subscription_event(
            "Jane@example.com", unsubscribe_all=False, topics={"news": "OptOut", "offers": "OptIn"}
        )
    )
    assert isinstance(notification, Subscription)
    assert notification.timestamp == NOON
    assert [one.address for one in notification.recipients] == ["jane@example.com"]
    assert [(one.topic, one.subscribed) for one in notification.preferences] == [
        (None, True),
        ("news", False),
        ("offers", True),
    ]
    assert notification.broken == ()


@pytest.mark.parametrize("silent", [{}, {"unsubscribeAll": None}, {"topicSubscriptionStatus": []}])
def test_what_a_subscription_does_not_say_is_no_preference(silent: dict[str, Any]) -> None:
    notification = parse(preferences(**silent))
    assert isinstance(notification, Subscription)
    assert notification.preferences == ()


def test_one_broken_topic_does_not_cost_the_others() -> None:
    notification = parse(
        preferences(
            topicSubscriptionStatus=[
                "news",
                {"topicName": 5, "subscriptionStatus": "OptIn"},
                {"subscriptionStatus": "OptIn"},
                {"topicName": "news", "subscriptionStatus": "Maybe"},
                {"topicName": "news"},
                {"topicName": "offers", "subscriptionStatus": "OptOut"},
            ]
        )
    )
    assert isinstance(notification, Subscription)
    assert [(one.topic, one.subscribed) for one in notification.preferences] == [("offers", False)]
    path = "subscription.newTopicPreferences.topicSubscriptionStatus"
    assert [str(error) for error in notification.broken] == [
        f"{path}[0]: an object is needed, this is a string",
        f"{path}[1].topicName: a string is needed, this is a number",
        f"{path}[2].topicName: missing",
        f"{path}[3].subscriptionStatus: OptIn or OptOut is needed",
        f"{path}[4].subscriptionStatus: OptIn or OptOut is needed",
    ]


def test_one_broken_recipient_does_not_cost_the_others() -> None:
    document = json.loads(bounce_notification("jane@example.com"))
    document["bounce"]["bouncedRecipients"] += [
        {"emailAddress": 5},
        "x",
        {"emailAddress": "joe@example.com"},
    ]
    notification = parse(json.dumps(document))
    assert isinstance(notification, Bounce)
    assert [one.address for one in notification.recipients] == [
        "jane@example.com",
        "joe@example.com",
    ]
    assert [str(error) for error in notification.broken] == [
        "bounce.bouncedRecipients[1].emailAddress: a string is needed, this is a number",
        "bounce.bouncedRecipients[2]: an object is needed, this is a string",
    ]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-10-08T14:05:45 +0000", datetime(2018, 10, 8, 14, 5, 45, tzinfo=UTC)),
        ("2018-10-08T14:05:45-07:00", datetime(2018, 10, 8, 21, 5, 45, tzinfo=UTC)),
        ("2018-10-08T14:05:45 -0700", datetime(2018, 10, 8, 21, 5, 45, tzinfo=UTC)),
        ("2018-10-08T14:05:45Z", datetime(2018, 10, 8, 14, 5, 45, tzinfo=UTC)),
        ("2018-10-08T14:05:45.123Z", datetime(2018, 10, 8, 14, 5, 45, 123_000, tzinfo=UTC)),
        ("2018-10-08T14:05:45", datetime(2018, 10, 8, 14, 5, 45, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (1_539_007_545, None),
        (None, None),
    ],
)
def test_every_form_of_a_timestamp_is_read_and_nonsense_is_none(
    text: Any, moment: datetime | None
) -> None:
    document = json.loads(bounce_notification("jane@example.com"))
    document["bounce"]["timestamp"] = text
    notification = parse(json.dumps(document))
    assert isinstance(notification, Bounce)
    assert notification.timestamp == moment


def test_a_diagnostic_loses_addresses_control_characters_and_length() -> None:
    hostile = 'smtp; 550 <jane@example.com> \x1b[2J\r\n{"_aws": {}} ' + "x" * 100_000
    notification = parse(bounce_notification("jane@example.com", diagnosticCode=hostile))
    assert isinstance(notification, Bounce)
    diagnostic = notification.recipients[0].diagnostic
    assert diagnostic is not None
    assert diagnostic.startswith('smtp; 550 <[address]>  [2J {"_aws": {}} xxx')
    assert len(diagnostic) == 256


@pytest.mark.parametrize(
    "address",
    ['"jane doe"@example.com', "jane@[192.0.2.1]", "jane\u200b@example.com", "o'brien@example.com"],
)
def test_no_spelling_of_an_address_survives_in_a_diagnostic(address: str) -> None:
    notification = parse(
        bounce_notification("x@example.com", diagnosticCode=f"550 <{address}>: unknown")
    )
    assert isinstance(notification, Bounce)
    assert notification.recipients[0].diagnostic == "550 <[address]>: unknown"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("550 'jane@example.com' unknown", "550 [address]' unknown"),
        ("o'hara@example.com,joe@example.com", "[address],[address]"),
        ("jane@example.com'joe@example.com", "[address]"),
        ("rcpt=jane+news@example.com;", "[address];"),
        ("nobody at example.com", "nobody at example.com"),
    ],
)
def test_every_address_in_a_diagnostic_is_taken_out_wherever_it_begins(
    text: str, left: str
) -> None:
    notification = parse(bounce_notification("x@example.com", diagnosticCode=text))
    assert isinstance(notification, Bounce)
    assert notification.recipients[0].diagnostic == left


@pytest.mark.parametrize(
    "tags", [None, [], "x", {"stream": "news"}, {"stream": [5]}, {"stream": []}]
)
def test_tags_of_the_wrong_shape_are_no_tags(tags: Any) -> None:
    document = json.loads(bounce_notification("jane@example.com"))
    document["mail"]["tags"] = tags
    notification = parse(json.dumps(document))
    assert isinstance(notification, Bounce)
    assert not any(notification.mail.tags.values())


def letters(count: int, start: int, modulus: int) -> str:
    return "".join(chr(start + number * 217 % modulus) for number in range(count))


@pytest.mark.parametrize(
    "address",
    [
        f"x@{letters(300, 0x4E00, 20_000)}.example",
        f"x@{letters(59, 0x4E00, 20_000)}.example",
        f"x@{'.'.join([letters(59, 0x4E00, 20_000)] * 4)}.example",
        f"x@{'.'.join([letters(30, 0xE0, 23)] * 5)}.example",
        f"x@{letters(30, 0x20000, 40_000)}.example",
        f"x@{'.'.join('é' * 150)}",
        f"x@{chr(0xFDFA) * 300}",  # each stands for eighteen letters
        "x@" + "ب\u200c" * 29 + ".example",
        "é\u0301" * 150 + "@x.example",
        "\u200f" * 1_900 + "@",
        "\u200f" * 19_000 + "@x.example",
        '"' * 1_900 + "<x@x.example>",
    ],
    ids=[
        "too long",
        "distinct",
        "four parts",
        "Latin",
        "astral",
        "many parts",
        "expanding",
        "joiners",
        "local part",
        "invisible",
        "invisible and long",
        "quotes",
    ],
)
def test_the_work_for_a_message_grows_with_its_length_alone(address: str) -> None:
    count = 20_000 // len(address) + 1
    recipients = [{"emailAddress": address}] * count
    body = json.dumps(
        {
            "notificationType": "Bounce",
            "bounce": {"bounceType": "Permanent", "bouncedRecipients": recipients},
            "mail": {"destination": [address] * count},
        },
        ensure_ascii=False,
    )
    assert lines_run(lambda: parse(body)) < 100 * len(body)
