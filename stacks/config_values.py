"""The types of the values in `cdk.json`: what is allowed, and the words that say so."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated
from urllib.parse import urlsplit

from botocore.loaders import create_loader
from botocore.regions import EndpointResolver
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import custom_error_schema, int_schema, literal_schema, str_schema

from ses_suppression.deployment import NotificationType
from ses_suppression.errors import SESSuppressionError

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class ConfigError(SESSuppressionError):
    """The configuration is wrong; each line names a key, its value and what is allowed."""


class Feed(StrEnum):
    """How SES tells of bounces, complaints and deliveries."""

    IDENTITY = "identity"
    """The identities' notification topics: whatever mail they send."""

    CONFIGURATION_SET = "configuration-set"
    """Event destinations of a configuration set: the mail that is sent with it, and its tags."""


@cache
def regions_of(endpoint_prefix: str) -> Mapping[str, str]:
    """Return the regions of a service, by botocore's own data, and the partition of each.

    No session is made: it would fail on the profile or the configuration file of the caller.
    """
    resolver = EndpointResolver(create_loader().load_data("endpoints"))
    return {
        region: partition
        for partition in resolver.get_available_partitions()
        for region in resolver.get_available_endpoints(endpoint_prefix, partition)
    }


@dataclass(frozen=True, slots=True, eq=False)  # a schema has no hash
class Expected:
    """The values that a type takes, and the words for all others, in place of pydantic's own."""

    words: str
    schema: CoreSchema

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        """Return the schema with one error, whatever is wrong."""
        words = f"expected {self.words}"
        return custom_error_schema(self.schema, "expected", custom_error_message=words)


def _text(pattern: str, words: str, most: int | None = None) -> Expected:
    return Expected(words, str_schema(pattern=f"^({pattern})$", max_length=most))


def _arn(service: str, resource: str, example: str) -> Expected:
    return _text(
        f"arn:aws[a-z-]*:{service}:[a-z0-9-]+:[0-9]{{12}}:{resource}",
        f"an ARN, such as arn:aws:{service}:eu-west-1:111122223333:{example}",
    )


def _check_host(url: str) -> str:
    parts = urlsplit(url)
    if parts.port == 0 or len(parts.hostname or "") > _LONGEST_NAME:  # `port` raises beyond 65535
        raise ValueError(f"expected a host of up to {_LONGEST_NAME} characters, not {url!r}")
    return url


def _check_whole(days: object) -> object:
    if type(days) is not int:  # true would be 1
        raise ValueError(f"expected a whole number, not {days!r}")
    return days


def _check_distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ValueError(f"duplicate {name}: name it once")
    return names


def _check_tags(tags: dict[str, str]) -> dict[str, str]:
    _check_distinct(tuple(key.lower() for key in tags))
    if reserved := [key for key in tags if key.lower().startswith("aws:")]:
        raise ValueError(f"{reserved[0]} is reserved by AWS: choose another key")
    return tags


# What SES, a topic's policy and SNS take as it stands: no wildcard, no quotes, no escapes.
_END = "([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"([a-z0-9]{_END}\.)+[a-z]{_END}"
_MAILBOX = "[A-Za-z0-9._%+=-]+@"
_LONGEST_NAME = 253
_PATH = r"[/?]([A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
_KEY_ID = "mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TAG = r"[\p{L}\p{N}_ .:/=+@-]+"
_KINDS = [one.plural for one in NotificationType]
_REGIONS = list(regions_of("email"))
# "PutRetentionPolicy" (CloudWatch Logs API reference)
_DAYS = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip

_NEWER = "for one that is newer than this boto3, upgrade it"
_SES = f"a region where SES is ({_NEWER}), one of {', '.join(_REGIONS)}"
_HTTPS = "an HTTPS URL without user, password and fragment, such as https://shop.example/ses"
_NAME = "a domain in lower case (xn--… for letters beyond ASCII) or an address"
_SYMBOLS = "letters, digits, blanks and _.:/=+-@"

Region = Annotated[str, Expected(_SES, literal_schema(_REGIONS))]
Kind = Annotated[str, Expected(f"one of {', '.join(_KINDS)}", literal_schema(_KINDS))]
RetentionDays = Annotated[
    int,
    Expected(f"one of {str(_DAYS)[1:-1]}", literal_schema(_DAYS)),
    BeforeValidator(_check_whole),
]
Timeout = Annotated[int, Expected("seconds from 10 to 120", int_schema(ge=10, le=120))]
Minutes = Annotated[int, Expected("null, or minutes from 5 to 1440", int_schema(ge=5, le=1440))]
Count = Annotated[int, Expected("a whole number from 1", int_schema(ge=1))]
AccountID = Annotated[str, _text("[0-9]{12}", "an account id, a text of twelve digits")]
HostedZoneID = Annotated[
    str, _text("Z[A-Z0-9]{1,31}", "the id of a hosted zone, such as Z0123456789ABC")
]
TableARN = Annotated[str, _arn("dynamodb", "table/[A-Za-z0-9_.-]{3,255}", "table/name")]
KeyARN = Annotated[str, _arn("kms", f"key/({_KEY_ID})", "key/mrk-" + 32 * "0")]
Name = Annotated[str, _text(f"({_MAILBOX})?{_DOMAIN}", _NAME, _LONGEST_NAME)]
_Address = Annotated[str, _text(_MAILBOX + _DOMAIN, "an e-mail address", _LONGEST_NAME)]
Addresses = Annotated[tuple[_Address, ...], AfterValidator(_check_distinct)]
# No user and password: they would be in the template. No fragment: it is never sent.
_URL = Annotated[
    str,
    _text(f"https://{_DOMAIN}(:[1-9][0-9]{{0,4}})?({_PATH})?", _HTTPS, 2048),
    AfterValidator(_check_host),
]
URLs = Annotated[tuple[_URL, ...], Field(max_length=10), AfterValidator(_check_distinct)]
# AWS allows 50, and CloudFormation adds its own.
Tags = Annotated[
    dict[
        Annotated[str, _text(_TAG, f"a key of up to 128 {_SYMBOLS}", 128)],
        Annotated[str, _text(_TAG, f"a text of up to 256 {_SYMBOLS}", 256)],
    ],
    Field(max_length=40),
    AfterValidator(_check_tags),
]


class Identity(BaseModel):
    """An identity of SES whose feedback is ours."""

    model_config = STRICT

    name: Name
    """A domain, or an address that is verified by itself, as SES spells it."""
    take_over: bool = False
    """Replace topics, or a default configuration set, that somebody else set."""
    create: bool = False
    """Create it: SES does not know it yet. The DKIM records of a domain are outputs then."""
    hosted_zone_id: HostedZoneID | None = None
    """The zone of Route 53 in which those records are written."""

    @field_validator("hosted_zone_id")
    @classmethod
    def _check_records(cls, zone: str | None, info: ValidationInfo) -> str | None:
        if zone and (not info.data.get("create", True) or "@" in info.data.get("name", "")):
            raise ValueError("DKIM records are written for a domain with create: true only")
        return zone


def _with_name(entry: object) -> object:
    return entry if isinstance(entry, Mapping | Identity) else {"name": entry}


def _check_identities(identities: tuple[Identity, ...]) -> tuple[Identity, ...]:
    _check_distinct(tuple(identity.name.lower() for identity in identities))
    return identities


_Entry = Annotated[Identity, BeforeValidator(_with_name, json_schema_input_type=Name | Identity)]
# A template has 500 resources and 200 outputs, an identity up to 5 and 3.
Identities = Annotated[tuple[_Entry, ...], Field(max_length=50), AfterValidator(_check_identities)]
