"""The configuration of an environment: read from `cdk.json` once, validated, then passed on."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.session

from ses_suppression.address import normalise
from ses_suppression.errors import InvalidAddressError, InvalidPolicyError, SESSuppressionError
from ses_suppression.policy import Policy

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_ENVIRONMENT = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_LONGEST_POLICY = 3000  # characters as JSON: Lambda gives all variables of a function 4 KB
_OFTEN, _SELDOM = 5, 24 * 60
_SHORTEST_TIMEOUT, _LONGEST_TIMEOUT = 10, 120


class ConfigError(SESSuppressionError):
    """The configuration is wrong; the message names the key, the value and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A verified identity of SES whose notifications are ours.

    Attributes:
        name: a domain, or an address that was verified by itself.
        take_over: replace notification topics that somebody else set.
    """

    name: str
    take_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One environment of `cdk.json`.

    Attributes:
        environment: its name; part of every name in the stack.
        region: where SES sends from: topics and identities share a region.
        identities: verified domains and addresses, as SES spells them, whose notifications come
            here; an entry is `"example.com"`, or `{"name": "example.com", "take_over": true}` where
            the topics of somebody else may be replaced.
        deliveries: subscribe to deliveries too; they end a row of transient bounces.
        sending_account_ids: accounts, beside the stack's own, whose feedback is taken.
        function_timeout_seconds: the time that a function has for a batch; a message is seen again
            after six times as long.
        canary_minutes: so often the canary mails SES's mailbox simulator; null: never.
        alarm_emails: who is called by the alarms; each has to confirm a mail from SNS.
        suppressions_an_hour: more than so many suppressions in an hour are a spike.
        tags: of all resources.
        policy: thresholds of the verdict; see [the policy](policy.md).
        synthesizer: `cli` deploys with the CLI's own credentials; for emulators.
    """

    environment: str
    region: str
    identities: tuple[Identity, ...] = ()
    deliveries: bool = True
    sending_account_ids: tuple[str, ...] = ()
    function_timeout_seconds: int = 30
    canary_minutes: int | None = 60
    alarm_emails: tuple[str, ...] = ()
    suppressions_an_hour: int = 500
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    synthesizer: str | None = None

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "Config":
        """Read the environment that the context's `env` names.

        Raises:
            ConfigError: there is no such environment, or one of its keys or values is wrong.
        """
        environments = context.get("environments")
        if not isinstance(environments, Mapping) or not environments:
            raise ConfigError(
                "environments: an object with one entry for each environment is needed"
            )
        name = context.get("env")
        if not isinstance(name, str) or name not in environments:
            raise ConfigError(
                f"env={name}: there is no such environment; there are {', '.join(environments)}"
            )
        if not _ENVIRONMENT.fullmatch(name):
            raise ConfigError(
                f"environments.{name}: a name is up to 20 lower-case letters, digits and hyphens"
            )
        values = environments[name]
        path = f"environments.{name}"
        if not isinstance(values, Mapping):
            raise ConfigError(f"{path}: an object is needed, not {values!r}")
        synthesizer = context.get("synthesizer")
        if synthesizer not in {None, "cli"}:
            raise ConfigError(f"synthesizer={synthesizer}: only cli is known")
        return cls(environment=name, synthesizer=synthesizer, **_validated(values, path))


def _validated(values: Mapping[str, Any], path: str) -> dict[str, Any]:
    for key in values:
        if key not in _READERS:
            raise ConfigError(f"{path}.{key}: not a key; there are {', '.join(_READERS)}")
    if "region" not in values:
        raise ConfigError(
            f"{path}.region: missing; every environment names its region, such as eu-west-1"
        )
    return {key: _READERS[key](value, f"{path}.{key}") for key, value in values.items()}


def _region(value: object, path: str) -> str:
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise ConfigError(
            f"{path}: the name of a region is needed, such as eu-west-1, not {value!r}"
        )
    known = ses_regions()
    if value not in known:
        raise ConfigError(
            f"{path}: SES is not in {value}, as far as this botocore knows; it is in "
            f"{', '.join(known)}. If SES has come there since, upgrade boto3"
        )
    return value


