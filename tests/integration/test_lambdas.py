"""The ingest functions, wired as in AWS, against moto."""

import importlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest

import lambdas.ingest
from lambdas.ingest import SECONDS_TO_HAND_BACK
from lambdas.isolation import SUSPECT_RECEIVES
from lambdas.settings import Settings
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.errors import InvalidPolicyError, MissingSettingError
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import CONNECTIONS, DynamoDBStore
from tests.builders import (
    ACCOUNT_ID,
    JANE,
    NOON,
    bounce_notification,
    complaint_notification,
    delivery_notification,
    subscription_event,
)
from tests.integration.context import Context
from tests.integration.tables import TABLE_NAME

SENT = str(int((NOON + timedelta(minutes=1)).timestamp() * 1000))


def event(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": str(number), "body": body, "attributes": {"SentTimestamp": SENT}}
            for number, body in enumerate(bodies)
        ]
    }


@dataclass
class Deployed:
    """A function with its environment."""

    module: Any
    dead_letter_queue_url: str
    output: io.StringIO

    def __call__(self, *bodies: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Invoke it; give what it returned and what it logged."""
        return self.handle(event(*bodies))

    def handle(self, event: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Hand it an event."""
        with redirect_stdout(self.output):
            answer = self.module.handler(event, Context())
        return answer, [json.loads(line) for line in self.output.getvalue().splitlines()]

    def dead_letters(self) -> list[dict[str, Any]]:
        answer = boto3.client("sqs").receive_message(
            QueueUrl=self.dead_letter_queue_url,
            MessageAttributeNames=["All"],
            MaxNumberOfMessages=10,
        )
        letters: list[dict[str, Any]] = answer.get("Messages", [])  # type: ignore[assignment]
        return letters


@pytest.fixture
def deployed(
    request: pytest.FixtureRequest, client: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployed]:
    del client
    queue_url = boto3.client("sqs").create_queue(QueueName="dead-letters")["QueueUrl"]
    monkeypatch.setenv("SUPPRESSION_TABLE_NAME", TABLE_NAME)
    monkeypatch.setenv("DEAD_LETTER_QUEUE_URL", queue_url)
    monkeypatch.setenv("FINGERPRINT_KEY", "key")
    monkeypatch.setenv("SUPPRESSION_ENVIRONMENT", "dev")
    monkeypatch.setenv("SENDING_ACCOUNT_IDS", ACCOUNT_ID)
    kind = getattr(request, "param", "bounces")
    name = f"lambdas.{kind}"
    module = importlib.import_module(name)
    output = io.StringIO()
    for handler in logging.getLogger(kind).handlers:
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(output)
    yield Deployed(module, queue_url, output)
    del sys.modules[name]


def test_a_batch_is_applied_and_nothing_is_given_back(deployed: Deployed) -> None:
    answer, _ = deployed(
        bounce_notification(JANE), bounce_notification("joe@example.com", mail_id="m2")
    )
    assert answer == {"batchItemFailures": []}
    suppressions = SuppressionList.of_table(TABLE_NAME)
    assert suppressions.check(JANE) is not None
    assert suppressions.check("joe@example.com") is not None


def test_feedback_without_a_time_has_that_of_its_arrival_never_this_machines(
    deployed: Deployed,
) -> None:
    undated = json.loads(bounce_notification(JANE))
    del undated["bounce"]["timestamp"], undated["mail"]["timestamp"]
    tomorrow = bounce_notification("joe@example.com", mail_id="m2", at=NOON + timedelta(days=1))
    deployed(json.dumps(undated), tomorrow)
    store = DynamoDBStore(boto3.client("dynamodb"), TABLE_NAME)
    loaded = store.load([JANE, "joe@example.com"], consistent=True, deadline=Deadline(5))
    times = {piece.at for record in loaded.records.values() for piece in record.evidence}
    assert times == {NOON + timedelta(minutes=1)}


FEEDBACK = {
    "bounces": bounce_notification(JANE),
    "complaints": complaint_notification("joe@example.com", mail_id="m2"),
    "deliveries": delivery_notification("ann@example.com", mail_id="m3"),
}
UNSUBSCRIBED = subscription_event("sue@example.com", mail_id="m4", topics={"news": "OptOut"})


@pytest.mark.parametrize("deployed", FEEDBACK, indirect=True)
def test_a_queue_carries_its_own_kind_and_nothing_else(
    deployed: Deployed, request: pytest.FixtureRequest
) -> None:
    kind = request.node.callspec.params["deployed"]
    every = [*FEEDBACK.values(), UNSUBSCRIBED]
    own = [FEEDBACK[kind], *([UNSUBSCRIBED] if kind == "complaints" else [])]
    answer, lines = deployed(*every)
    assert answer == {"batchItemFailures": []}
    (metrics,) = [line for line in lines if "Applied" in line]
    assert (metrics["Applied"], metrics["Rejected"]) == ([len(own)], [4 - len(own)])
    letters = deployed.dead_letters()
    assert sorted(letter["Body"] for letter in letters) == sorted(
        body for body in every if body not in own
    )
    for letter in letters:
        reason = letter["MessageAttributes"]["Reason"]["StringValue"]
        assert reason.endswith(" in the queue of another kind")
        assert reason.startswith("a ")


def test_what_happened_is_counted_by_outcome_and_rule(deployed: Deployed) -> None:
    _, lines = deployed(
        bounce_notification(JANE),
        bounce_notification("joe@example.com", mail_id="m2"),
        "nonsense",
        '{"eventType": "Open"}',
    )
    metrics, by_provider = [line for line in lines if "_aws" in line]
    expected = {
        "Applied": 2, "Rejected": 1, "Acknowledged": 1, "hard-bounce": 2, "Suppressions": 2,
    }  # fmt: skip
    assert {name: metrics[name] for name in expected} == {
        name: [value] for name, value in expected.items()
    }
    assert "Retried" not in metrics
    assert given_back(lines) == 0
    assert (by_provider["provider"], by_provider["Suppressions"]) == ("other", [2])
    for found in (metrics, by_provider):
        assert found["environment"] == "dev"


def test_a_providers_bad_hour_is_seen(deployed: Deployed) -> None:
    _, lines = deployed(
        *(bounce_notification(f"a{number}@gmail.com", mail_id=f"m{number}") for number in "123")
    )
    providers = {line["provider"]: line["Suppressions"] for line in lines if "provider" in line}
    assert providers == {"Google": [3]}


def test_a_fault_of_the_sender_is_counted_under_the_provider_that_refuses(
    deployed: Deployed,
) -> None:
    """The provider of a company's own domain is known by its mark; nobody is held back."""
    unauthenticated = bounce_notification(
        "joe@example.com",
        diagnosticCode="smtp; 550-5.7.26 Neither SPF nor DKIM passes. 1-2 - gsmtp",
    )
    without_dmarc = bounce_notification(
        "ann@example.com", mail_id="m2", diagnosticCode="smtp; 550 5.7.515 Access denied, no DMARC"
    )
    answer, lines = deployed(unauthenticated, unauthenticated, without_dmarc)
    assert answer == {"batchItemFailures": []}
    faults = {line["provider"]: line["sender-fault"] for line in lines if "provider" in line}
    assert faults == {"Google": [2], "other": [1]}
    assert not any("Suppressions" in line for line in lines)
    assert SuppressionList.of_table(TABLE_NAME).check("joe@example.com") is None


def test_a_rejected_message_stands_on_the_dead_letter_queue_with_its_reason(
    deployed: Deployed,
) -> None:
    answer, _ = deployed(bounce_notification(JANE), '{"hello": "world"}')
    assert answer == {"batchItemFailures": []}
    (letter,) = deployed.dead_letters()
    assert letter["Body"] == '{"hello": "world"}'
    assert letter["MessageAttributes"]["Reason"]["StringValue"].startswith(
        "none of notificationType"
    )
    assert letter["MessageAttributes"]["MessageId"]["StringValue"] == "1"


def test_a_rejected_message_that_the_dead_letter_queue_refuses_is_given_back(
    deployed: Deployed,
) -> None:
    boto3.client("sqs").delete_queue(QueueUrl=deployed.dead_letter_queue_url)
    answer, lines = deployed(bounce_notification(JANE), '{"hello": "world"}')
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert given_back(lines) == 1


def test_of_what_has_come_often_a_part_is_handed_back_untried_and_not_deleted(
    deployed: Deployed,
) -> None:
    often = event(
        *(bounce_notification(f"a{n}@example.com", feedback_id=str(n)) for n in range(20))
    )
    for record in often["Records"]:
        record["attributes"]["ApproximateReceiveCount"] = str(SUSPECT_RECEIVES)
    answer, lines = deployed.handle(often)
    given_again = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
    suppressions = SuppressionList.of_table(TABLE_NAME)
    untried = {str(n) for n in range(20) if suppressions.check(f"a{n}@example.com") is None}
    assert given_again == untried
    assert 0 < len(untried) < 20
    assert [line["HandedBack"] for line in lines if "HandedBack" in line] == [[len(untried)]]
    assert given_back(lines) == len(untried)


def test_without_a_table_every_message_of_the_batch_is_given_back(deployed: Deployed) -> None:
    boto3.client("dynamodb").delete_table(TableName=TABLE_NAME)
    answer, lines = deployed(
        bounce_notification(JANE),
        '{"eventType": "Open"}',
        bounce_notification("joe@example.com", mail_id="m2"),
    )
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "2"}]}
    assert given_back(lines) == 2


