"""The configuration of an environment: read from `cdk.json` once, validated, then passed on."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

import botocore.session

from ses_suppression.address import normalise
from ses_suppression.errors import InvalidAddressError, InvalidPolicyError, SESSuppressionError
from ses_suppression.policy import Policy

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_ENVIRONMENT = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_TABLE_ARN = re.compile(
    r"arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}"
)
_KEY_ARN = re.compile(
    r"arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/(?:mrk-[0-9a-f]{32}|[0-9a-f-]{36})"
)
_HOSTED_ZONE_ID = re.compile(r"Z[A-Z0-9]{1,31}")
_LONGEST_POLICY = 3000  # characters as JSON: Lambda gives all variables of a function 4 KB
_OFTEN, _SELDOM = 5, 24 * 60
_SHORTEST_TIMEOUT, _LONGEST_TIMEOUT = 10, 120


class ConfigError(SESSuppressionError):
    """The configuration is wrong; the message names the key, the value and what is allowed."""


class Feed(StrEnum):
    """How SES tells of bounces, complaints and deliveries."""

    IDENTITY = "identity"
    """The identities' notification topics: whatever mail they send."""

    CONFIGURATION_SET = "configuration-set"
    """Event destinations of a configuration set: the mail that is sent with it, and its tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An identity of SES whose feedback is ours.

    Attributes:
        name: a domain, or an address by itself.
        take_over: replace topics, or a default configuration set, that somebody else set.
        create: make it, rather than take one that SES knows already.
        hosted_zone_id: where the DKIM records of a domain that is made are written.
    """

    name: str
    take_over: bool = False
    create: bool = False
    hosted_zone_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One environment of `cdk.json`.

    Attributes:
        environment: its name; part of every name in the stack.
        region: where SES sends from: topics and identities share a region.
        feed: `identity`: SES publishes to the identities' topics, whatever mail they send;
            `configuration-set`: it publishes what becomes of the mail that is sent with the
            configuration set `ses-suppression-<env>`, which becomes the default of the identities;
            such feedback carries the mail's tags.
        identities: domains and addresses, as SES spells them, whose feedback comes here; an entry
            is `"example.com"`, or an object with its `name` and, if need be, `take_over`: true
            where topics or a default configuration set of somebody else may be replaced;
            `create`: true where SES does not know it yet (the DKIM records of a domain are outputs
            then); `hosted_zone_id`, the zone of Route 53 in which those records are written.
        deliveries: subscribe to deliveries too; they end a row of transient bounces.
        sending_account_ids: accounts, beside the stack's own, whose feedback is taken.
        function_timeout_seconds: the time that a function has for a batch; a message is seen again
            after six times as long.
        canary_minutes: so often the canary mails SES's mailbox simulator; null: never.
        alarm_emails: who is called by the alarms; each has to confirm a mail from SNS.
        suppressions_an_hour: more than so many suppressions in an hour are a spike.
        table: the ARN of a table that exists, such as that of another region's stack; without it
            the stack makes its own.
        table_key: the ARN of the customer-managed key of that table, if it has one.
        key: the ARN of a customer-managed key that exists, for topics, queues and the stack's own
            table; without it the stack makes its own. Its policy has to say what
            [deployment](deployment.md) shows.
        tags: of all resources.
        policy: thresholds of the verdict; see [the policy](policy.md).
        synthesizer: `cli` deploys with the CLI's own credentials; for emulators.
    """

    environment: str
    region: str
    feed: Feed = Feed.IDENTITY
    identities: tuple[Identity, ...] = ()
    deliveries: bool = True
    sending_account_ids: tuple[str, ...] = ()
    function_timeout_seconds: int = 30
    canary_minutes: int | None = 60
    alarm_emails: tuple[str, ...] = ()
    suppressions_an_hour: int = 500
    table: str | None = None
    table_key: str | None = None
    key: str | None = None
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
    read = {key: _READERS[key](value, f"{path}.{key}") for key, value in values.items()}
    _check_feed(read, path)
    _check_keys(read, path)
    return read


def _check_feed(values: Mapping[str, Any], path: str) -> None:
    has_streams = values.get("policy", {}).get("stream_tag") is not None
    if has_streams and values.get("feed") != Feed.CONFIGURATION_SET:
        raise ConfigError(
            f"{path}.policy.stream_tag: identity notifications carry no tags; "
            f'streams need "feed": "{Feed.CONFIGURATION_SET}"'
        )


def _check_keys(values: Mapping[str, Any], path: str) -> None:
    table, table_key, key = (values.get(name) for name in ("table", "table_key", "key"))
    if table_key and not table:
        raise ConfigError(f"{path}.table_key: it is the key of a table; name that under table")
    if table and table_key and _region_of(table) != _region_of(table_key):
        raise ConfigError(
            f"{path}.table_key: a key in {_region_of(table)} is needed, where the table is, "
            f"not {table_key!r}"
        )
    if key and _region_of(key) != values["region"]:
        raise ConfigError(f"{path}.key: a key in {values['region']} is needed, not {key!r}")


def _region_of(arn: str) -> str:
    return arn.split(":")[3]


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
    entry = {"name": value} if isinstance(value, str) else value
    if not isinstance(entry, Mapping) or not _is_identity(entry.get("name")):
        raise ConfigError(
            f"{path}: a domain or an address is needed, as SES spells it, "
            f'or {{"name": …, "take_over": true}}, not {value!r}'
        )
    for key in entry:
        if key not in _IDENTITY_READERS:
            raise ConfigError(f"{path}.{key}: not a key; there are {', '.join(_IDENTITY_READERS)}")
    read = {key: _IDENTITY_READERS[key](one, f"{path}.{key}") for key, one in entry.items()}
    identity = Identity(**read)
    if identity.hosted_zone_id and (not identity.create or "@" in identity.name):
        raise ConfigError(
            f"{path}.hosted_zone_id: DKIM records are written for a domain with create: true only"
        )
    return identity


def _is_identity(name: object) -> bool:
    if not isinstance(name, str) or "." not in name:
        return False
    try:
        return normalise(name if "@" in name else f"x@{name}").endswith(name.lower())
    except InvalidAddressError:
        return False


def _text(value: str, _path: str) -> str:
    return value


def _hosted_zone_id(value: object, path: str) -> str:
    if isinstance(value, str) and _HOSTED_ZONE_ID.fullmatch(value):
        return value
    raise ConfigError(
        f"{path}: the id of a hosted zone is needed, such as Z0123456789ABC, not {value!r}"
    )


def _feed(value: object, path: str) -> Feed:
    try:
        return Feed(value)  # type: ignore[arg-type]  # what is no text is no feed either
    except ValueError:
        raise ConfigError(f"{path}: {' or '.join(Feed)} is needed, not {value!r}") from None


def _arn(form: re.Pattern[str], example: str, value: object, path: str) -> str:
    if isinstance(value, str) and form.fullmatch(value):
        return value
    raise ConfigError(f"{path}: an ARN is needed, such as {example}, not {value!r}")


def _table(value: object, path: str) -> str:
    return _arn(_TABLE_ARN, "arn:aws:dynamodb:eu-west-1:111122223333:table/name", value, path)


def _key(value: object, path: str) -> str:
    return _arn(
        _KEY_ARN,
        "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012",
        value,
        path,
    )


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
        Policy.from_mapping(value)
    except InvalidPolicyError as error:
        raise ConfigError(f"{path}.{error}") from None
    if len(json.dumps(value)) > _LONGEST_POLICY:
        raise ConfigError(f"{path}: as JSON it has more than {_LONGEST_POLICY} characters")
    return value


_IDENTITY_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "name": _text,
    "take_over": _boolean,
    "create": _boolean,
    "hosted_zone_id": _hosted_zone_id,
}
_READERS = {
    "region": _region,
    "feed": _feed,
    "identities": _identities,
    "deliveries": _boolean,
    "sending_account_ids": _account_ids,
    "function_timeout_seconds": _timeout,
    "canary_minutes": _canary_minutes,
    "alarm_emails": _emails,
    "suppressions_an_hour": _count,
    "table": _table,
    "table_key": _key,
    "key": _key,
    "tags": _tags,
    "policy": _policy,
}
