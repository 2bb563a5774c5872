"""A function that cannot even start, and what becomes of the messages that it should have taken."""

import json
import uuid
from datetime import UTC, datetime

from local.mailbox_simulator import waiting_messages
from local.waiting import wait_for
from tests.builders import complaint_notification
from tests.e2e.operator import Operator
from tests.e2e.stack import SECONDS, Stack


def test_nothing_is_lost_and_a_redrive_after_the_mend_brings_the_right_verdicts(
    stack: Stack,
) -> None:
    addresses = [f"{uuid.uuid4().hex}@example.net" for _ in range(3)]
    dead_letters = stack.deployment.outputs["ComplaintsDeadLetterQueueUrl"]
    nonsense = json.dumps({"transient_bounces": "many"})
    with (
        stack.with_variables("Complaints", SUPPRESSION_POLICY=nonsense),
        stack.quick_retries("Complaints", receives=3),
    ):
        for address in addresses:
            body = complaint_notification(
                address, at=datetime.now(UTC), feedback_id=uuid.uuid4().hex
            )
            stack.publish("Complaints", body)
        assert stack.waiting("Complaints") == len(addresses)
        wait_for(
            "the dead letters",
            lambda: waiting_messages(stack.emulator, dead_letters) == len(addresses),
            seconds=SECONDS,
        )
        assert not any(stack.record(address).evidence for address in addresses)
    operator = Operator(stack)
    assert f"{len(addresses)} messages redriven" in operator.says(
        "dead-letters", "redrive", "--apply"
    )
    for address in addresses:
        assert stack.await_suppression(address).reason == "COMPLAINT"
    assert operator.says("dead-letters", "show") == "there are no dead letters\n"
