"""The custom resource that sets where the feedback about an identity's mail goes.

CloudFormation has none for notification topics, nor for the default configuration set of an
identity that was there before.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from lambdas import account_health
from lambdas.cloudformation import respond
from ses_suppression.ses_account.destination import DEFAULT_SET, SETTINGS, Destination
from ses_suppression.ses_account.health import SENDING_RESOURCE_TYPE
from ses_suppression.ses_account.identity_feedback import (
    Change,
    IdentityNotifications,
    RefusedError,
)

_LONGEST_NAME = 1024  # bytes: "Custom resource response objects", CloudFormation user guide
_REPLACED = "|replaced|"
_FORWARDING_WAS_OFF = 0  # one character: a physical id has at most 1,024 bytes

logger = Logger(service="identity-notifications")


def handle(
    event: Mapping[str, Any],
    notifications: IdentityNotifications,
    *,
    is_rolling_back: Callable[[str], bool],
    is_superseded: Callable[[Mapping[str, Any]], bool] = lambda _event: False,
    respond: Callable[[Mapping[str, Any], str, str | None], None] = respond,
) -> None:
    """Do what CloudFormation asks, and tell it the outcome whatever happens.

    Args:
        event: the request.
        notifications: of SES.
        is_rolling_back: whether a stack, by its id, is brought back to what it was.
        is_superseded: whether the resource that is to be deleted goes on under another name.
        respond: tells CloudFormation.
    """
    physical_id = event.get("PhysicalResourceId") or _physical_id(event, _NOTHING)
    try:
        properties = event["ResourceProperties"]
        identity, destination = properties["Identity"], _destination(properties)
        if event["RequestType"] == "Delete":
            if not is_superseded(event):
                memory = _memory(physical_id)
                notifications.delete(
                    identity,
                    destination,
                    replaced=memory.replaced,
                    forwarding_was_off=memory.forwarding_was_off,
                )
        else:
            change = _plan(event, notifications, is_rolling_back)
            # Before the first write: a failure has to say it too, since CloudFormation deletes
            # what failed.
            physical_id = _name_after(event, physical_id, change)
            notifications.carry_out(change)
    except Exception as error:  # a stack that hangs is worse than any error
        logger.exception("the identity's notifications were not set")
        respond(
            event,
            physical_id,
            str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}",
        )
    else:
        respond(event, physical_id, None)


def _plan(
    event: Mapping[str, Any],
    notifications: IdentityNotifications,
    is_rolling_back: Callable[[str], bool],
) -> Change:
    properties, old = event["ResourceProperties"], event.get("OldResourceProperties", {})
    identity = properties["Identity"]
    return notifications.plan(
        identity,
        _destination(properties),
        previous=_destination(old) if old.get("Identity") == identity else {},
        take_over=properties.get("TakeOver") == "true",
        rolling_back=is_rolling_back(event["StackId"]),
    )


def _destination(properties: Mapping[str, Any]) -> Destination:
    default = properties.get("ConfigurationSet")
    return {**properties.get("Topics", {}), **({DEFAULT_SET: default} if default else {})}


def _name_after(event: Mapping[str, Any], physical_id: str, change: Change) -> str:
    """Name the resource so that its name tells what it took over: nothing else outlives it.

    Another name is another resource to CloudFormation, which then deletes the old one
    (`is_superseded`). So the name changes only when there is more to remember.
    """
    known = _memory(physical_id)
    kept = _Memory(
        {**change.replaced, **known.replaced}, known.forwarding_was_off or change.forwarding_was_off
    )
    return physical_id if kept == known else _physical_id(event, kept)


@dataclass(frozen=True, slots=True)
class _Memory:
    """How somebody else had set the identity."""

    replaced: Destination = field(default_factory=dict)
    forwarding_was_off: bool = False


_NOTHING = _Memory()


def _physical_id(event: Mapping[str, Any], memory: _Memory) -> str:
    identity = str(event.get("ResourceProperties", {}).get("Identity"))
    if memory == _NOTHING:
        return f"{_NAME}{identity}"
    kept: list[object] = [
        *map(memory.replaced.get, SETTINGS),
        *([_FORWARDING_WAS_OFF] if memory.forwarding_was_off else []),
    ]
    text = f"{_REPLACED}{json.dumps(kept, separators=(',', ':'))}"
    name = f"{_NAME}{identity}{text}"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    name = f"{_NAME}{hashlib.sha256(identity.encode()).hexdigest()[:12]}{text}"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    raise RefusedError(
        f"the names of what the identity {identity} publishes to are too long to be given back: "
        "set take_over: false for it in cdk.json, and clear them by hand"
    )


_NAME = "identity-notifications:"


def _memory(physical_id: str) -> _Memory:
    _, _, text = physical_id.partition(_REPLACED)
    if not text:
        return _NOTHING
    kept = json.loads(text)
    if isinstance(kept, dict):  # of 0.1.0
        return _Memory(_destination(kept))
    replaced = zip(SETTINGS, kept, strict=False)
    return _Memory(
        {setting: value for setting, value in replaced if value},
        forwarding_was_off=kept[len(SETTINGS) :] == [_FORWARDING_WAS_OFF],
    )


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ANN401  # Lambda's own
    """Handle a request of CloudFormation."""
    del context
    # SES throttles when several identities are set at once: wait and try again, within the two
    # minutes.
    patience = Config(
        connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 5}
    )
    ses, sesv2 = boto3.client("ses", config=patience), boto3.client("sesv2", config=patience)
    cloudformation = boto3.client("cloudformation", config=patience)

    if event["ResourceType"] == SENDING_RESOURCE_TYPE:
        account_health.report_sending(event, sesv2)
        return

    def is_rolling_back(stack_id: str) -> bool:
        (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        return "ROLLBACK" in stack["StackStatus"]

    def is_superseded(request: Mapping[str, Any]) -> bool:
        answer = cloudformation.describe_stack_resource(
            StackName=request["StackId"], LogicalResourceId=request["LogicalResourceId"]
        )
        name = answer["StackResourceDetail"].get("PhysicalResourceId")
        return name not in {None, request["PhysicalResourceId"]}

    handle(
        event,
        IdentityNotifications(ses, sesv2),
        is_rolling_back=is_rolling_back,
        is_superseded=is_superseded,
    )
