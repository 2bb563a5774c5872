"""The custom resource that sets where the feedback about an identity's mail goes.

To topics, which CloudFormation knows nothing of, or to a configuration set as the default of the
identity's mail.

It is careful with what is not its own. It refuses to take over topics, or a default configuration
set, that somebody else set, unless it is told to; it sets what is new before it clears what was
before; it turns SES's e-mail forwarding off last, and on again first; it clears only what it set
itself.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_ses import SESClient
    from types_boto3_sesv2 import SESV2Client

Kind = Literal["Bounce", "Complaint", "Delivery"]
KINDS: tuple[Kind, ...] = ("Bounce", "Complaint", "Delivery")

SECONDS_BETWEEN_CALLS = 1.0
"""SES takes one such call a second ("Quotas in Amazon SES", developer guide)."""

_MAX_REASON = 1024

logger = Logger(service="identity-notifications")


class RefusedError(Exception):
    """The settings cannot be made; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Where the feedback about an identity's mail goes.

    Attributes:
        topics: the topic of each kind; a kind without one is not published.
        configuration_set: the default configuration set, which publishes by itself.
    """

    topics: Mapping[Kind, str] = field(default_factory=dict)
    configuration_set: str | None = None

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> "Feedback":
        """Read the properties of the resource; an older version's have no configuration set."""
        return cls(
            topics=properties.get("Topics", {}),
            configuration_set=properties.get("ConfigurationSet"),
        )

    @property
    def reports_all(self) -> bool:
        """Whether nothing is missed when SES does not mail bounces and complaints any more."""
        return self.configuration_set is not None or {"Bounce", "Complaint"} <= self.topics.keys()


