"""The custom resource that sets an identity's notification topics: CloudFormation has none.

It is careful with what is not its own. It refuses to take over topics that somebody else set unless
it is told to; it turns SES's e-mail forwarding off last, and on again first; it clears only what it
set itself.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_ses import SESClient

Kind = Literal["Bounce", "Complaint", "Delivery"]
KINDS: tuple[Kind, ...] = ("Bounce", "Complaint", "Delivery")

SECONDS_BETWEEN_CALLS = 1.0
"""SES takes one such call a second ("Quotas in Amazon SES", developer guide)."""

_MAX_REASON = 1024

logger = Logger(service="identity-notifications")


class RefusedError(Exception):
    """The settings cannot be made; the message says why, and what to do."""


class IdentityNotifications:
    """The notification settings of identities.

    Args:
        client: a boto3 SES client.
        sleep: waits for so many seconds, between two calls.
    """

    def __init__(self, client: "SESClient", *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep
        self._has_called = False

    def put(
        self,
        identity: str,
        topics: Mapping[Kind, str],
        *,
        previous: Mapping[Kind, str],
        take_over: bool,
    ) -> None:
        """Set the topics, and turn forwarding off when no feedback can be missed then.

        Args:
            identity: a domain or an address that SES knows in this region.
            topics: the topic of each kind; a kind without one is not published.
            previous: the topics that this resource set before.
            take_over: replace topics that somebody else set.

        Raises:
            RefusedError: SES does not know the identity, or the topics are somebody else's.
        """
        current = self._topics(identity)
        if current is None:
            raise RefusedError(
                f"SES does not know the identity {identity} in this region: verify it first"
            )
        ours = {*topics.values(), *previous.values()}
        foreign = {kind: arn for kind, arn in current.items() if kind in topics and arn not in ours}
        if foreign and not take_over:
            found = ", ".join(f"{kind} -> {arn}" for kind, arn in foreign.items())
            raise RefusedError(
                f"the identity {identity} publishes already: {found}. "
                "Set take_over: true for it in cdk.json if that may be replaced"
            )
        if foreign:  # whoever wants them back finds them here
            logger.warning("topics of somebody else are taken over", extra={"topics": foreign})
        for kind in KINDS:
            if kind in topics and current.get(kind) != topics[kind]:
                self._set_topic(identity, kind, topics[kind])
            elif kind not in topics and kind in previous and current.get(kind) == previous[kind]:
                self._set_topic(identity, kind, None)
        if "Bounce" in topics and "Complaint" in topics:
            self._set_forwarding(identity, enabled=False)

    def delete(self, identity: str, topics: Mapping[Kind, str]) -> None:
        """Turn forwarding on, then clear the topics that are still those that this resource set."""
        current = self._topics(identity)
        if current is None:
            return
        ours = [kind for kind in KINDS if kind in topics and current.get(kind) == topics[kind]]
        if ours:
            self._set_forwarding(identity, enabled=True)
        for kind in ours:
            self._set_topic(identity, kind, None)

    def _topics(self, identity: str) -> dict[Kind, str] | None:
        answer = self._client.get_identity_notification_attributes(Identities=[identity])
        attributes: Mapping[str, Any] | None = answer["NotificationAttributes"].get(identity)
        if attributes is None:
            return None
        return {
            kind: attributes[f"{kind}Topic"] for kind in KINDS if attributes.get(f"{kind}Topic")
        }

    def _set_topic(self, identity: str, kind: Kind, topic_arn: str | None) -> None:
        arguments = {"SnsTopic": topic_arn} if topic_arn else {}
        self._pace()
        self._client.set_identity_notification_topic(
            Identity=identity, NotificationType=kind, **arguments
        )

    def _set_forwarding(self, identity: str, *, enabled: bool) -> None:
        self._pace()
        self._client.set_identity_feedback_forwarding_enabled(
            Identity=identity, ForwardingEnabled=enabled
        )

    def _pace(self) -> None:
        if self._has_called:
            self._sleep(SECONDS_BETWEEN_CALLS)
        self._has_called = True


def respond(event: Mapping[str, Any], reason: str | None) -> None:
    """Tell CloudFormation how it ended; without this it would wait for an hour."""
    body = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": (reason or "done")[:_MAX_REASON],
        "PhysicalResourceId": f"identity-notifications:{event['ResourceProperties']['Identity']}",
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
    respond: Callable[[Mapping[str, Any], str | None], None] = respond,
) -> None:
    """Do what CloudFormation asks, and tell it the outcome whatever happens."""
    try:
        properties = event["ResourceProperties"]
        identity, topics = properties["Identity"], properties["Topics"]
        if event["RequestType"] == "Delete":
            notifications.delete(identity, topics)
        else:
            old = event.get("OldResourceProperties", {})
            previous = old.get("Topics", {}) if old.get("Identity") == identity else {}
            notifications.put(
                identity, topics, previous=previous, take_over=properties.get("TakeOver") == "true"
            )
    except Exception as error:  # a stack that hangs is worse than any error
        logger.exception("the identity's notifications were not set")
        respond(
            event,
            str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}",
        )
    else:
        respond(event, None)


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ANN401  # Lambda's own
    """Handle a request of CloudFormation."""
    del context
    # SES throttles when several identities are set at once: wait and try again, within the two
    # minutes.
    patience = Config(
        connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 5}
    )
    client = boto3.client("ses", config=patience)
    handle(event, IdentityNotifications(client))