def given_back(lines: list[dict[str, Any]]) -> int:
    """Give the metric that the alarm is on: of the environment as a whole, so of nothing else."""
    found = [line for line in lines if "GivenBack" in line]
    for line in found:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == (
            "SESSuppression", [["environment"]],
        )  # fmt: skip
        assert line["environment"] == "dev"
    return int(sum(sum(line["GivenBack"]) for line in found))


def test_no_line_and_no_metric_holds_an_address(deployed: Deployed) -> None:
    document = json.loads(bounce_notification(JANE))
    document["bounce"]["bouncedRecipients"].append({"emailAddress": JANE, "status": [JANE]})
    _, lines = deployed(
        bounce_notification(JANE), json.dumps(document), f"<{JANE}>", f'{{"eventType": "{JANE}"}}'
    )
    assert [line["status"] for line in lines if "status" in line] == [
        "applied", "rejected", "rejected", "acknowledged",
    ]  # fmt: skip
    assert "@" not in json.dumps(lines)


def test_an_unknown_type_is_counted_as_acknowledged_and_names_no_metric(deployed: Deployed) -> None:
    types = ["Bouncy", "Sending Paused", "x" * 1_000, "\x1b[2J"]
    answer, lines = deployed(*(json.dumps({"eventType": one}) for one in types))
    assert answer == {"batchItemFailures": []}
    (metrics,) = [line for line in lines if "_aws" in line]
    assert metrics["Acknowledged"] == [4]
    assert metrics.keys() == {"_aws", "environment", "service", "Acknowledged"}
    assert [line["reason"] for line in lines if "reason" in line] == [
        "unknown type Bouncy", "unknown type Sending Paused", "unknown type", "unknown type",
    ]  # fmt: skip


