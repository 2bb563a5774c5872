"""The policy as plain data: what follows from each rule, and the thresholds one may set.

`decision.py` applies it; `docs/policy.md` is generated from it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from ses_suppression.core.address import normalise
from ses_suppression.core.evidence import EVERY_STREAM, TENANT_PREFIX, is_stream
from ses_suppression.core.notification import LONGEST_STREAM
from ses_suppression.core.rules import Rule
from ses_suppression.deployment import Variable
from ses_suppression.errors import InvalidAddressError, InvalidPolicyError

LONGEST_DAYS = 3650
"""No number of days in a policy may be greater: a suppression that long has no end in practice."""


class Reason(StrEnum):
    """Why mail is held back. The first two are the reasons of SES's account-level list too."""

    BOUNCE = "BOUNCE"
    COMPLAINT = "COMPLAINT"
    MANUAL = "MANUAL"


class Origin(StrEnum):
    """Who says so: the feedback for a mail, a list that SES keeps, or an operator."""

    FEEDBACK = "feedback"
    SES = "ses"
    OPERATOR = "operator"


class Scope(StrEnum):
    """Which mail a suppression holds back."""

    EVERY_STREAM = "every stream"
    STREAM_OR_EVERY = "the mail's stream; every stream when it has none"
    TENANT_ONLY = "the tenant's mail; recorded when the tenant is not named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress:
    """Mail is held back.

    Attributes:
        reason: None: the one that the evidence (an import) names.
        days: the policy's key that says for how long; None: until the time that the evidence names,
            else without end.
        doubling: each one after the first lasts twice as long as the one before.
    """

    reason: Reason | None
    origin: Origin = Origin.FEEDBACK
    scope: Scope = Scope.EVERY_STREAM
    days: str | None = None
    doubling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Counted once a UTC day; a streak of them holds mail back."""

    hold: Suppress


@dataclass(frozen=True, slots=True)
class VoidTransientBounces:
    """The mailbox takes mail: transient bounces before it do not count, nor a hold from them."""


@dataclass(frozen=True, slots=True)
class VoidComplaint:
    """If it is certain, lifts an uncertain complaint before it about the same mail and stream."""


@dataclass(frozen=True, slots=True)
class VoidUnsubscription:
    """The recipient wants the mail again: lifts unsubscriptions before it on the same stream."""


@dataclass(frozen=True, slots=True)
class Void:
    """An operator's word: voids other evidence."""


@dataclass(frozen=True, slots=True)
class NoEffect:
    """Kept, for the record; it holds nothing back."""


Consequence = (
    Suppress | Count | VoidTransientBounces | VoidComplaint | VoidUnsubscription | Void | NoEffect
)

CONSEQUENCES: Mapping[Rule, Consequence] = {
    Rule.HARD_BOUNCE: Suppress(reason=Reason.BOUNCE),
    Rule.BLOCK: Suppress(reason=Reason.BOUNCE, days="block_hold_days", doubling=True),
    Rule.ROUTING_FAILURE: Suppress(reason=Reason.BOUNCE, days="block_hold_days", doubling=True),
    Rule.TRANSIENT_BOUNCE: Count(
        hold=Suppress(reason=Reason.BOUNCE, days="transient_hold_days", doubling=True)
    ),
    Rule.MESSAGE_FAULT: NoEffect(),
    Rule.SENDER_FAULT: NoEffect(),
    Rule.AUTOMATIC_REPLY: NoEffect(),
    Rule.ACCOUNT_LEVEL_BOUNCE: Suppress(reason=Reason.BOUNCE, origin=Origin.SES),
    Rule.ACCOUNT_LEVEL_COMPLAINT: Suppress(reason=Reason.COMPLAINT, origin=Origin.SES),
    Rule.TENANT_LIST_BOUNCE: Suppress(
        reason=Reason.BOUNCE, origin=Origin.SES, scope=Scope.TENANT_ONLY, days="ses_list_days"
    ),
    Rule.TENANT_LIST_COMPLAINT: Suppress(
        reason=Reason.COMPLAINT, origin=Origin.SES, scope=Scope.TENANT_ONLY, days="ses_list_days"
    ),
    Rule.SES_LIST: Suppress(reason=Reason.BOUNCE, origin=Origin.SES, days="ses_list_days"),
    Rule.UNSUBSCRIBED: Suppress(
        reason=Reason.MANUAL, origin=Origin.SES, scope=Scope.STREAM_OR_EVERY
    ),
    Rule.SUBSCRIBED: VoidUnsubscription(),
    Rule.COMPLAINT: Suppress(reason=Reason.COMPLAINT, scope=Scope.STREAM_OR_EVERY),
    Rule.AUTHENTICATION_FAILURE: NoEffect(),
    Rule.NOT_SPAM: VoidComplaint(),
    Rule.DELIVERY: VoidTransientBounces(),
    Rule.SUPPRESS: Suppress(
        reason=Reason.MANUAL, origin=Origin.OPERATOR, scope=Scope.STREAM_OR_EVERY
    ),
    Rule.IMPORT: Suppress(reason=None, origin=Origin.OPERATOR, scope=Scope.STREAM_OR_EVERY),
    Rule.REACTIVATE: Void(),
    Rule.VOID: Void(),
}


