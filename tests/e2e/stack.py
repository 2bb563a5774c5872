"""The deployed stack, as a test wants to talk to it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from local import mailbox_simulator
from local.cdk import Deployment
from local.emulator import Emulator
from local.waiting import wait_for
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.record import Record
from ses_suppression.core.suppression import Suppression
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore
from stacks.config import Config

SECONDS = 30.0


@dataclass
class Stack:
    emulator: Emulator
    config: Config
    deployment: Deployment

    @cached_property
    def store(self) -> DynamoDBStore:
        return DynamoDBStore(self.emulator.client("dynamodb"), self.deployment.table_name)

    @cached_property
    def suppressions(self) -> SuppressionList:
        return SuppressionList(self.store)

    def record(self, address: str) -> Record:
        return self.store.load([address], consistent=True, deadline=Deadline(5)).records[address]

    def await_record(self, address: str) -> Record:
        def look() -> Record | None:
            record = self.record(address)
            return record if record.evidence else None

        return wait_for(f"the record of {address}", look, seconds=SECONDS)

    def await_suppression(self, address: str) -> Suppression:
        return wait_for(
            f"the verdict on {address}", lambda: self.suppressions.check(address), seconds=SECONDS
        )

    def send_mail(self, *recipients: str) -> str:
        sender = mailbox_simulator.sender_of(self.config)
        return mailbox_simulator.send_mail(self.emulator, sender, *recipients)

    def publish(self, kind: str, body: str) -> None:
        topic_arn = self.deployment.outputs[f"{kind}TopicArn"]
        self.emulator.client("sns").publish(TopicArn=topic_arn, Message=body)

    def waiting(self, kind: str) -> int:
        return mailbox_simulator.waiting_messages(
            self.emulator, self.deployment.outputs[f"{kind}QueueUrl"]
        )

    def await_drained(self, kind: str, seconds: float = SECONDS) -> None:
        wait_for(f"an empty queue of {kind}", lambda: self.waiting(kind) == 0, seconds=seconds)

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Give the JSON lines that the function of one kind logged."""
        return [json.loads(line) for line in self.log_lines(kind) if line.startswith("{")]

    def log_lines(self, kind: str) -> list[str]:
        """Give all that the function of one kind logged."""
        logs = self.emulator.client("logs")
        groups = logs.describe_log_groups(logGroupNamePattern=f"{kind}Logs")["logGroups"]
        return [
            event["message"]
            for group in groups
            for page in logs.get_paginator("filter_log_events").paginate(
                logGroupName=group["logGroupName"]
            )
            for event in page["events"]
        ]

    def await_logged(self, kind: str, **fields: str) -> list[dict[str, Any]]:
        """Wait for lines whose fields have these values."""

        def look() -> list[dict[str, Any]]:
            return [line for line in self.log(kind) if fields.items() <= line.items()]

        return wait_for(f"a log line with {fields}", look, seconds=SECONDS)

    def applied(self, kind: str) -> int:
        """Count the messages that the function of one kind has applied, by its own metric."""
        return int(sum(sum(line.get("Applied", [])) for line in self.log(kind)))

    def await_applied(self, kind: str, number: int) -> None:
        wait_for(f"{number} applied {kind}", lambda: self.applied(kind) >= number, seconds=SECONDS)

    def take_dead_letter(self, kind: str) -> dict[str, Any]:
        """Wait for a message on the dead-letter queue, and take it off."""
        sqs = self.emulator.client("sqs")
        url = self.deployment.outputs[f"{kind}DeadLetterQueueUrl"]

        def look() -> list[Any]:
            answer = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
            messages: list[Any] = answer.get("Messages", [])
            return messages

        (message,) = wait_for("a dead letter", look, seconds=SECONDS)
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found: dict[str, Any] = message
        return found

    def function_of(self, kind: str) -> dict[str, Any]:
        """Give the configuration of one kind's function."""
        functions = self.emulator.client("lambda").list_functions()["Functions"]
        (function,) = [one for one in functions if f"-{kind}Function" in one["FunctionName"]]
        return dict(function)

    def role_of(self, kind: str) -> str:
        """Give the name of the role of one kind's function."""
        role: str = self.function_of(kind)["Role"].rpartition("/")[2]
        return role

    def policy_of(self, kind: str) -> dict[str, Any]:
        """Give the policy of the role of one kind's function."""
        iam = self.emulator.client("iam")
        role = self.role_of(kind)
        (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document: dict[str, Any] = iam.get_role_policy(RoleName=role, PolicyName=policy)[
            "PolicyDocument"
        ]
        return document

    def put_policy(self, kind: str, document: Mapping[str, Any]) -> None:
        """Put another in its place."""
        iam = self.emulator.client("iam")
        role = self.role_of(kind)
        (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))

    @contextmanager
    def without_action(self, kind: str, action: str) -> Iterator[None]:
        """Take an action away from the role of one kind's function, and give it back afterwards."""
        document = self.policy_of(kind)
        reduced = {
            **document,
            "Statement": [
                left for line in document["Statement"] if (left := _without(line, action))
            ],
        }
        assert reduced != document, f"{self.role_of(kind)} does not have {action}"
        self.put_policy(kind, reduced)
        try:
            yield
        finally:
            self.put_policy(kind, document)

    @contextmanager
    def with_variables(self, kind: str, **variables: str) -> Iterator[None]:
        """Change environment variables that the function of one kind has, and set them back."""
        before = self.function_of(kind)["Environment"]["Variables"]
        self.set_variables(kind, **variables)
        try:
            yield
        finally:
            self.set_variables(kind, **before)

    def set_variables(self, kind: str, **variables: str) -> None:
        """Set environment variables of the function of one kind, beside those that it has."""
        function = self.function_of(kind)
        self.emulator.client("lambda").update_function_configuration(
            FunctionName=function["FunctionName"],
            Environment={"Variables": {**function["Environment"]["Variables"], **variables}},
        )

    @contextmanager
    def quick_retries(self, kind: str, *, receives: int | None = None) -> Iterator[None]:
        """Let what failed be seen again after two seconds rather than after minutes.

        Args:
            kind: whose queue.
            receives: after so many it is a dead letter; None: after as many as ever.
        """
        sqs = self.emulator.client("sqs")
        url = self.deployment.outputs[f"{kind}QueueUrl"]
        before = sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"]
        )["Attributes"]
        quick = {"VisibilityTimeout": "2"}
        if receives:
            policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": receives}
            quick["RedrivePolicy"] = json.dumps(policy)
        sqs.set_queue_attributes(QueueUrl=url, Attributes=quick)
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def _without(statement: dict[str, Any], action: str) -> dict[str, Any] | None:
    actions = statement["Action"]
    left = [one for one in ([actions] if isinstance(actions, str) else actions) if one != action]
    return {**statement, "Action": left} if left else None