class IdentityNotifications:
    """The settings of identities.

    Args:
        ses: a boto3 SES client.
        sesv2: a boto3 SES client of the second version.
        sleep: waits for so many seconds, between two calls.
    """

    def __init__(
        self,
        ses: "SESClient",
        sesv2: "SESV2Client",
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ses = ses
        self._sesv2 = sesv2
        self._sleep = sleep
        self._has_called = False

    def put(self, identity: str, wanted: Feedback, *, previous: Feedback, take_over: bool) -> None:
        """Let the feedback go where it is wanted, and turn forwarding off when none is missed then.

        Args:
            identity: a domain or an address that SES knows in this region.
            wanted: where the feedback shall go.
            previous: where this resource let it go before.
            take_over: replace what somebody else set.

        Raises:
            RefusedError: SES does not know the identity, or somebody else's settings are there.
        """
        current = self._current(identity, wanted, previous)
        if current is None:
            raise RefusedError(
                f"SES does not know the identity {identity} in this region: verify it first, "
                "or set create: true for it in cdk.json"
            )
        self._refuse_foreign(identity, _foreign(current, wanted, previous), take_over=take_over)
        for kind, topic in wanted.topics.items():
            if current.topics.get(kind) != topic:
                self._set_topic(identity, kind, topic)
        if wanted.configuration_set and current.configuration_set != wanted.configuration_set:
            self._set_default(identity, wanted.configuration_set)
        self._clear(identity, _not_wanted(_still_set(previous, current), wanted))
        if wanted.reports_all:
            self._set_forwarding(identity, enabled=False)

    def delete(self, identity: str, ours: Feedback) -> None:
        """Turn forwarding on, then clear what is still as this resource set it."""
        current = self._current(identity, ours, ours)
        if current is None:
            return
        left = _still_set(ours, current)
        if left != Feedback():
            self._set_forwarding(identity, enabled=True)
            self._clear(identity, left)

    def _current(self, identity: str, *concerned: Feedback) -> Feedback | None:
        """Ask SES, for the default configuration set only where one is concerned."""
        answer = self._ses.get_identity_notification_attributes(Identities=[identity])
        attributes: Mapping[str, Any] | None = answer["NotificationAttributes"].get(identity)
        if attributes is None:
            return None
        default = (
            self._sesv2.get_email_identity(EmailIdentity=identity).get("ConfigurationSetName")
            if any(feedback.configuration_set for feedback in concerned)
            else None
        )
        return Feedback(
            topics={
                kind: attributes[f"{kind}Topic"] for kind in KINDS if attributes.get(f"{kind}Topic")
            },
            configuration_set=default or None,
        )

    def _refuse_foreign(
        self, identity: str, foreign: Mapping[str, str], *, take_over: bool
    ) -> None:
        if not foreign:
            return
        if not take_over:
            found = ", ".join(f"{what} -> {name}" for what, name in foreign.items())
            raise RefusedError(
                f"the identity {identity} publishes already: {found}. "
                "Set take_over: true for it in cdk.json if that may be replaced"
            )
        # Whoever wants them back finds them here.
        logger.warning("settings of somebody else are taken over", extra={"settings": foreign})

    def _clear(self, identity: str, feedback: Feedback) -> None:
        for kind in feedback.topics:
            self._set_topic(identity, kind, None)
        if feedback.configuration_set:
            self._set_default(identity, None)

    def _set_topic(self, identity: str, kind: Kind, topic_arn: str | None) -> None:
        arguments = {"SnsTopic": topic_arn} if topic_arn else {}
        self._pace()
        self._ses.set_identity_notification_topic(
            Identity=identity, NotificationType=kind, **arguments
        )

    def _set_default(self, identity: str, configuration_set: str | None) -> None:
        arguments = {"ConfigurationSetName": configuration_set} if configuration_set else {}
        self._pace()
        self._sesv2.put_email_identity_configuration_set_attributes(
            EmailIdentity=identity, **arguments
        )

    def _set_forwarding(self, identity: str, *, enabled: bool) -> None:
        # Not by the first version, which turns it off only where topics are set.
        self._pace()
        self._sesv2.put_email_identity_feedback_attributes(
            EmailIdentity=identity, EmailForwardingEnabled=enabled
        )

    def _pace(self) -> None:
        if self._has_called:
            self._sleep(SECONDS_BETWEEN_CALLS)
        self._has_called = True


def _still_set(ours: Feedback, current: Feedback) -> Feedback:
    """Give the part of what this resource set that nobody has changed since."""
    return Feedback(
        topics={
            kind: topic for kind, topic in ours.topics.items() if current.topics.get(kind) == topic
        },
        configuration_set=(
            ours.configuration_set if ours.configuration_set == current.configuration_set else None
        ),
    )


def _not_wanted(feedback: Feedback, wanted: Feedback) -> Feedback:
    return Feedback(
        topics={
            kind: topic for kind, topic in feedback.topics.items() if kind not in wanted.topics
        },
        configuration_set=None if wanted.configuration_set else feedback.configuration_set,
    )


def _foreign(current: Feedback, wanted: Feedback, previous: Feedback) -> dict[str, str]:
    """Give what is set where something is wanted, and was not set by this resource."""
    ours = {*wanted.topics.values(), *previous.topics.values()}
    found: dict[str, str] = {
        kind: topic
        for kind, topic in current.topics.items()
        if kind in wanted.topics and topic not in ours
    }
    if (
        wanted.configuration_set
        and current.configuration_set
        and current.configuration_set not in {wanted.configuration_set, previous.configuration_set}
    ):
        found["default configuration set"] = current.configuration_set
    return found


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
        identity, feedback = properties["Identity"], Feedback.of(properties)
        if event["RequestType"] == "Delete":
            notifications.delete(identity, feedback)
        else:
            old = event.get("OldResourceProperties", {})
            notifications.put(
                identity,
                feedback,
                previous=Feedback.of(old) if old.get("Identity") == identity else Feedback(),
                take_over=properties.get("TakeOver") == "true",
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
    ses, sesv2 = (
        boto3.client("ses", config=patience),
        boto3.client("sesv2", config=patience),
    )
    handle(event, IdentityNotifications(ses, sesv2))
