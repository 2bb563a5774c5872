"""What the doctor finds in answers that no emulator gives."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from ses_suppression.ses_account.checks import checkup
from ses_suppression.ses_account.checks.identities import check_configuration_set
from ses_suppression.ses_account.checks.path import (
    check_dead_letters,
    check_functions,
    check_given_back,
    check_key,
    check_queues,
    check_subscriptions,
    check_table,
    check_time_to_live,
)
from ses_suppression.ses_account.environment import Environment, Stack
from ses_suppression.ses_account.health import Finding, Level
from ses_suppression.testing import InMemoryStore
from tests.stubbed_aws import ARNS, AWS, BY_SET, NOW

TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-bounces-topic-prod"
BOUNCES = {
    "BouncesTopicArn": TOPIC,
    **{f"Bounces{one}QueueUrl": f"https://sqs.example/1/bounces{one.lower()}"
       for one in ("", "DeadLetter", "Undelivered")},
}  # fmt: skip


def subscription(protocol: str, endpoint: str, arn: str) -> dict[str, str]:
    return {
        "SubscriptionArn": arn,
        "Owner": "123456789012",
        "Protocol": protocol,
        "Endpoint": endpoint,
        "TopicArn": TOPIC,
    }


def found(*subscriptions: dict[str, str], configured: str = "") -> list[Finding]:
    """Look at what SNS lists for the topic of bounces."""
    aws = AWS()
    aws.answers("sns", "list_subscriptions_by_topic", {"Subscriptions": list(subscriptions)})
    return aws.found(check_subscriptions, **BOUNCES, BouncesEndpoints=configured)


def published(**events: list[str]) -> Finding:
    """Look at a configuration set that publishes these events to the topics."""
    destinations = [
        {
            "Name": kind,
            "Enabled": True,
            "MatchingEventTypes": types,
            "SnsDestination": {"TopicArn": ARNS[f"{kind}TopicArn"]},
        }
        for kind, types in events.items()
    ]
    aws = AWS()
    aws.answers(
        "sesv2", "get_configuration_set_event_destinations", {"EventDestinations": destinations}
    )
    (finding,) = aws.found(check_configuration_set, **ARNS, **BY_SET)
    return finding


def test_a_configuration_set_that_publishes_no_subscriptions_is_broken() -> None:
    others = {"Bounces": ["BOUNCE"], "Deliveries": ["DELIVERY"]}
    assert published(**others, Complaints=["COMPLAINT", "SUBSCRIPTION"]).level is Level.OK
    older = published(**others, Complaints=["COMPLAINT"])
    assert older.level is Level.FAILED
    assert older.found == "Subscription events of ours do not come here"


QUEUE = subscription("sqs", "arn:aws:sqs:eu-west-1:1:bounces", f"{TOPIC}:1")
URL = "https://shop.example/ses"


def test_an_app_that_has_not_confirmed_is_told_nothing() -> None:
    pending = subscription("https", URL, "PendingConfirmation")
    queue, app = found(QUEUE, pending, configured=URL)
    assert queue.level is Level.OK
    assert (app.check, app.level) == ("endpoint of bounces", Level.WARNING)
    assert app.found.startswith(f"{URL} has not confirmed: it is told nothing")
    assert "read its queue of what it did not take" in app.advice
    assert "take it out of `endpoints`, deploy, put it in again" in app.advice
    _, by_hand = found(QUEUE, pending)
    assert by_hand.advice.startswith("it is not of this stack")


def test_an_app_that_sns_has_forgotten_is_missed() -> None:
    _, app = found(QUEUE, configured=URL)
    assert app.level is Level.FAILED
    assert app.found.startswith(f"{URL} is not subscribed: it did not confirm within two days")
    (_, is_there) = found(QUEUE, subscription("https", URL, f"{TOPIC}:2"), configured=URL)
    assert is_there.level is Level.OK


def test_an_app_that_has_confirmed_is_fine_and_a_person_is_none_of_ours() -> None:
    _, *apps = found(
        QUEUE,
        subscription("https", URL, f"{TOPIC}:2"),
        subscription("email", "ops@shop.example", "PendingConfirmation"),
    )
    assert [(app.level, app.found) for app in apps] == [(Level.OK, f"{URL} has confirmed")]


def test_an_app_has_confirmed_whatever_else_sns_lists_of_it() -> None:
    confirmed = subscription("https", URL, f"{TOPIC}:2")
    for other in ("PendingConfirmation", "Deleted"):
        listed = (confirmed, {**confirmed, "SubscriptionArn": other})
        for order in (listed, listed[::-1]):
            _, app = found(QUEUE, *order, configured=URL)
            assert app.level is Level.OK


def test_a_queue_whose_subscription_is_pending_or_gone_is_broken() -> None:
    pending, gone = (found(*listed) for listed in ([{**QUEUE, "SubscriptionArn": "x"}], []))
    assert [one.found for one in (*pending, *gone)] == ["it is not confirmed", "it is gone"]


def test_a_configuration_set_that_is_gone_is_deployed_again() -> None:
    aws = AWS()
    aws.refuses("sesv2", "get_configuration_set_event_destinations", "NotFoundException")
    (gone,) = aws.found(check_configuration_set, **ARNS, **BY_SET)
    assert (gone.found, gone.advice) == ("ours is gone", "cdk deploy --revert-drift")


def counted(aws: AWS, *numbers: int) -> None:
    """Answer for queues one after the other."""
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    for number in numbers:
        counts = dict(zip(names, (str(number), "0"), strict=True))
        aws.answers("sqs", "get_queue_attributes", {"Attributes": counts})


def measured(aws: AWS, *values: float) -> None:
    """Answer for metrics one after the other."""
    for value in values:
        points = [{"Sum": value, "Maximum": value}] if value else []
        aws.answers("cloudwatch", "get_metric_statistics", {"Datapoints": points})


def test_a_queue_whose_oldest_message_is_old_is_broken_and_a_full_one_is_not() -> None:
    for waiting, seconds, level in ((3, 1200, Level.FAILED), (3, 60, Level.OK), (0, 0, Level.OK)):
        aws = AWS()
        counted(aws, waiting)
        measured(aws, seconds)
        (finding,) = aws.found(check_queues, **BOUNCES)
        assert (finding.check, finding.level) == ("queue of bounces", level)
        assert finding.found.startswith(f"{waiting} messages")


def test_dead_letters_are_counted_with_what_was_never_delivered() -> None:
    aws = AWS()
    counted(aws, 1, 2)
    (finding,) = aws.found(check_dead_letters, **BOUNCES)
    assert finding.found == "1 that nobody could use, 2 that SNS could not deliver"
    assert finding.advice == "dead-letters show"


def test_messages_that_were_given_back_are_broken_while_some_wait() -> None:
    for number, waiting, level in ((5, 2, Level.FAILED), (5, 0, Level.WARNING), (0, 2, Level.OK)):
        aws = AWS()
        measured(aws, number)
        counted(aws, waiting)
        (finding,) = aws.found(check_given_back, **BOUNCES)
        assert finding.level is level


def test_a_function_is_called_and_fails_never() -> None:
    cases = (
        ("Disabled", (), Level.FAILED, "its queue does not call it"),
        ("Enabled", (2,), Level.FAILED, "2 errors in the last hour"),
        ("Enabled", (0, 3), Level.WARNING, "3 throttles in the last hour"),
        ("Enabled", (0, 0), Level.OK, "its queue calls it; no errors in the last hour"),
    )
    for state, numbers, level, text in cases:
        aws = AWS()
        aws.answers("sqs", "get_queue_attributes", {"Attributes": {"QueueArn": "arn:queue"}})
        mapping = {"State": state, "FunctionArn": "arn:function:bounces"}
        aws.answers("lambda", "list_event_source_mappings", {"EventSourceMappings": [mapping]})
        measured(aws, *numbers)
        (finding,) = aws.found(check_functions, **BOUNCES)
        assert (finding.level, finding.found) == (level, text)


def test_a_table_that_answers_is_fine_and_one_that_forgets_nothing_is_named() -> None:
    for status, level in (("ENABLED", Level.OK), ("DISABLED", Level.WARNING)):
        aws, described = AWS(), {"TimeToLiveDescription": {"TimeToLiveStatus": status}}
        arn = "arn:aws:dynamodb:us-east-1:123456789012:table/suppressions"
        aws.answers("dynamodb", "describe_time_to_live", described, region="us-east-1")
        table, time_to_live = aws.found(check_table, check_time_to_live, table=arn)
        assert (table.level, time_to_live.level) == (Level.OK, level)


def test_a_key_admits_every_service_that_uses_it() -> None:
    services = [f"{one}.amazonaws.com" for one in ("ses", "sns", "cloudwatch", "events")]
    for admitted, level in ((services, Level.OK), (services[1:], Level.FAILED)):
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": admitted},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        }
        aws = AWS()
        aws.answers("kms", "get_key_policy", {"Policy": json.dumps({"Statement": [statement]})})
        (finding,) = aws.found(check_key, SuppressionKeyArn="arn:key")
        assert finding.level is level
        assert ("SES, which publishes" in finding.found) == (level is Level.FAILED)


def test_a_check_that_aws_refuses_is_a_finding_and_the_others_go_on() -> None:
    aws = AWS()
    aws.refuses("kms", "get_key_policy", "AccessDeniedException")
    environment = Environment(
        "prod",
        Stack("ses-suppression-prod", {"SuppressionKeyArn": "arn:key"}),
        "suppressions",
        InMemoryStore(),
        aws.client,
        NOW,
    )
    with aws.stubbers["kms", "eu-west-1"]:
        key, table = checkup.run(environment, [check_key, check_table])
    assert (key.check, key.level) == ("key", Level.FAILED)
    assert (table.check, table.level) == ("table", Level.OK)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "this could not be looked at: check the caller's policy"),
        ("AccessDeniedException", "this could not be looked at: check the caller's policy"),
        ("AuthorizationError", "this could not be looked at: check the caller's policy"),
        ("Throttling", "this could not be looked at"),
    ],
)
def test_only_a_missing_right_points_to_the_callers_policy(code: str, advice: str) -> None:
    environment = Environment("prod", Stack("s", {}), "t", InMemoryStore(), AWS().client, NOW)

    def check_queues(_: Environment) -> Iterator[Finding]:
        raise ClientError({"Error": {"Code": code}}, "GetQueueAttributes")

    (finding,) = checkup.run(environment, [check_queues])
    assert (finding.check, finding.level, finding.advice) == ("queues", Level.FAILED, advice)
