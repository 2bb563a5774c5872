"""Each right of the ingest role is needed: without it nothing is lost, and the log says why."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from local.waiting import wait_for
from tests.builders import complaint_notification
from tests.e2e.stack import SECONDS, Stack


@pytest.mark.parametrize("action", ["dynamodb:BatchGetItem", "dynamodb:PutItem"])
def test_without_a_right_messages_are_retried_and_applied_when_it_is_back(
    stack: Stack, action: str
) -> None:
    address = f"{uuid.uuid4().hex}@example.net"
    body = complaint_notification(address, at=datetime.now(UTC), feedback_id=uuid.uuid4().hex)

    def denied() -> list[dict[str, Any]]:
        return [
            line
            for line in stack.log("Complaints")
            if line.get("status") == "retried" and line["reason"] == "AccessDeniedException"
        ]

    before = len(denied())
    with stack.quick_retries("Complaints"):
        with stack.without_action("Complaints", action):
            stack.publish("Complaints", body)
            wait_for("a second try", lambda: len(denied()) >= before + 2, seconds=SECONDS)
            assert stack.record(address).evidence == ()
            assert stack.waiting("Complaints") == 1
        stack.await_suppression(address)
        stack.await_drained("Complaints")