DAYS_KEPT: Mapping[Rule, int] = {
    Rule.TRANSIENT_BOUNCE: 40,
    # By the thirteenth the shortest hold has been doubled beyond the longest that a policy allows.
    Rule.BLOCK: 13,
    Rule.ROUTING_FAILURE: 13,
}
"""These rules count once a UTC day; so many of the newest such days count, and are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The thresholds of the verdict. An environment sets its own in `cdk.json`, under `policy`.

    Attributes:
        transient_bounces: this number of transient bounces in a row, each on another UTC day and
            no mail delivered in between, makes a hold.
        transient_window_days: they have to fall within this number of days; None: they need not.
            Where deliveries are not reported, no streak would ever end without it.
        transient_hold_days: the first such hold lasts so long, each one after it twice as long.
        block_hold_days: the first block (policy, reputation, content) holds mail back for so long,
            each one after it twice as long.
        longest_hold_days: no doubling goes beyond this.
        ses_list_days: how long SES's own lists are believed.
        simulator_days: a suppression of a mailbox simulator's address ends after so many days.
        kept_days: evidence that holds nothing back is forgotten so many days after the newest of
            it.
        never_suppress: addresses and domains that are only recorded.
        complaints_do_not_block: streams that a complaint does not hold back, such as security mail.
        stream_tag: the message tag whose value is a mail's stream; None: there are no streams.
    """

    transient_bounces: int = 5
    transient_window_days: int | None = None
    transient_hold_days: int = 14
    block_hold_days: int = 7
    longest_hold_days: int = 112
    ses_list_days: int = 14
    simulator_days: int = 1
    kept_days: int = 400
    never_suppress: frozenset[str] = frozenset()
    complaints_do_not_block: frozenset[str] = frozenset()
    stream_tag: str | None = None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "Policy":
        """Build a policy from plain data, as it stands in a configuration file.

        Raises:
            InvalidPolicyError: a key is unknown, or a value is not what it should be; the message
                names the key.

        >>> Policy.from_mapping({"transient_bounces": 3}).transient_bounces
        3
        """
        known = [item.name for item in fields(cls)]
        for key in values:
            if key not in known:
                raise InvalidPolicyError(
                    f"{key} is not a key of the policy; there are {', '.join(known)}"
                )
        validated: dict[str, Any] = {key: _validate(key, value) for key, value in values.items()}
        policy = cls(**validated)
        kept = DAYS_KEPT[Rule.TRANSIENT_BOUNCE]
        if policy.transient_bounces > min(policy.transient_window_days or kept, kept):
            raise InvalidPolicyError(
                "transient_bounces: that many, one a day, do not fall within transient_window_days "
                f"and the {kept} days that are kept"
            )
        if policy.kept_days < (policy.transient_window_days or 0):
            raise InvalidPolicyError(
                "kept_days: evidence has to be kept for transient_window_days at least"
            )
        return policy

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Policy":
        """Build the policy that `SUPPRESSION_POLICY` holds as JSON; without it, the default one.

        Raises:
            InvalidPolicyError: it is not JSON, or no policy.
        """
        return cls.from_json(environ.get(Variable.POLICY, "{}"), source=Variable.POLICY)

    @classmethod
    def from_json(cls, text: str, *, source: str) -> "Policy":
        """Build the policy that a text holds as JSON.

        Args:
            text: a JSON object.
            source: where the text comes from, for the error.

        Raises:
            InvalidPolicyError: it is not JSON, or no policy.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise InvalidPolicyError(f"{source} is not JSON: {error}") from None
        return cls.from_mapping(values)


def _validate(key: str, value: object) -> object:
    match key:
        case "never_suppress":
            return frozenset(_address_or_domain(key, entry) for entry in _texts(key, value))
        case "complaints_do_not_block":
            return frozenset(_streams(key, value))
        case "stream_tag":
            if value is None or (isinstance(value, str) and value):
                return value
            raise InvalidPolicyError(f"{key}: the name of a message tag is needed, not {value!r}")
        case "transient_window_days" if value is None:
            return value
        case _:
            if type(value) is int and 1 <= value <= LONGEST_DAYS:
                return value
            raise InvalidPolicyError(
                f"{key}: a whole number from 1 to {LONGEST_DAYS} is needed, not {value!r}"
            )


def _texts(key: str, value: object) -> list[str]:
    if isinstance(value, list | tuple | set | frozenset) and all(
        isinstance(entry, str) and entry and entry != EVERY_STREAM for entry in value
    ):
        return list(value)
    raise InvalidPolicyError(f"{key}: a list of texts is needed, none of them empty or *")


def _streams(key: str, value: object) -> list[str]:
    names = _texts(key, value)
    for name in names:
        if not is_stream(name):
            raise InvalidPolicyError(
                f"{key}: {name[:40]!r} is no stream: {TENANT_PREFIX} is reserved, and a name has "
                f"at most {LONGEST_STREAM} characters; choose another name"
            )
    return names


def _address_or_domain(key: str, text: str) -> str:
    try:
        return normalise(text) if "@" in text else normalise(f"x@{text}").removeprefix("x@")
    except InvalidAddressError as error:
        raise InvalidPolicyError(
            f"{key}: an entry is neither an address nor a domain: {error}"
        ) from None
