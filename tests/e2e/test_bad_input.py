import uuid
from datetime import UTC, datetime

import pytest

from tests.builders import bounce_notification
from tests.e2e.stack import Stack


def test_a_body_that_is_no_notification_is_a_dead_letter_while_its_neighbours_are_applied(
    stack: Stack,
) -> None:
    run = uuid.uuid4().hex[:8]
    neighbours = [f"neighbour-{index}-{run}@example.net" for index in range(9)]
    bodies = [
        bounce_notification(address, at=datetime.now(UTC), feedback_id=f"{run}-{address}")
        for address in neighbours
    ]
    bodies.insert(4, '{"hello": "world"}')
    for body in bodies:
        stack.publish("Bounces", body)
    letter = stack.take_dead_letter("Bounces")
    assert letter["Body"] == '{"hello": "world"}'
    reason = letter["MessageAttributes"]["Reason"]["StringValue"]
    assert reason == "none of notificationType, eventType, Type and Records is there"
    for address in neighbours:
        stack.await_suppression(address)
    stack.await_drained("Bounces")


@pytest.mark.parametrize(
    ("notice", "named"),
    [
        (
            '{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"You have subscribed"}',
            "identity notification set-up notice",
        ),
        (
            "Successfully validated SNS topic for Amazon SES event publishing.",
            "event publishing set-up notice",
        ),
    ],
)
def test_a_set_up_notice_is_acknowledged_and_counted(stack: Stack, notice: str, named: str) -> None:
    stack.publish("Complaints", notice)
    (line,) = stack.await_logged("Complaints", status="acknowledged", reason=named)
    assert line["message"] == "acknowledged"
    stack.await_drained("Complaints")
    counted = [entry for entry in stack.log("Complaints") if "Acknowledged" in entry]
    assert counted, "no metric"
