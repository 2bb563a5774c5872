"""The custom resource that sets where the feedback about an identity's mail goes.

CloudFormation has none for notification topics, nor for the default configuration set of an
identity that was there before.
"""

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from ses_suppression.identity_notifications import (
    NOWHERE,
    Destination,
    IdentityNotifications,
    RefusedError,
)

_MAX_REASON = 1024
_REPLACED = "|replaced|"

logger = Logger(service="identity-notifications")


def respond(event: Mapping[str, Any], physical_id: str, reason: str | None) -> None:
    """Tell CloudFormation how it ended; without this it would wait for an hour."""
    body = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": (reason or "done")[:_MAX_REASON],
        "PhysicalResourceId": physical_id,
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(  # noqa: S310  # the URL is CloudFormation's
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        method="PUT",
        headers={"Content-Type": ""},
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # as above
        pass


def handle(
    event: Mapping[str, Any],
    notifications: IdentityNotifications,
    *,
    is_rolling_back: Callable[[str], bool],
    respond: Callable[[Mapping[str, Any], str, str | None], None] = respond,
) -> None:
    """Do what CloudFormation asks, and tell it the outcome whatever happens.

    Args:
        event: the request.
        notifications: of SES.
        is_rolling_back: whether a stack, by its id, is brought back to what it was.
        respond: tells CloudFormation.
    """
    physical_id = event.get("PhysicalResourceId") or _physical_id(event, NOWHERE)
    try:
        properties = event["ResourceProperties"]
        identity, destination = properties["Identity"], _destination(properties)
        if event["RequestType"] == "Delete":
            notifications.delete(identity, destination, replaced=_replaced(physical_id))
        else:
            old = event.get("OldResourceProperties", {})
            replaced = notifications.put(
                identity,
                destination,
                previous=_destination(old) if old.get("Identity") == identity else NOWHERE,
                take_over=properties.get("TakeOver") == "true",
                rolling_back=is_rolling_back(event["StackId"]),
            )
            if event["RequestType"] == "Create":
                physical_id = _physical_id(event, replaced)
    except Exception as error:  # a stack that hangs is worse than any error
        logger.exception("the identity's notifications were not set")
        respond(
            event,
            physical_id,
            str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}",
        )
    else:
        respond(event, physical_id, None)


def _destination(properties: Mapping[str, Any]) -> Destination:
    return Destination(
        topics=properties.get("Topics", {}), configuration_set=properties.get("ConfigurationSet")
    )


def _physical_id(event: Mapping[str, Any], replaced: Destination) -> str:
    """Name the resource, and remember in its name what it took over: nothing else outlives it."""
    name = f"identity-notifications:{event.get('ResourceProperties', {}).get('Identity')}"
    if replaced == NOWHERE:
        return name
    kept = {"Topics": replaced.topics, "ConfigurationSet": replaced.configuration_set}
    return f"{name}{_REPLACED}{json.dumps(kept)}"


def _replaced(physical_id: str) -> Destination:
    _, _, kept = physical_id.partition(_REPLACED)
    return _destination(json.loads(kept)) if kept else NOWHERE


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

    def is_rolling_back(stack_id: str) -> bool:
        (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        return "ROLLBACK" in stack["StackStatus"]

    handle(event, IdentityNotifications(ses, sesv2), is_rolling_back=is_rolling_back)
