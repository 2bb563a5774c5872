"""The page and the JSON Schema of the configuration, both from the model."""

import json
from collections.abc import Iterator

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from ses_suppression.core.policy import Policy
from stacks.config import EnvironmentSettings
from stacks.config_values import Identity, regions_of

EXAMPLE = {
    "region": "eu-west-1",
    "feed": "configuration-set",
    "identities": [
        "shop.example",
        {"name": "news@example.net", "take_over": True},
        {"name": "shop.example.org", "create": True, "hosted_zone_id": "Z0123456789ABC"},
    ],
    "deliveries": True,
    "sending_account_ids": ["111122223333"],
    "function_timeout_seconds": 30,
    "endpoints": {"bounces": ["https://shop.example/ses"]},
    "canary_minutes": 60,
    "alarm_emails": ["ops@shop.example"],
    "suppressions_an_hour": 500,
    "table": "arn:aws:dynamodb:us-east-1:111122223333:table/suppressions",
    "table_key": "arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012",
    "key": "arn:aws:kms:eu-west-1:111122223333:key/87654321-4321-4321-4321-210987654321",
    "log_retention_days": 365,
    "encrypt_logs": True,
    "termination_protection": True,
    "tags": {"team": "mail"},
    "policy": {"stream_tag": "stream", "transient_bounces": 3, "never_suppress": ["shop.example"]},
}


def configuration_page() -> str:
    """Return the text of `docs/configuration.md`."""
    return "\n".join(_configuration_page()) + "\n"


def _configuration_page() -> Iterator[str]:
    yield "# Configuration"
    yield ""
    yield "<!-- made by `make docs` from stacks/config.py -->"
    yield ""
    yield (
        "`cdk.json` has an object for each environment under `context.environments`; `cdk deploy -c env=prod` takes that "
        "of `prod`. A name is up to 20 lower-case letters, digits and hyphens. Wrong keys and values stop `cdk synth`: each "
        "is reported with its path, the value and what is allowed."
    )
    yield ""
    yield (
        "The key `$schema` of `cdk.json` names [the JSON Schema](cdk.schema.json) of the environments, so an editor such as "
        "VS Code completes keys, shows their meaning and marks errors. In a `cdk.json` of your own, set "
        '`"$schema": "docs/cdk.schema.json"`, relative to that file.'
    )
    yield ""
    yield from _table(EnvironmentSettings)
    yield ""
    yield "An identity is its name, or an object:"
    yield ""
    yield from _table(Identity)
    yield ""
    yield "An example with all of them:"
    yield ""
    yield "```json"
    yield json.dumps({"environments": {"prod": EXAMPLE}}, indent=2)
    yield "```"
    yield ""
    yield f"SES is in these regions: {', '.join(regions_of('email'))}."


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    for name, field in model.model_fields.items():
        value = None if field.is_required() else field.get_default(call_default_factory=True)
        default = "required" if field.is_required() else f"`{json.dumps(value)}`"
        yield f"| `{name}` | {default} | {' '.join((field.description or '').split())} |"


class _WithoutTitles(GenerateJsonSchema):
    """They only repeat the names of the keys."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002  # pydantic's
        """Return whether a field has one."""
        return False


def cdk_schema() -> str:
    """Return the text of `docs/cdk.schema.json`: the environments in `cdk.json`."""
    environment = EnvironmentSettings.model_json_schema(schema_generator=_WithoutTitles)
    definitions = environment.pop("$defs")
    thresholds = TypeAdapter(Policy).json_schema(schema_generator=_WithoutTitles)["properties"]
    for name, meaning in attributes_of(Policy).items():
        thresholds[name]["description"] = meaning
    policy = environment["properties"]["policy"]
    policy |= {"properties": thresholds, "additionalProperties": False}
    environments = {"type": "object", "additionalProperties": environment}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The environments in cdk.json",
        "type": "object",
        "properties": {"context": {"type": "object", "properties": {"environments": environments}}},
        "$defs": definitions,
    }
    return json.dumps(schema, indent=2) + "\n"


def attributes_of(documented: type) -> dict[str, str]:
    """Return the `Attributes:` of a docstring."""
    section = (documented.__doc__ or "").partition("Attributes:")[2]
    found: dict[str, str] = {}
    name = ""
    for line in filter(None, map(str.strip, section.splitlines())):
        head, colon, rest = line.partition(": ")
        if colon and head.isidentifier():
            name, found[head] = head, rest
        else:
            found[name] += f" {line}"
    return found
