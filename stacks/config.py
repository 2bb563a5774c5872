"""The configuration of an environment: read from `cdk.json` once, validated, then passed on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ses_suppression.arns import region_and_name
from stacks.config_values import READERS, ConfigError, Feed, Identity, partition_of
from stacks.function_variables import MOST_BYTES, bytes_of_variables

WINDOW_DAYS = 14
"""The window of a row of transient bounces, in days, where deliveries are not reported."""

_TAG = re.compile(r"[A-Za-z0-9_:-]{1,256}")  # SES's own have a colon, such as ses:from-domain
_ENVIRONMENT = re.compile(r"[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?")


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
        identities: domains and addresses, as SES spells them, whose feedback comes here. An address
            that is verified by itself has settings of its own, so name it beside its domain. An
            entry is `"example.com"`, or an object with its `name` and, if need be, `take_over`:
            true where topics or a default configuration set of somebody else may be replaced;
            `create`: true where SES does not know it yet (the DKIM records of a domain are outputs
            then); `hosted_zone_id`, the zone of Route 53 in which those records are written.
        deliveries: subscribe to deliveries too; they end a row of transient bounces.
        sending_account_ids: accounts, beside the stack's own, whose feedback is taken.
        function_timeout_seconds: the time that a function has for a batch; a message is seen again
            after six times as long.
        endpoints: HTTPS URLs of your apps that hear of it too, for each kind of feedback:
            `bounces`, `complaints`, `deliveries`; each has to confirm its subscription: see
            [the app's own endpoint](webhook.md).
        canary_minutes: so often the canary mails SES's mailbox simulator; null: never.
        alarm_emails: who is called by the alarms; each has to confirm a mail from SNS.
        suppressions_an_hour: more than so many suppressions in an hour are a spike.
        table: the ARN of a table that exists, such as that of another region's stack; without it
            the stack makes its own.
        table_key: the ARN of the customer-managed key of that table, if it has one.
        key: the ARN of a customer-managed key that exists, for topics, queues and the stack's own
            table; without it the stack makes its own. Its policy has to say what
            [deployment](deployment.md) shows.
        log_retention_days: for how many days the functions' logs are kept.
        encrypt_logs: encrypt those logs with the key too, which the stack has made: the policy of
            another key has to admit CloudWatch Logs itself.
        termination_protection: `cdk destroy` is refused until it is false again.
        tags: of all resources.
        policy: thresholds of the verdict; see [the policy](policy.md). With `deliveries: false`,
            `transient_window_days` is 14 unless it says otherwise.
        synthesizer: `cli` deploys with the CLI's own credentials; for emulators.
    """

    environment: str
    region: str
    feed: Feed = Feed.IDENTITY
    identities: tuple[Identity, ...] = ()
    deliveries: bool = True
    sending_account_ids: tuple[str, ...] = ()
    function_timeout_seconds: int = 30
    endpoints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    canary_minutes: int | None = 60
    alarm_emails: tuple[str, ...] = ()
    suppressions_an_hour: int = 500
    table: str | None = None
    table_key: str | None = None
    key: str | None = None
    log_retention_days: int = 90
    encrypt_logs: bool = False
    termination_protection: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    synthesizer: str | None = None

    @classmethod
    def from_context(cls, context: Mapping[str, Any], *, account: str | None = None) -> "Config":
        """Read the environment that the context's `env` names.

        Args:
            context: of the app.
            account: where it is deployed; None: nobody knows yet.

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
        if synthesizer not in (None, "cli"):  # it may be a list
            raise ConfigError(f"synthesizer={synthesizer}: only cli is known")
        read = _validated(values, path)
        _check_account(read, path, account)
        config = cls(environment=name, synthesizer=synthesizer, **read)
        _check_variables(config, path)
        return config


def _validated(values: Mapping[str, Any], path: str) -> dict[str, Any]:
    for key in values:
        if key not in READERS:
            raise ConfigError(f"{path}.{key}: not a key; there are {', '.join(READERS)}")
    if "region" not in values:
        raise ConfigError(
            f"{path}.region: missing; every environment names its region, such as eu-west-1"
        )
    values = _with_window(values)
    read = {key: READERS[key](value, f"{path}.{key}") for key, value in values.items()}
    _check_feed(read, path)
    _check_keys(read, path)
    if read.get("endpoints", {}).get("deliveries") and read.get("deliveries") is False:
        raise ConfigError(
            f"{path}.endpoints.deliveries: there is no topic of deliveries with deliveries: false"
        )
    return read


def _with_window(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where deliveries are not reported, nothing else would end a row of transient bounces."""
    policy = values.get("policy", {})
    if values.get("deliveries") is not False or not isinstance(policy, Mapping):
        return values
    return {**values, "policy": {"transient_window_days": WINDOW_DAYS, **policy}}


def _check_feed(values: Mapping[str, Any], path: str) -> None:
    policy = values.get("policy", {})
    for key in ("stream_tag", "complaints_do_not_block"):
        if policy.get(key) and values.get("feed") != Feed.CONFIGURATION_SET:
            raise ConfigError(
                f"{path}.policy.{key}: identity notifications carry no tags; "
                f'streams need "feed": "{Feed.CONFIGURATION_SET}"'
            )
    tag = policy.get("stream_tag")
    if tag and not _TAG.fullmatch(tag):
        raise ConfigError(
            f"{path}.policy.stream_tag: the name of a tag of SES has letters of ASCII, digits, "
            f"_, - and :, and at most 256 characters, not {tag!r}"
        )


def _check_keys(values: Mapping[str, Any], path: str) -> None:
    table, table_key, key = (values.get(name) for name in ("table", "table_key", "key"))
    (table_region, _), (key_region, _), (own_key_region, _) = (
        region_and_name(arn or "") for arn in (table, table_key, key)
    )
    if table_key and not table:
        raise ConfigError(f"{path}.table_key: it is the key of a table; name that under table")
    if table_key and table_region != key_region:
        raise ConfigError(
            f"{path}.table_key: a key in {table_region} is needed, where the table is, "
            f"not {table_key!r}"
        )
    partition = partition_of(values["region"])
    for name, arn in (("table", table), ("table_key", table_key), ("key", key)):
        if arn and arn.split(":")[1] != partition:
            raise ConfigError(
                f"{path}.{name}: an ARN of {partition} is needed, as the "
                f"region {values['region']} is there, not {arn!r}"
            )
    if table and table_key and _account_of(table) != _account_of(table_key):
        raise ConfigError(
            f"{path}.table_key: a key of the table's account is needed, not {table_key!r}"
        )
    if key and own_key_region != values["region"]:
        raise ConfigError(f"{path}.key: a key in {values['region']} is needed, not {key!r}")


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


def _check_variables(config: Config, path: str) -> None:
    """Refuse what no function has room for: it would fail after the table was made."""
    size = bytes_of_variables(config)
    if size > MOST_BYTES:
        raise ConfigError(
            f"{path}: the functions' variables take {size:,} bytes as Lambda counts them, more "
            f"than its limit of {MOST_BYTES:,}: shorten {path}.policy (never_suppress, for "
            f"example) or {path}.sending_account_ids"
        )


def _check_account(values: Mapping[str, Any], path: str, account: str | None) -> None:
    """Refuse a table of another account: it is asked by its name, in the caller's own."""
    table = values.get("table")
    if table and account and _account_of(table) != account:
        raise ConfigError(
            f"{path}.table: a table of the account {account} is needed, not {table!r}"
        )
