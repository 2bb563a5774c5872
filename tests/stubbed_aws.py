"""Answers of AWS that no emulator gives."""

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.stub import Stubber

from ses_suppression.ses_account.checks import checkup
from ses_suppression.ses_account.environment import Environment, Stack
from ses_suppression.ses_account.health import Finding
from ses_suppression.testing import InMemoryStore

NOW = datetime(2026, 12, 1, tzinfo=UTC)


class AWS:
    """Stubbed clients, by service and region."""

    def __init__(self) -> None:
        self.stubbers: dict[tuple[str, str], Stubber] = {}

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service."""
        return self._stubber(service, region).client

    def answers(self, service: str, call: str, answer: dict[str, Any], **region: str) -> None:
        """Add an answer."""
        self._stubber(service, **region).add_response(call, answer)

    def refuses(self, service: str, call: str, code: str) -> None:
        """Add an error."""
        self._stubber(service).add_client_error(call, code)

    def _stubber(self, service: Any, region: str | None = None) -> Stubber:
        place = (service, region or "eu-west-1")
        if place not in self.stubbers:
            client: Any = boto3.client(
                service, region_name=place[1], aws_access_key_id="x", aws_secret_access_key="x"
            )
            self.stubbers[place] = Stubber(client)
        return self.stubbers[place]

    def found(
        self, *checks: checkup.Check, table: str = "suppressions", **outputs: str
    ) -> list[Finding]:
        """Let checks look at an environment whose stack has these outputs."""
        stack = Stack("ses-suppression-prod", {"SuppressionTableName": table, **outputs})
        environment = Environment("prod", stack, table, InMemoryStore(), self.client, NOW)
        with ExitStack() as stubbed:
            for stubber in self.stubbers.values():
                stubbed.enter_context(stubber)
            findings = [finding for check in checks for finding in check(environment)]
        for stubber in self.stubbers.values():
            stubber.assert_no_pending_responses()
        return findings


ARNS = {f"{kind}TopicArn": f"arn:{kind}" for kind in ("Bounces", "Complaints", "Deliveries")}


BY_SET = {"Feed": "configuration-set", "ConfigurationSetName": "ours"}
