"""Where the feedback about an identity's mail goes: topics, or a default configuration set.

It is careful with what is not its own. It refuses to take over what somebody else set, unless it is
told to, and gives back at the end what it took over; it sets what is new before it clears what was
before; it turns SES's e-mail forwarding off last, and on again first; it clears only what it set
itself.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from ses_suppression.errors import SESSuppressionError

if TYPE_CHECKING:
    from types_boto3_ses import SESClient
    from types_boto3_sesv2 import SESV2Client

Kind = Literal["Bounce", "Complaint", "Delivery"]
KINDS: tuple[Kind, ...] = ("Bounce", "Complaint", "Delivery")

SECONDS_BETWEEN_CALLS = 1.0
"""SES takes one such call a second ("Quotas in Amazon SES", developer guide)."""

SECONDS_TO_APPEAR = 45.0
"""An identity that was just made is looked for so long."""

_SECONDS_BETWEEN_LOOKS = 5.0
_PAUSES_AFTER_THROTTLING = (1.0, 2.0, 4.0, 8.0)
_REFUSALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "BadRequestException",
        "ConfigurationSetDoesNotExist",
        "InvalidParameterValue",
        "NotFoundException",
    }
)
"""With these SES says that a topic or a configuration set is gone, or is not to be used."""

DEFAULT_SET = "default configuration set"

logger = logging.getLogger(__name__)


class RefusedError(SESSuppressionError):
    """The settings cannot be made; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where the feedback about an identity's mail goes.

    Attributes:
        topics: the topic of each kind; a kind without one is not published.
        configuration_set: the default configuration set, which publishes by itself.
    """

    topics: Mapping[Kind, str] = field(default_factory=dict)
    configuration_set: str | None = None

    @property
    def reports_all(self) -> bool:
        """Whether SES need not mail bounces and complaints any more.

        Of mail that no set reports, it mails them nevertheless: it does so wherever nothing else
        is set up ("FeedbackAttributes", SES API reference).
        """
        return self.configuration_set is not None or {"Bounce", "Complaint"} <= self.topics.keys()

    def __sub__(self, other: "Destination") -> "Destination":
        """Give what is not in the other as it is here."""
        return Destination(
            topics={
                kind: topic
                for kind, topic in self.topics.items()
                if other.topics.get(kind) != topic
            },
            configuration_set=(
                self.configuration_set
                if self.configuration_set != other.configuration_set
                else None
            ),
        )

    def __and__(self, other: "Destination") -> "Destination":
        """Give what is in the other as it is here."""
        return self - (self - other)


NOWHERE = Destination()


@dataclass(frozen=True, slots=True)
class _Settings:
    """How an identity is set: where its feedback goes, and whether SES mails it as well."""

    destination: Destination
    forwarding: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed at an identity.

    Attributes:
        identity: a domain or an address.
        set: what is not set yet.
        clear: what was ours, and is not wanted any more.
        reports_all: whether SES need not mail feedback any more.
        replaced: what was somebody else's.
        forwarding_was_off: somebody else had turned it off, and nothing of ours is set yet.
    """

    identity: str
    set: Destination = NOWHERE
    clear: Destination = NOWHERE
    reports_all: bool = False
    replaced: Destination = NOWHERE
    forwarding_was_off: bool = False


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

    def put(
        self,
        identity: str,
        wanted: Destination,
        *,
        previous: Destination = NOWHERE,
        take_over: bool = False,
        rolling_back: bool = False,
    ) -> Destination:
        """Let the feedback go where it is wanted, and turn forwarding off when none is missed then.

        Args:
            identity: a domain or an address that SES knows in this region.
            wanted: where the feedback shall go.
            previous: where we let it go before.
            take_over: replace what somebody else set.
            rolling_back: leave alone what cannot be brought back, rather than refuse: a roll back
                that fails leaves a stack that nothing can be done with.

        Returns:
            What was somebody else's, and is replaced.

        Raises:
            RefusedError: SES does not know the identity, or somebody else's settings are there.
        """
        change = self.plan(
            identity, wanted, previous=previous, take_over=take_over, rolling_back=rolling_back
        )
        self.carry_out(change)
        return change.replaced

    def plan(
        self,
        identity: str,
        wanted: Destination,
        *,
        previous: Destination = NOWHERE,
        take_over: bool = False,
        rolling_back: bool = False,
    ) -> "Change":
        """Say what `put` with these arguments would change, and what it would replace.

        Raises:
            RefusedError: as `put`.
        """
        settings = self._current(identity) if rolling_back else self._await(identity)
        if settings is None:
            if rolling_back:
                logger.warning("the identity is gone: there is nothing to bring back")
                return Change(identity)
            raise RefusedError(
                f"SES does not know the identity {identity} in this region: verify it first, "
                "or set create: true for it in cdk.json"
            )
        current = settings.destination
        foreign = _foreign(current, wanted, previous)
        if foreign != NOWHERE and rolling_back:
            logger.warning("somebody else has set the identity's feedback: it is left alone")
            wanted = _without(wanted, foreign)
        elif foreign != NOWHERE and not take_over:
            raise RefusedError(
                f"the identity {identity} publishes already: {_named(foreign)}. "
                "Set take_over: true for it in cdk.json if that may be replaced"
            )
        return Change(
            identity,
            set=wanted - current,
            clear=_without(previous & current, wanted),
            reports_all=wanted.reports_all,
            replaced=foreign if take_over else NOWHERE,
            forwarding_was_off=(
                not settings.forwarding
                and current.reports_all
                and wanted & current == previous & current == NOWHERE
            ),
        )

    def carry_out(self, change: "Change") -> None:
        """Make a change: what is new first, and never without a way for SES to tell of bounces."""
        self._set(change.identity, change.set)
        if change.clear.topics.keys() & {"Bounce", "Complaint"}:
            # SES may refuse to clear a topic while it does not forward either.
            self._set_forwarding(change.identity, enabled=True)
        self._clear(change.identity, change.clear)
        if change.reports_all:
            self._set_forwarding(change.identity, enabled=False)

    def delete(
        self,
        identity: str,
        ours: Destination,
        *,
        replaced: Destination = NOWHERE,
        forwarding_was_off: bool = False,
    ) -> None:
        """Turn forwarding on, clear what is still as we set it, and give back what we replaced.

        Args:
            identity: a domain or an address.
            ours: where we let its feedback go.
            replaced: what was somebody else's before.
            forwarding_was_off: whether another owner had turned it off. It stays on if nothing
                else reports.
        """
        settings = self._current(identity)
        if settings is None:
            return
        current = settings.destination
        left = ours & current
        others = current - left
        reported_by_others = {"Bounce", "Complaint"} <= others.topics.keys()
        if (left != NOWHERE or current == NOWHERE) and not reported_by_others:
            self._set_forwarding(identity, enabled=True)
        given_back = self._give_back(identity, replaced, left)
        self._clear(identity, _without(left, given_back))
        if forwarding_was_off and left != NOWHERE and _joined([others, given_back]).reports_all:
            self._set_forwarding(identity, enabled=False)

    def _await(self, identity: str) -> _Settings | None:
        """Look again for a while: SES does not list an identity at once that was just made."""
        waited = 0.0
        while (current := self._current(identity)) is None and waited < SECONDS_TO_APPEAR:
            self._sleep(_SECONDS_BETWEEN_LOOKS)
            waited += _SECONDS_BETWEEN_LOOKS
        return current

    def _current(self, identity: str) -> _Settings | None:
        answer = self._ses.get_identity_notification_attributes(Identities=[identity])
        attributes: Mapping[str, Any] | None = answer["NotificationAttributes"].get(identity)
        if attributes is None:
            return None
        try:
            found = self._sesv2.get_email_identity(EmailIdentity=identity)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise
            return None
        destination = Destination(
            topics={
                kind: attributes[f"{kind}Topic"] for kind in KINDS if attributes.get(f"{kind}Topic")
            },
            configuration_set=found.get("ConfigurationSetName") or None,
        )
        return _Settings(destination, attributes["ForwardingEnabled"])

    def _give_back(self, identity: str, replaced: Destination, left: Destination) -> Destination:
        """Set again what was replaced and nobody has changed since; what is gone is cleared."""
        wanted = [
            Destination(topics={kind: topic})
            for kind, topic in replaced.topics.items()
            if kind in left.topics
        ]
        if replaced.configuration_set and left.configuration_set:
            wanted.append(Destination(configuration_set=replaced.configuration_set))
        return _joined([one for one in wanted if self._could_set(identity, one)])

    def _could_set(self, identity: str, destination: Destination) -> bool:
        """Set something; False: SES refuses it for good, so that it is gone."""
        pauses = iter(_PAUSES_AFTER_THROTTLING)
        while True:
            try:
                self._set(identity, destination)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _REFUSALS:
                    logger.warning(
                        "what was taken over cannot be given back", extra={"error": code}
                    )
                    return False
                pause = next(pauses, None)
                if pause is None:
                    raise  # the deletion fails, and can be started again
                self._sleep(pause)
            else:
                return True

    def _set(self, identity: str, destination: Destination) -> None:
        for kind, topic in destination.topics.items():
            self._set_topic(identity, kind, topic)
        if destination.configuration_set:
            self._set_default(identity, destination.configuration_set)

    def _clear(self, identity: str, destination: Destination) -> None:
        for kind in destination.topics:
            self._set_topic(identity, kind, None)
        if destination.configuration_set:
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


