"""The values of `cdk.json`: each key's reader takes one, or says what is allowed."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import botocore.session

from ses_suppression.core.policy import Policy
from ses_suppression.deployment import NotificationType
from ses_suppression.errors import InvalidPolicyError, SESSuppressionError

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d")
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_TABLE_ARN = re.compile(
    r"arn:(aws[a-z-]*):dynamodb:([a-z0-9-]+):[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}"
)
_KEY_ARN = re.compile(
    r"arn:(aws[a-z-]*):kms:([a-z0-9-]+):[0-9]{12}:key/"
    r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
# What SES, a topic's policy and SNS take as it stands: no wildcard, no quotes, no escapes.
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_IDENTITY = re.compile(rf"(?:[A-Za-z0-9._%+=-]+@)?(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?")
_LONGEST_NAME = 253
_MOST_IDENTITIES = 50  # a template has 500 resources and 200 outputs, an identity up to 5 and 3
_MOST_ACCOUNTS = 50
_TAG_KEY, _TAG_VALUE = re.compile(r"[\w .:/=+@-]{1,128}"), re.compile(r"[\w .:/=+@-]{1,256}")
_MOST_TAGS = 40  # of 50: CloudFormation adds its own
_MOST_ENDPOINTS = 10  # of a kind
# No user and password: they would stand in the template. No fragment: it is never sent.
_ENDPOINT = re.compile(
    rf"https://(?P<host>(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?)(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    r"(?:[/?](?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
)
_LONGEST_LABEL, _LAST_PORT = 63, 65535
_LONGEST_ENDPOINT = 2048
_HOSTED_ZONE_ID = re.compile(r"Z[A-Z0-9]{1,31}")
_OFTEN, _SELDOM = 5, 24 * 60
# "PutRetentionPolicy" (CloudWatch Logs API reference)
_RETENTION_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
)  # fmt: skip
_SHORTEST_TIMEOUT, _LONGEST_TIMEOUT = 10, 120


KINDS = tuple(one.plural for one in NotificationType)
"""The kinds of feedback: each has a topic, a queue and a function of its own."""


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
    if not isinstance(value, Mapping) or len(value) > _MOST_TAGS:
        raise ConfigError(f"{path}: an object of up to {_MOST_TAGS} texts is needed, not {value!r}")
    keys: set[str] = set()
    for key, text in value.items():
        if not (_TAG_KEY.fullmatch(key) and isinstance(text, str) and _TAG_VALUE.fullmatch(text)):
            raise ConfigError(
                f"{path}.{key}: a key of up to 128 characters and a value of up to 256 are needed, "
                f"of letters, digits, blanks and _.:/=+-@, not {text!r}"
            )
        if key.lower().startswith("aws:") or key.lower() in keys:
            raise ConfigError(f"{path}.{key}: reserved by AWS, or there twice but for its case")
        keys.add(key.lower())
    return dict(value)


def _identities(value: object, path: str) -> tuple[Identity, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{path}: a list of domains and addresses is needed, not {value!r}")
    if len(value) > _MOST_IDENTITIES:
        raise ConfigError(
            f"{path}: up to {_MOST_IDENTITIES} identities are allowed, not {len(value)}: a stack "
            "has room for no more; make another environment"
        )
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
            f"{path}: a domain in lower case (xn--… for letters beyond ASCII) or an address is "
            f'needed, or an object with its "name", not {value!r}'
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
    return isinstance(name, str) and bool(_IDENTITY.fullmatch(name)) and len(name) <= _LONGEST_NAME


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
    found = form.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ConfigError(f"{path}: an ARN is needed, such as {example}, not {value!r}")
    partition, region = found.groups()
    if partition != partition_of(region):
        raise ConfigError(f"{path}: there is no region {region} in {partition}: {value!r}")
    return found[0]


@cache
def partition_of(region: str) -> str | None:
    """Give the part of AWS that a region is in, such as `aws-cn`; None: there is no such region."""
    session = botocore.session.Session()
    for partition in session.get_available_partitions():
        if region in session.get_available_regions("dynamodb", partition):
            return partition
    return None


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
    if (
        isinstance(value, list)
        and len(value) <= _MOST_ACCOUNTS
        and all(isinstance(entry, str) and _ACCOUNT_ID.fullmatch(entry) for entry in value)
    ):
        return tuple(value)
    raise ConfigError(
        f"{path}: a list of up to {_MOST_ACCOUNTS} account ids is needed, texts of twelve digits, "
        f"not {value!r}"
    )


def _timeout(value: object, path: str) -> int:
    if type(value) is int and _SHORTEST_TIMEOUT <= value <= _LONGEST_TIMEOUT:
        return value
    raise ConfigError(
        f"{path}: seconds from {_SHORTEST_TIMEOUT} to {_LONGEST_TIMEOUT} are needed, not {value!r}"
    )


def _emails(value: object, path: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{path}: a list of e-mail addresses is needed, not {value!r}")
    for index, entry in enumerate(value):
        if not (isinstance(entry, str) and "@" in entry and _is_identity(entry)):
            raise ConfigError(f"{path}[{index}]: an e-mail address is needed, not {entry!r}")
        if entry in value[:index]:
            raise ConfigError(f"{path}[{index}]: {entry} stands there twice")
    return tuple(value)


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


def _endpoints(value: object, path: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{path}: an object of lists is needed, with the keys {', '.join(KINDS)}, not {value!r}"
        )
    for kind in value:
        if kind not in KINDS:
            raise ConfigError(f"{path}.{kind}: not a key; there are {', '.join(KINDS)}")
    return {kind: _urls(urls, f"{path}.{kind}") for kind, urls in value.items()}


def _urls(value: object, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_ENDPOINTS:
        raise ConfigError(
            f"{path}: a list of up to {_MOST_ENDPOINTS} URLs is needed, not {value!r}"
        )
    for index, entry in enumerate(value):
        if not _is_endpoint(entry):
            raise ConfigError(
                f"{path}[{index}]: an HTTPS URL without user, password and fragment is needed, "
                f"such as https://shop.example/ses, not {entry!r}"
            )
        if entry in value[:index]:
            raise ConfigError(f"{path}[{index}]: {entry} stands there twice")
    return tuple(value)


def _is_endpoint(url: object) -> bool:
    if not isinstance(url, str) or len(url) > _LONGEST_ENDPOINT:
        return False
    found = _ENDPOINT.fullmatch(url)
    return (
        found is not None
        and len(found["host"]) <= _LONGEST_NAME
        and max(map(len, found["host"].split("."))) <= _LONGEST_LABEL
        and int(found["port"] or 443) <= _LAST_PORT
    )


def _policy(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{path}: an object is needed, not {value!r}")
    try:
        Policy.from_mapping(value)
    except InvalidPolicyError as error:
        raise ConfigError(f"{path}.{error}") from None
    return value


def _retention(value: object, path: str) -> int:
    if type(value) is int and value in _RETENTION_DAYS:
        return value
    allowed = ", ".join(map(str, _RETENTION_DAYS))
    raise ConfigError(f"{path}: CloudWatch keeps logs for {allowed} days, not {value!r}")


_IDENTITY_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "name": _text,
    "take_over": _boolean,
    "create": _boolean,
    "hosted_zone_id": _hosted_zone_id,
}
READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "region": _region,
    "feed": _feed,
    "identities": _identities,
    "deliveries": _boolean,
    "sending_account_ids": _account_ids,
    "function_timeout_seconds": _timeout,
    "endpoints": _endpoints,
    "canary_minutes": _canary_minutes,
    "alarm_emails": _emails,
    "suppressions_an_hour": _count,
    "table": _table,
    "table_key": _key,
    "key": _key,
    "log_retention_days": _retention,
    "encrypt_logs": _boolean,
    "termination_protection": _boolean,
    "tags": _tags,
    "policy": _policy,
}
