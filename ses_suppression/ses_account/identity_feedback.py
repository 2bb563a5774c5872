"""Where the feedback about an identity's mail goes: topics, or a default configuration set.

It is careful with what is not its own. It refuses to take over what somebody else set, unless it is
told to, and gives back at the end what it took over; it sets what is new before it clears what was
before; it turns SES's e-mail forwarding off last, and on again first; it clears only what it set
itself.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ses_suppression.deployment import NotificationType
from ses_suppression.errors import SESSuppressionError
from ses_suppression.ses_account.destination import (
    DEFAULT_SET,
    FAILURES,
    Destination,
    find_foreign,
    keep_equal,
    leave_out,
    read_topics,
    reports_all,
)

if TYPE_CHECKING:
    from types_boto3_ses import SESClient
    from types_boto3_sesv2 import SESV2Client

SECONDS_BETWEEN_CALLS = 1.0
"""SES takes one such call a second ("Quotas in Amazon SES", developer guide)."""

SECONDS_TO_APPEAR = 45.0
"""How long a new identity is looked for."""

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
"""SES's answers when a topic or a configuration set is gone, or may not be used."""

logger = logging.getLogger(__name__)


class RefusedError(SESSuppressionError):
    """The settings cannot be made; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class _Current:
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
    set: Destination = field(default_factory=dict)
    clear: Destination = field(default_factory=dict)
    reports_all: bool = False
    replaced: Destination = field(default_factory=dict)
    forwarding_was_off: bool = False


class IdentityNotifications:
    """The settings of identities.

    Args:
        ses: a boto3 SES client.
        sesv2: a boto3 SES client of the second version.
        sleep: waits for so many seconds, between two calls.
    """

    def __init__(
        self, ses: "SESClient", sesv2: "SESV2Client", *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._ses = ses
        self._sesv2 = sesv2
        self._sleep = sleep
        self._has_called = False

    def plan(
        self,
        identity: str,
        wanted: Destination,
        *,
        previous: Destination | None = None,
        take_over: bool = False,
        rolling_back: bool = False,
    ) -> Change:
        """Compare how an identity is set with what is wanted; nothing is changed yet.

        Args:
            identity: a domain or an address that SES knows in this region.
            wanted: where the feedback shall go.
            previous: where we let it go before.
            take_over: replace what somebody else set.
            rolling_back: leave alone what cannot be brought back, rather than refuse: a roll back
                that fails leaves a stack that nothing can be done with.

        Raises:
            RefusedError: SES does not know the identity, or somebody else's settings are there.
        """
        found = self._read(identity) if rolling_back else self._wait_for(identity)
        if found is None:
            if rolling_back:
                logger.warning("the identity is gone: there is nothing to bring back")
                return Change(identity)
            raise RefusedError(
                f"SES does not know the identity {identity} in this region: verify it first, "
                "or set create: true for it in cdk.json"
            )
        current, previous = found.destination, previous or {}
        foreign = find_foreign(current, wanted, previous)
        if foreign and rolling_back:
            logger.warning("somebody else has set the identity's feedback: it is left alone")
            wanted = leave_out(wanted, foreign)
        elif foreign and not take_over:
            names = ", ".join(f"{setting} -> {value}" for setting, value in foreign.items())
            raise RefusedError(
                f"the identity {identity} publishes already: {names}. "
                "Set take_over: true for it in cdk.json if that may be replaced"
            )
        done, left = keep_equal(wanted, current), keep_equal(previous, current)
        off = not found.forwarding and reports_all(current) and not done and not left
        return Change(
            identity,
            set=leave_out(wanted, done),
            clear=leave_out(left, wanted),
            reports_all=reports_all(wanted),
            replaced=foreign if take_over else {},
            forwarding_was_off=off,
        )

    def carry_out(self, change: Change) -> None:
        """Make a change: set what is new first, so that SES can always report a bounce."""
        self._put(change.identity, change.set)
        if change.clear.keys() & FAILURES:
            # SES may refuse to clear a topic while it does not forward either.
            self._set_forwarding(change.identity, enabled=True)
        self._put(change.identity, dict.fromkeys(change.clear))
        if change.reports_all:
            self._set_forwarding(change.identity, enabled=False)

    def delete(
        self,
        identity: str,
        ours: Destination,
        *,
        replaced: Destination | None = None,
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
        found = self._read(identity)
        if found is None:
            return
        left = keep_equal(ours, found.destination)
        others = leave_out(found.destination, left)
        if (left or not others) and not others.keys() >= FAILURES:
            self._set_forwarding(identity, enabled=True)
        given_back = {
            setting: value
            for setting, value in (replaced or {}).items()
            if setting in left and self._give_back(identity, setting, value)
        }
        self._put(identity, dict.fromkeys(leave_out(left, given_back)))
        if forwarding_was_off and left and reports_all({**others, **given_back}):
            self._set_forwarding(identity, enabled=False)

    def _wait_for(self, identity: str) -> _Current | None:
        """Read again for a while: SES does not list a new identity at once."""
        waited = 0.0
        while (current := self._read(identity)) is None and waited < SECONDS_TO_APPEAR:
            self._sleep(_SECONDS_BETWEEN_LOOKS)
            waited += _SECONDS_BETWEEN_LOOKS
        return current

    def _read(self, identity: str) -> _Current | None:
        answer = self._ses.get_identity_notification_attributes(Identities=[identity])
        attributes: Mapping[str, Any] | None = answer["NotificationAttributes"].get(identity)
        if attributes is None:
            return None
        try:
            found = self._sesv2.get_email_identity(EmailIdentity=identity)
        except self._sesv2.exceptions.NotFoundException:
            return None
        default = found.get("ConfigurationSetName")
        destination = read_topics(attributes) | ({DEFAULT_SET: default} if default else {})
        return _Current(destination, attributes["ForwardingEnabled"])

    def _give_back(self, identity: str, setting: str, value: str) -> bool:
        """Set again what was replaced; False: SES refuses it for good, so it is gone."""
        pauses = iter(_PAUSES_AFTER_THROTTLING)
        while True:
            try:
                self._put(identity, {setting: value})
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

    def _put(self, identity: str, settings: Mapping[str, str | None]) -> None:
        """Make settings; None clears one."""
        for setting, value in settings.items():
            self._pace()
            if setting == DEFAULT_SET:
                name = {"ConfigurationSetName": value} if value else {}
                self._sesv2.put_email_identity_configuration_set_attributes(
                    EmailIdentity=identity, **name
                )
            else:
                topic = {"SnsTopic": value} if value else {}
                self._ses.set_identity_notification_topic(
                    Identity=identity, NotificationType=NotificationType(setting).value, **topic
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