@cache
def ses_regions() -> Sequence[str]:
    """Give the regions that SES is in, by botocore's own data: it asks nobody."""
    session = botocore.session.Session()
    return [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sesv2", partition)
    ]


def _tags(value: object, path: str) -> Mapping[str, str]:
    if isinstance(value, Mapping) and all(
        isinstance(part, str) and part for pair in value.items() for part in pair
    ):
        return dict(value)
    raise ConfigError(f"{path}: an object of texts is needed, not {value!r}")


def _identities(value: object, path: str) -> tuple[Identity, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{path}: a list of domains and addresses is needed, not {value!r}")
    identities = tuple(_identity(entry, f"{path}[{index}]") for index, entry in enumerate(value))
    names = [identity.name.lower() for identity in identities]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigError(f"{path}[{index}]: {name} stands there twice")
    return identities


def _identity(value: object, path: str) -> Identity:
    take_over = False
    match value:
        case str(name):
            pass
        case {"name": str(name), "take_over": bool(wanted), **rest} if not rest:
            take_over = wanted
        case _:
            name = ""
    if not _is_identity(name):
        raise ConfigError(
            f"{path}: a domain or an address is needed, as SES spells it, "
            f'or {{"name": …, "take_over": true}}, not {value!r}'
        )
    return Identity(name=name, take_over=take_over)


def _is_identity(name: str) -> bool:
    try:
        return (
            normalise(name if "@" in name else f"x@{name}").endswith(name.lower()) and "." in name
        )
    except InvalidAddressError:
        return False


def _boolean(value: object, path: str) -> bool:
    if isinstance(value, bool):
        return value
    raise ConfigError(f"{path}: true or false is needed, not {value!r}")


def _account_ids(value: object, path: str) -> tuple[str, ...]:
    if isinstance(value, list) and all(
        isinstance(entry, str) and _ACCOUNT_ID.fullmatch(entry) for entry in value
    ):
        return tuple(value)
    raise ConfigError(
        f"{path}: a list of account ids is needed, texts of twelve digits, not {value!r}"
    )


def _timeout(value: object, path: str) -> int:
    if type(value) is int and _SHORTEST_TIMEOUT <= value <= _LONGEST_TIMEOUT:
        return value
    raise ConfigError(
        f"{path}: seconds from {_SHORTEST_TIMEOUT} to {_LONGEST_TIMEOUT} are needed, not {value!r}"
    )


def _emails(value: object, path: str) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        for index, entry in enumerate(value):
            try:
                normalise(entry)
            except InvalidAddressError as error:
                raise ConfigError(f"{path}[{index}]: {entry!r}: {error}") from None
        return tuple(value)
    raise ConfigError(f"{path}: a list of e-mail addresses is needed, not {value!r}")


def _count(value: object, path: str) -> int:
    if type(value) is int and value >= 1:
        return value
    raise ConfigError(f"{path}: a whole number from 1 is needed, not {value!r}")


def _canary_minutes(value: object, path: str) -> int | None:
    if value is None or (type(value) is int and _OFTEN <= value <= _SELDOM):
        return value
    raise ConfigError(
        f"{path}: null, or minutes from {_OFTEN} to {_SELDOM} are needed, not {value!r}"
    )


def _policy(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path}: an object is needed, not {value!r}")
    try:
        policy = Policy.from_mapping(value)
    except InvalidPolicyError as error:
        raise ConfigError(f"{path}.{error}") from None
    if len(json.dumps(value)) > _LONGEST_POLICY:
        raise ConfigError(f"{path}: as JSON it has more than {_LONGEST_POLICY} characters")
    if policy.stream_tag is not None:
        raise ConfigError(
            f"{path}.stream_tag: identity notifications carry no tags; "
            "streams need the configuration-set feed"
        )
    return value


_READERS = {
    "region": _region,
    "identities": _identities,
    "deliveries": _boolean,
    "sending_account_ids": _account_ids,
    "function_timeout_seconds": _timeout,
    "canary_minutes": _canary_minutes,
    "alarm_emails": _emails,
    "suppressions_an_hour": _count,
    "tags": _tags,
    "policy": _policy,
}
