"""A deployed environment: its stack, and the means to look at it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ses_suppression.deployment import ChannelOutput, NotificationType, StackOutput
from ses_suppression.errors import MissingSettingError
from ses_suppression.ses_account.destination import DEFAULT_SET, Destination
from ses_suppression.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack of an environment: its outputs, and the key of its fingerprints."""

    name: str
    outputs: Mapping[str, str]
    fingerprint_key: str = ""

    @classmethod
    def of_answer(cls, found: Mapping[str, Any]) -> "Stack":
        """Return the stack that `DescribeStacks` answered with."""
        outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
        return cls(found["StackName"], outputs, found["StackId"].split("/")[2])

    def output(self, name: str) -> str:
        """Return an output.

        Raises:
            MissingSettingError: an older version deployed the stack.
        """
        if name not in self.outputs:
            raise MissingSettingError(
                f"the stack {self.name} has no output {name}: deploy it again"
            )
        return self.outputs[name]

    def channel(self, output: ChannelOutput, notification_type: NotificationType) -> str:
        """Return the output of a notification type's channel."""
        return self.output(output.of(notification_type))

    @property
    def topics(self) -> dict[NotificationType, str]:
        """The topic of each notification type that the stack takes."""
        names = {one: ChannelOutput.TOPIC_ARN.of(one) for one in NotificationType}
        return {one: self.outputs[name] for one, name in names.items() if name in self.outputs}

    @property
    def destination(self) -> Destination:
        """Where the feedback of an identity is to go."""
        if self.configuration_set:
            return {DEFAULT_SET: self.configuration_set}
        return {kind.value: topic for kind, topic in self.topics.items()}

    @property
    def identities(self) -> list[str]:
        """The domains and addresses that are configured."""
        return [name for name in self.outputs.get(StackOutput.IDENTITIES, "").split(",") if name]

    @property
    def configuration_set(self) -> str | None:
        """The set that publishes to the topics; None: the identities publish."""
        if self.outputs.get(StackOutput.FEED) != "configuration-set":
            return None
        return self.output(StackOutput.CONFIGURATION_SET_NAME)


@dataclass(frozen=True, slots=True)
class Environment:
    """A deployed environment.

    Attributes:
        name: such as `prod`.
        stack: its stack.
        table: the name or the ARN of its table.
        store: that table.
        client: returns the boto3 client of a service, in the environment's region or in another.
        now: the time, UTC.
    """

    name: str
    stack: Stack
    table: str
    store: Store
    client: Callable[..., Any]
    now: datetime