def _joined(parts: Iterable[Destination]) -> Destination:
    topics: dict[Kind, str] = {}
    configuration_set: str | None = None
    for part in parts:
        topics |= part.topics
        configuration_set = part.configuration_set or configuration_set
    return Destination(topics=topics, configuration_set=configuration_set)


def _without(destination: Destination, other: Destination) -> Destination:
    """Give what the other says nothing about, whatever it says there."""
    return Destination(
        topics={
            kind: topic for kind, topic in destination.topics.items() if kind not in other.topics
        },
        configuration_set=None if other.configuration_set else destination.configuration_set,
    )


def _foreign(current: Destination, wanted: Destination, previous: Destination) -> Destination:
    """Give what is set where something is wanted, and was not set by us."""
    ours = {*wanted.topics.values(), *previous.topics.values()}
    sets = {None, wanted.configuration_set, previous.configuration_set}
    return Destination(
        topics={
            kind: topic
            for kind, topic in current.topics.items()
            if kind in wanted.topics and topic not in ours
        },
        configuration_set=(
            current.configuration_set
            if wanted.configuration_set and current.configuration_set not in sets
            else None
        ),
    )


def _named(destination: Destination) -> str:
    found = [f"{kind} -> {topic}" for kind, topic in destination.topics.items()]
    if destination.configuration_set:
        found.append(f"{DEFAULT_SET} -> {destination.configuration_set}")
    return ", ".join(found)
