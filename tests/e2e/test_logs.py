"""No address stands in any log: after a round trip, bad input and a table that refuses."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from local.mailbox_simulator import SIMULATOR
from local.waiting import wait_for
from tests.builders import bounce_notification, complaint_notification
from tests.e2e.stack import SECONDS, Stack

NAME = "jane.doe"


def lines(stack: Stack) -> Iterator[str]:
    """Give every line of every function's log, the platform's own included."""
    logs = stack.emulator.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=group["logGroupName"]):
            for event in page["events"]:
                yield event["message"]


def hostile(address: str) -> Iterator[str]:
    """Give bodies that try to bring an address into a log."""
    whole = json.loads(bounce_notification(address, feedback_id=uuid.uuid4().hex))
    yield f"<{address}>"
    yield json.dumps({"notificationType": address})
    yield json.dumps({"eventType": address})
    yield json.dumps({**whole, "bounce": {**whole["bounce"], "bouncedRecipients": [address]}})
    yield json.dumps({**whole, "mail": {**whole["mail"], "destination": address}})
    yield json.dumps({**whole, "mail": {**whole["mail"], "sendingAccountId": address}})
    yield json.dumps({**whole, "bounce": {**whole["bounce"], "timestamp": address}})


def test_no_address_stands_in_any_log(stack: Stack) -> None:
    marker = uuid.uuid4().hex
    address = f"{NAME}.{marker}@example.net"
    for kind in ("Bounces", "Complaints", "Deliveries"):
        for body in hostile(address):
            stack.publish(kind, body)
    stack.send_mail(f"bounce+{marker}@{SIMULATOR}")
    now = datetime.now(UTC)
    stack.publish(
        "Complaints", complaint_notification(address, at=now, feedback_id=uuid.uuid4().hex)
    )
    stack.await_suppression(address)
    stack.await_suppression(f"bounce+{marker}@{SIMULATOR}")
    refused = f"{NAME}.refused.{marker}@example.net"
    with stack.quick_retries("Bounces"):
        with stack.without_action("Bounces", "dynamodb:PutItem"):
            stack.publish(
                "Bounces", bounce_notification(refused, at=now, feedback_id=uuid.uuid4().hex)
            )
            stack.await_logged("Bounces", status="retried")
        stack.await_suppression(refused)
    stack.emulator.client("lambda").invoke(
        FunctionName=stack.deployment.outputs["CanaryFunctionName"], Payload=b"{}"
    )
    for kind in ("Bounces", "Complaints", "Deliveries"):
        stack.await_drained(kind)
    wait_for("the logs", lambda: len(list(lines(stack))) > 20, seconds=SECONDS)
    # Of what the functions know only the sender, and the identities that the operator configured,
    # may be named; they are not in these logs either.
    found = [line for line in lines(stack) if re.search(r"[^\s\"]@[\w-]+\.", line)]
    assert found == []
    assert not [line for line in lines(stack) if NAME in line or marker in line]
    for kind in ("Bounces", "Complaints", "Deliveries"):
        queue = stack.deployment.outputs[f"{kind}DeadLetterQueueUrl"]
        stack.emulator.client("sqs").purge_queue(QueueUrl=queue)
