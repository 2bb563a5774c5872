import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacks.config import Config, ConfigError, Feed, Identity

ROOT = Path(__file__).parent.parent.parent


KEY = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/suppressions"


def of(**values: Any) -> Config:
    return Config.from_context(
        {"env": "dev", "environments": {"dev": {"region": "eu-west-1", **values}}}
    )


def test_an_environment_needs_no_more_than_its_region() -> None:
    config = of()
    assert (config.environment, config.region, config.identities) == ("dev", "eu-west-1", ())


def test_an_identity_is_a_name_or_says_that_it_may_be_taken_over() -> None:
    config = of(identities=["Example.com", {"name": "example.net", "take_over": True}])
    assert config.identities == (
        Identity(name="Example.com"),
        Identity(name="example.net", take_over=True),
    )


def test_streams_are_for_the_configuration_set_feed() -> None:
    config = of(feed="configuration-set", policy={"stream_tag": "list"})
    assert config.feed is Feed.CONFIGURATION_SET
    assert of().feed is Feed.IDENTITY


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"regoin": "x"}, "environments.dev.regoin: not a key; there are region, feed, identities"),
        ({"region": "eu-west-9"}, "environments.dev.region: SES is not in eu-west-9"),
        ({"tags": ["x"]}, "environments.dev.tags: an object of texts is needed"),
        (
            {"canary_minutes": 1},
            "environments.dev.canary_minutes: null, or minutes from 5 to 1440 are needed",
        ),
        ({"alarm_emails": ["x"]}, "environments.dev.alarm_emails[0]: 'x': an address needs an @"),
        (
            {"suppressions_an_hour": 0},
            "environments.dev.suppressions_an_hour: a whole number from 1",
        ),
        (
            {"region": "Ireland"},
            "environments.dev.region: the name of a region is needed, such as eu-west-1",
        ),
        (
            {"identities": "example.com"},
            "environments.dev.identities: a list of domains and addresses",
        ),
        (
            {"identities": ["a.example", 5]},
            "environments.dev.identities[1]: a domain or an address is needed",
        ),
        (
            {"identities": ["a.example"] * 2},
            "environments.dev.identities[1]: a.example stands there twice",
        ),
        (
            {"identities": [{"name": "a.example", "takeover": True}]},
            "environments.dev.identities[0].takeover: not a key; there are name, take_over, create",
        ),
        ({"identities": ["*"]}, "environments.dev.identities[0]: a domain or an address is needed"),
        ({"identities": ["a.example/b"]}, "environments.dev.identities[0]: a domain or"),
        ({"identities": [" a.example"]}, "environments.dev.identities[0]: a domain or"),
        ({"identities": ["example"]}, "environments.dev.identities[0]: a domain or"),
        ({"identities": [""]}, "environments.dev.identities[0]: a domain or"),
        (
            {"policy": {"kept_days": 1}},
            "environments.dev.policy.kept_days: evidence has to be kept for",
        ),
        (
            {"identities": ["a.example", "A.example"]},
            "environments.dev.identities[1]: a.example stands",
        ),
        (
            {"policy": {"never_suppress": [f"customer-{n}.example" for n in range(200)]}},
            "environments.dev.policy: as JSON it has more than 3000 characters",
        ),
        (
            {"policy": {"transient_bounces": 15}},
            "environments.dev.policy.transient_bounces: so many, one a day, fall neither within",
        ),
        ({"sending_account_ids": ["١٢٣٤٥٦٧٨٩٠١٢"]}, "environments.dev.sending_account_ids: a list"),
        ({"deliveries": "yes"}, "environments.dev.deliveries: true or false is needed, not 'yes'"),
        (
            {"sending_account_ids": [123]},
            "environments.dev.sending_account_ids: a list of account ids",
        ),
        (
            {"function_timeout_seconds": 1},
            "environments.dev.function_timeout_seconds: seconds from 10 to 120",
        ),
        ({"function_timeout_seconds": True}, "environments.dev.function_timeout_seconds: "),
        ({"policy": []}, "environments.dev.policy: an object is needed, not []"),
        (
            {"policy": {"transient_bounces": 0}},
            "environments.dev.policy.transient_bounces: a whole number from 1 to 3650",
        ),
        (
            {"policy": {"hold": 1}},
            "environments.dev.policy.hold is not a key of the policy; there are ",
        ),
        (
            {"policy": {"stream_tag": "list"}},
            "environments.dev.policy.stream_tag: identity notifications carry no tags",
        ),
        ({"feed": "sns"}, "environments.dev.feed: identity or configuration-set is needed, not"),
        ({"feed": ["identity"]}, "environments.dev.feed: identity or configuration-set"),
        (
            {"identities": [{"name": "a.example", "hosted_zone_id": "Z123"}]},
            "environments.dev.identities[0].hosted_zone_id: DKIM records are written for a domain",
        ),
        (
            {"identities": [{"name": "x@a.example", "create": True, "hosted_zone_id": "Z123"}]},
            "environments.dev.identities[0].hosted_zone_id: DKIM records are written for a domain",
        ),
        (
            {"identities": [{"name": "a.example", "create": True, "hosted_zone_id": "a.example"}]},
            "environments.dev.identities[0].hosted_zone_id: the id of a hosted zone is needed",
        ),
        (
            {"identities": [{"name": "a.example", "create": 1}]},
            "environments.dev.identities[0].create: true or false is needed, not 1",
        ),
        ({"identities": [{}]}, "environments.dev.identities[0]: a domain or an address"),
        ({"table": "suppressions"}, "environments.dev.table: an ARN is needed, such as arn:aws:dy"),
        ({"key": "alias/mail"}, "environments.dev.key: an ARN is needed, such as arn:aws:kms:"),
        ({"table_key": KEY}, "environments.dev.table_key: it is the key of a table; name that"),
        (
            {"table": TABLE.replace("eu-west-1", "us-east-1"), "table_key": KEY},
            "environments.dev.table_key: a key in us-east-1 is needed, where the table is, not",
        ),
        (
            {"key": KEY.replace("eu-west-1", "us-east-1")},
            "environments.dev.key: a key in eu-west-1 is needed, not",
        ),
    ],
)
def test_a_wrong_value_names_its_key_and_what_is_allowed(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        of(**values)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, "environments: an object with one entry for each environment is needed"),
        (
            {"env": "prdo", "environments": {"dev": {}, "prod": {}}},
            "env=prdo: there is no such environment; there are dev, prod",
        ),
        ({"environments": {"dev": {}}}, "env=None: there is no such environment; there are dev"),
        (
            {"env": "dev", "environments": {"dev": {}}},
            "environments.dev.region: missing; every environment",
        ),
        (
            {"env": "dev", "environments": {"dev": []}},
            "environments.dev: an object is needed, not []",
        ),
        ({"env": "dev-", "environments": {"dev-": {}}}, "environments.dev-: a name is up to 20"),
        ({"env": "De v", "environments": {"De v": {}}}, "environments.De v: a name is up to 20"),
        (
            {"env": "dev", "synthesizer": "x", "environments": {"dev": {"region": "eu-west-1"}}},
            "synthesizer=x: only cli is known",
        ),
    ],
)
def test_an_environment_that_is_not_there_is_named(context: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Config.from_context(context)
    assert str(raised.value).startswith(message)


def test_the_environments_of_cdk_json_are_valid() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    for name in context["environments"]:
        assert Config.from_context({**context, "env": name}).environment == name


def test_the_app_ends_with_a_sentence_and_no_traceback() -> None:
    context = {"env": "prdo", "environments": {"dev": {}}}
    result = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env={"PATH": str(Path(sys.executable).parent), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == "cdk.json: env=prdo: there is no such environment; there are dev\n"
