"""The configuration of an environment: read from `cdk.json` once, validated, then passed on."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from ses_suppression.core.policy import Policy
from stacks import config_values as values
from stacks.config_values import ConfigError, Feed, Identity, regions_of

WINDOW_DAYS = 14
"""The window of a row of transient bounces, in days, where deliveries are not reported."""

_TAG = re.compile(r"[A-Za-z0-9_:-]{1,256}")  # SES's own have a colon, such as ses:from-domain
_LETTERS = "lower-case letters, digits and hyphens"
_ENVIRONMENT = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")


class EnvironmentSettings(BaseModel):
    """The object of an environment in `cdk.json`. A key is checked against those before it."""

    model_config = values.STRICT

    region: values.Region
    """Where SES sends from: topics and identities share a region."""
    feed: Feed = Feed.IDENTITY
    """`identity`: SES publishes to the identities' topics, whatever mail they send.
    `configuration-set`: it publishes what becomes of the mail that is sent with the configuration
    set `ses-suppression-<env>`, which becomes the default of the identities; such feedback carries
    the mail's tags."""
    identities: values.Identities = ()
    """Domains and addresses whose feedback comes here. An address that is verified by itself has
    settings of its own, so name it beside its domain. An entry is a name or an object."""
    deliveries: bool = True
    """Subscribe to deliveries too. They end a row of transient bounces."""
    sending_account_ids: Annotated[tuple[values.AccountID, ...], Field(max_length=50)] = ()
    """Accounts, beside the stack's own, whose feedback is taken."""
    function_timeout_seconds: values.Timeout = 30
    """The time that a function has for a batch. A message is seen again after six times as long."""
    endpoints: dict[values.Kind, values.URLs] = Field(default_factory=dict)
    """HTTPS URLs of your apps that receive it too, for each kind of feedback: `bounces`,
    `complaints`, `deliveries`. Each has to confirm its subscription: see
    [the app's own endpoint](webhook.md)."""
    canary_minutes: values.Minutes | None = 60
    """The interval at which the canary mails SES's mailbox simulator; null: never."""
    alarm_emails: values.Addresses = ()
    """The recipients of the alarms. Each has to confirm a mail from SNS."""
    suppressions_an_hour: values.Count = 500
    """More suppressions in an hour are a spike."""
    table: values.TableARN | None = None
    """The ARN of a table that exists, such as that of another region's stack. Without it the stack
    makes its own."""
    table_key: values.KeyARN | None = None
    """The ARN of the customer-managed key of that table, if it has one."""
    key: values.KeyARN | None = None
    """The ARN of a customer-managed key that exists, for topics, queues and the stack's own table.
    Without it the stack makes its own. [Deployment](deployment.md) shows the policy it needs."""
    log_retention_days: values.RetentionDays = 90
    """The functions' logs are kept for this number of days."""
    encrypt_logs: bool = False
    """Encrypt those logs with the key too. The policy of a key that the stack did not make has to
    admit CloudWatch Logs itself."""
    termination_protection: bool = False
    """`cdk destroy` is refused until it is false again."""
    tags: values.Tags = Field(default_factory=dict)
    """The tags of all resources."""
    policy: dict[str, Any] = Field(default_factory=dict, validate_default=True)
    """Thresholds of the verdict: see [the policy](policy.md). With `deliveries: false`,
    `transient_window_days` is 14 unless it is set here."""

    @field_validator("endpoints")
    @classmethod
    def _check_endpoints(cls, endpoints: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if endpoints.get("deliveries") and info.data.get("deliveries") is False:
            raise ValueError("there is no topic of deliveries with deliveries: false")
        return endpoints

    @field_validator("table", "table_key", "key")
    @classmethod
    def _check_arn(cls, arn: str | None, info: ValidationInfo) -> str | None:
        """Refuse an ARN in another partition, region or account than the parts around it."""
        if not arn or "region" not in info.data:
            return arn
        own, partitions = info.data["region"], regions_of("dynamodb")
        _, partition, _, region, account, _ = arn.split(":", 5)
        if {partition, partitions.get(region)} != {partitions.get(own)}:
            raise ValueError(
                f"expected an ARN of a region of {partitions.get(own)}, as {own} is, not {arn!r}"
            )
        place: tuple[str, ...] = (own, account)
        if info.field_name == "table":  # requests name it alone, in the caller's own account
            place = (region, (info.context or {}).get("account") or account)
        elif info.field_name == "table_key":
            table = info.data.get("table", arn)  # without one its own error is enough
            if table is None:
                raise ValueError("it is the key of a table: name that under table")
            place = tuple(table.split(":")[3:5])
        if (region, account) != place:
            raise ValueError(f"expected an ARN in {' of the account '.join(place)}, not {arn!r}")
        return arn

    @field_validator("policy")
    @classmethod
    def _check_policy(cls, policy: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Refuse wrong thresholds, and streams where no notification carries one."""
        if info.data.get("deliveries") is False:  # nothing else would end a row
            policy = {"transient_window_days": WINDOW_DAYS, **policy}
        known = [field.name for field in fields(Policy)]
        for key in policy:
            if key not in known:
                raise ValueError(f"{key}: {_describe_unknown(key, known)}")
        checked = Policy.from_mapping(policy)
        if checked.stream_tag and not _TAG.fullmatch(checked.stream_tag):
            raise ValueError(
                "stream_tag: expected the name of a tag of SES, of up to 256 letters of ASCII, "
                f"digits, _, - and :, not {checked.stream_tag!r}"
            )
        for key in ("stream_tag", "complaints_do_not_block"):
            if policy.get(key) and info.data.get("feed") is Feed.IDENTITY:
                raise ValueError(
                    f'{key}: identity notifications carry no tags; set "feed": "configuration-set"'
                )
        return policy


class Config(EnvironmentSettings):
    """One environment of `cdk.json`, with its name and the way it is deployed."""

    environment: str
    synthesizer: Literal["cli"] | None = None
    """`cli` deploys with the CLI's own credentials; for emulators."""

    @classmethod
    def from_context(cls, context: Mapping[str, Any], *, account: str | None = None) -> "Config":
        """Return the environment that the context's `env` names.

        Args:
            context: of the app.
            account: where it is deployed; None: not known yet.

        Raises:
            ConfigError: there is no such environment, or keys or values of it are wrong.
        """
        environments, name, synthesizer = map(context.get, ("environments", "env", "synthesizer"))
        if not isinstance(environments, Mapping) or not environments:
            raise ConfigError("environments: expected an object with an entry per environment")
        if not isinstance(name, str) or name not in environments:
            there_are = ", ".join(environments)
            raise ConfigError(f"env={name}: there is no such environment; there are {there_are}")
        if not _ENVIRONMENT.fullmatch(name):
            raise ConfigError(f"environments.{name}: a name is up to 20 {_LETTERS}")
        if synthesizer not in (None, "cli"):  # it may be a list
            raise ConfigError(f"synthesizer={synthesizer}: only cli is known")
        try:
            settings = EnvironmentSettings.model_validate_json(
                json.dumps(environments[name]), context={"account": account}
            )
        except ValidationError as error:
            lines = (_message(f"environments.{name}", one) for one in error.errors())
            raise ConfigError("\n".join(lines)) from None
        return cls(environment=name, synthesizer=synthesizer, **dict(settings))


def _message(path: str, error: ErrorDetails) -> str:
    """Return the path of a key, with what is wrong there."""
    location = [part for part in error["loc"] if part != "[key]"]
    path += "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    expected = re.sub(r"^\w+ should (be|have)", "expected", error["msg"])
    model = EnvironmentSettings if len(location) == 1 else Identity
    match error["type"]:
        case "extra_forbidden":
            return f"{path}: {_describe_unknown(str(location[-1]), list(model.model_fields))}"
        case "missing":
            (needed,) = model.model_fields[str(location[-1])].metadata
            return f"{path}: missing; expected {needed.words}"
        case "too_long":
            return f"{path}: {expected}: an environment has room for no more"
        case "value_error":  # about the policy it begins with its key
            return f"{path}{'.' if location == ['policy'] else ': '}{error['ctx']['error']}"
        case _:
            return f"{path}: {expected}, not {error['input']!r}"


def _describe_unknown(key: str, known: Sequence[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"unknown key{f', did you mean {near[0]}?' if near else '.'} Keys: {', '.join(known)}"
