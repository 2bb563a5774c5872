"""The canary flies through the deployed stack, and tells when it cannot."""

import json
from typing import Any

from local.waiting import wait_for
from tests.e2e.stack import SECONDS, Stack


def fly(stack: Stack) -> dict[str, Any]:
    """Let it fly, and give the metrics that it told."""
    before = len(told(stack))
    answer = stack.emulator.client("lambda").invoke(
        FunctionName=stack.deployment.outputs["CanaryFunctionName"], Payload=b"{}"
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
    metrics = wait_for("its metrics", lambda: told(stack)[before:], seconds=SECONDS)
    return metrics[-1]


def told(stack: Stack) -> list[dict[str, Any]]:
    return [line for line in stack.log("Canary") if "CanaryFailed" in line]


def test_a_bounce_comes_back_and_the_time_is_told(stack: Stack) -> None:
    metrics = fly(stack)
    assert metrics["CanaryFailed"] == [0.0]
    (seconds,) = metrics["CanarySeconds"]
    assert 0 <= seconds < SECONDS
    assert (metrics["service"], metrics["environment"]) == ("canary", "dev")


def test_a_mail_that_cannot_be_sent_is_a_failure_and_no_crash(stack: Stack) -> None:
    with stack.without_action("Canary", "ses:SendEmail"):
        metrics = fly(stack)
    assert metrics["CanaryFailed"] == [1.0]
    assert "CanarySeconds" not in metrics
    assert "example.com" not in json.dumps(stack.log("Canary"))
