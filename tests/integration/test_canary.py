"""The canary, against a simulator that answers, and one that does not."""

from typing import Any

import boto3
from botocore.stub import ANY, Stubber

from ses_suppression.ses_account.canary import run_canary
from ses_suppression.testing import InMemoryStore, InMemorySuppressionList

SENDER = "canary@example.com"


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Simulator:
    """SES, and what comes back from it after some time."""

    def __init__(self, answers_after: float | None) -> None:
        self.time = Time()
        self.store = InMemoryStore()
        self.sent: list[str] = []
        self._answers_after = answers_after
        client: Any = boto3.client("ses", region_name="eu-west-1")
        self._stubber = Stubber(client)
        self._stubber.add_response(
            "send_email",
            {"MessageId": "m1"},
            {"Source": SENDER, "Destination": ANY, "Message": ANY},
        )
        client.meta.events.register("provide-client-params.ses.SendEmail", self._see)
        self._client = client

    def run(self, seconds: float) -> float | None:
        clock, sleep = self.time.clock, self._sleep
        with self._stubber:
            return run_canary(self._client, self.store, SENDER, seconds, clock=clock, sleep=sleep)

    def _see(self, params: dict[str, Any], **_: object) -> None:
        self.sent += params["Destination"]["ToAddresses"]

    def _sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)
        if self._answers_after is not None and self.time.now >= self._answers_after:
            list_of_store = InMemorySuppressionList()
            list_of_store._store = self.store
            list_of_store.suppress(self.sent[0], by="SES", note="bounced")


def test_it_says_how_long_a_bounce_took(monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    simulator = Simulator(answers_after=3)
    assert simulator.run(60) == 3
    (address,) = simulator.sent
    assert address.startswith("bounce+")
    assert address.endswith("@simulator.amazonses.com")


def test_it_does_not_wait_for_ever(monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    simulator = Simulator(answers_after=None)
    assert simulator.run(10) is None
    assert simulator.time.now == 10