def test_with_no_time_left_everything_is_given_back_and_nothing_half_done(
    deployed: Deployed,
) -> None:
    answer = deployed.module.handler(
        event(bounce_notification(JANE), '{"hello": "world"}'),
        Context(seconds=SECONDS_TO_HAND_BACK),
    )
    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "1"}]}
    assert SuppressionList.of_table(TABLE_NAME).check(JANE) is None
    assert deployed.dead_letters() == []


def test_one_call_at_its_slowest_fits_into_the_time_that_is_kept_back() -> None:
    options: Any = lambdas.ingest.CLIENT
    attempts = options.retries["total_max_attempts"]
    longest_pause = 1.0  # between two attempts of botocore's standard mode
    slowest = (
        attempts * (options.connect_timeout + options.read_timeout) + (attempts - 1) * longest_pause
    )
    assert slowest < SECONDS_TO_HAND_BACK
    assert options.max_pool_connections == CONNECTIONS


def test_a_setting_that_is_missing_is_named() -> None:
    with pytest.raises(
        MissingSettingError, match="the environment variable SUPPRESSION_TABLE_NAME"
    ):
        Settings.from_env({})


def test_a_policy_that_is_no_json_is_named() -> None:
    with pytest.raises(InvalidPolicyError, match="SUPPRESSION_POLICY is not JSON"):
        Settings.from_env({"SUPPRESSION_POLICY": "{"})
