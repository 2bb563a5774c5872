"""The deployed throw-away environment, as the run looks at it."""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from local.cdk import Deployment
from local.emulator import LocalError
from local.mailbox_simulator import SIMULATOR
from local.waiting import wait_for
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.record import Record
from ses_suppression.core.suppression import Suppression
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore
from tests.acceptance.account import Account
from tests.acceptance.throw_away import NAME

_Value = TypeVar("_Value")
_SECONDS_ON_AWS, _SECONDS_HERE = 300.0, 30.0
_MAILS = 6


@dataclass(frozen=True)
class Live:
    """A deployed stack, and who mails from it."""

    account: Account
    deployment: Deployment
    identity: str

    def wait_for(
        self, what: str, look: Callable[[], _Value | None], *, seconds: float | None = None
    ) -> _Value:
        """Look again and again; real services are asked less often, and for longer."""
        if self.account.is_aws:
            return wait_for(what, look, seconds=seconds or _SECONDS_ON_AWS, every=2)
        return wait_for(what, look, seconds=seconds or _SECONDS_HERE)

    @cached_property
    def store(self) -> DynamoDBStore:
        return DynamoDBStore(self.account.client("dynamodb"), self.deployment.table_name)

    @cached_property
    def suppressions(self) -> SuppressionList:
        return SuppressionList(self.store, check_seconds=10)

    @property
    def outputs(self) -> dict[str, str]:
        return dict(self.deployment.outputs)

    @property
    def topics(self) -> list[str]:
        """The topics of feedback."""
        return [arn for name, arn in self.outputs.items() if name.endswith("TopicArn")]

    def record(self, address: str) -> Record:
        return self.store.load([address], consistent=True, deadline=Deadline(10)).records[address]

    def mail(self, kind: str) -> str:
        """Mail one of the simulator's addresses; return it, with a label of its own."""
        sender = self.identity if "@" in self.identity else f"{NAME}@{self.identity}"
        address = f"{kind}+{uuid.uuid4().hex[:8]}@{SIMULATOR}"
        self.account.client("sesv2").send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [address]},
            Content={"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}},
        )
        return address

    def await_suppression(self, address: str, *, seconds: float | None = None) -> Suppression:
        return self.wait_for(
            f"the verdict on {address}", lambda: self.suppressions.check(address), seconds=seconds
        )

    def bounce(self) -> str:
        """Mail until a bounce comes back: SES needs a while until all of it knows a change."""
        for _ in range(_MAILS - 1):
            address = self.mail("bounce")
            try:
                self.await_suppression(address, seconds=30)
            except LocalError:
                continue
            return address
        self.await_suppression(address := self.mail("bounce"))
        return address

    def resources(self) -> dict[str, tuple[str, str]]:
        """Return the type and the physical id of each of the stack's resources."""
        pages = (
            self.account.client("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=self.deployment.stack_name)
        )
        return {
            one["LogicalResourceId"]: (one["ResourceType"], one["PhysicalResourceId"])
            for page in pages
            for one in page["StackResourceSummaries"]
        }

    def resource(self, construct: str, of_type: str) -> str:
        """Return the physical id of a construct's one resource of a type."""
        (found,) = [
            physical_id
            for logical_id, (its_type, physical_id) in self.resources().items()
            if its_type == of_type and logical_id.startswith(construct)
        ]
        return found

    def policies_of(self, function: str) -> list[dict[str, Any]]:
        """Return the policies of a function's role."""
        name = self.resource(f"{function}Function", "AWS::Lambda::Function")
        configuration = self.account.client("lambda").get_function_configuration(FunctionName=name)
        role, iam = configuration["Role"].rpartition("/")[2], self.account.client("iam")
        return [
            iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]

    def logged(self, function: str) -> Iterator[dict[str, Any]]:
        """Return the JSON lines that a function logged."""
        group = self.resource(f"{function}Logs", "AWS::Logs::LogGroup")
        pages = (
            self.account.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group)
        )
        for page in pages:
            for event in page["events"]:
                if event["message"].startswith("{"):
                    yield json.loads(event["message"])
