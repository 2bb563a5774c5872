import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacks.config import Config
from stacks.config_values import ConfigError, Feed, Identity, regions_of
from stacks.function_variables import bytes_of_variables
from tests.infrastructure.templates import KEY, TABLE, synthesized

ROOT = Path(__file__).parent.parent.parent


def of(**values: Any) -> Config:
    return Config.from_context(
        {"env": "dev", "environments": {"dev": {"region": "eu-west-1", **values}}}
    )


def test_an_environment_needs_no_more_than_its_region() -> None:
    config = of()
    assert (config.environment, config.region, config.identities) == ("dev", "eu-west-1", ())


def test_an_identity_is_a_name_or_says_that_it_may_be_taken_over() -> None:
    config = of(identities=["example.com", {"name": "example.net", "take_over": True}])
    assert config.identities == (
        Identity(name="example.com"),
        Identity(name="example.net", take_over=True),
    )


def test_a_table_of_another_account_is_refused_where_the_account_is_known() -> None:
    context = {"env": "dev", "environments": {"dev": {"region": "eu-west-1", "table": TABLE}}}
    assert Config.from_context(context, account="111122223333").table == TABLE
    with pytest.raises(ConfigError, match=r"\.dev\.table: expected .* the account 444455556666"):
        Config.from_context(context, account="444455556666")


def test_streams_are_for_the_configuration_set_feed() -> None:
    config = of(feed="configuration-set", policy={"stream_tag": "list"})
    assert config.feed is Feed.CONFIGURATION_SET
    assert of().feed is Feed.IDENTITY


@pytest.mark.parametrize("tag", ["ses:tenant-name", "ses:from-domain", "t" * 256])
def test_the_tag_of_streams_may_be_long_or_one_of_sess_own(tag: str) -> None:
    config = of(feed="configuration-set", policy={"stream_tag": tag})
    assert config.policy["stream_tag"] == tag


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"regoin": "x"},
            "environments.dev.regoin: unknown key, did you mean region? Keys: region, feed,",
        ),
        (
            {"region": "eu-west-9"},
            "environments.dev.region: expected a region where SES is (for one that is newer",
        ),
        ({"tags": ["x"]}, "environments.dev.tags: expected an object, not ['x']"),
        (
            {"canary_minutes": 1},
            "environments.dev.canary_minutes: expected null, or minutes from 5 to 1440, not",
        ),
        (
            {"alarm_emails": ["x"]},
            "environments.dev.alarm_emails[0]: expected an e-mail address, not '",
        ),
        (
            {"alarm_emails": ["Jane <jane@a.example>"]},
            "environments.dev.alarm_emails[0]: expected an e-mail address, not '",
        ),
        (
            {"alarm_emails": ["a@a.example"] * 2},
            "environments.dev.alarm_emails: duplicate a@a.example: name it once",
        ),
        ({"alarm_emails": None}, "environments.dev.alarm_emails: expected a valid array, not None"),
        ({"endpoints": []}, "environments.dev.endpoints: expected an object, not []"),
        (
            {"endpoints": {"bounce": []}},
            "environments.dev.endpoints.bounce: expected one of bounces, complaints, deliveries,",
        ),
        (
            {"endpoints": {"bounces": "https://a.example"}},
            "environments.dev.endpoints.bounces: expected a valid array, not 'https://a.exampl",
        ),
        *(
            (
                {"endpoints": {"bounces": [url]}},
                "environments.dev.endpoints.bounces[0]: expected an HTTPS URL without user, pass",
            )
            for url in (
                "http://a.example/ses",
                "https://user:secret@a.example/ses",
                "https://a.example/ses#x",
                "https://a.example/s s",
                "https://localhost/ses",
                "https://127.0.0.1/ses",
                "https://a.example:0/ses",
                "https://a.example/%zz",
                f"https://{64 * 'x'}.example/ses",
                "https://a.example/${Token[TOKEN.9]}",
                "https://a.example/" + 2048 * "x",
                None,
            )
        ),
        (
            {"endpoints": {"bounces": [f"https://{63 * 'x.'}{127 * 'y.'}example/ses"]}},
            "environments.dev.endpoints.bounces[0]: expected a host of up to 253 characters",
        ),
        (
            {"endpoints": {"bounces": ["https://a.example:99999/ses"]}},
            "environments.dev.endpoints.bounces[0]: Port out of range 0-65535",
        ),
        (
            {"endpoints": {"bounces": [f"https://a.example/{n}" for n in range(11)]}},
            "environments.dev.endpoints.bounces: expected at most 10 items",
        ),
        (
            {"endpoints": {"bounces": ["https://a.example/ses"] * 2}},
            "environments.dev.endpoints.bounces: duplicate https://a.example/ses: name it on",
        ),
        (
            {"deliveries": False, "endpoints": {"deliveries": ["https://a.example/ses"]}},
            "environments.dev.endpoints: there is no topic of deliveries with deliveries: false",
        ),
        ({"feed": None}, "environments.dev.feed: expected 'identity' or 'configuration-set', not"),
        (
            {"tags": {f"key-{n}": "x" for n in range(41)}},
            "environments.dev.tags: expected at most 40 items",
        ),
        (
            {"tags": {"team": None}},
            "environments.dev.tags.team: expected a text of up to 256 letters, digits, blan",
        ),
        (
            {"tags": {"aws:x": "y"}},
            "environments.dev.tags: aws:x is reserved by AWS: choose another key",
        ),
        ({"tags": {"a": "x", "A": "x"}}, "environments.dev.tags: duplicate a: name it once"),
        (
            {"tags": {"a": "${Token[TOKEN.9]}"}},
            "environments.dev.tags.a: expected a text of up to 256 letters, digits, blanks",
        ),
        (
            {"identities": [f"a{n}.example" for n in range(51)]},
            "environments.dev.identities: expected at most 50 items after validation, not 5",
        ),
        (
            {"identities": ["*@a.example"]},
            "environments.dev.identities[0].name: expected a domain in lower case (xn--… fo",
        ),
        ({"identities": ["A.example"]}, "environments.dev.identities[0].name:"),
        (
            {"identities": ["bücher.example"]},
            "environments.dev.identities[0].name: expected a domain in lower case (xn--… fo",
        ),
        ({"identities": ["1.2.3.4"]}, "environments.dev.identities[0].name:"),
        ({"sending_account_ids": ["111122223333"] * 51}, "environments.dev.sending_account_ids"),
        (
            {"feed": "configuration-set", "policy": {"stream_tag": "my stream!"}},
            "environments.dev.policy.stream_tag: expected the name of a tag of SES, of up to 2",
        ),
        (
            {"feed": "configuration-set", "policy": {"stream_tag": "t" * 257}},
            "environments.dev.policy.stream_tag: expected the name of a tag of SES, of up to 2",
        ),
        (
            {"feed": "configuration-set", "policy": {"complaints_do_not_block": ["tenant:acme"]}},
            "environments.dev.policy.complaints_do_not_block: 'tenant:acme' is no stream",
        ),
        (
            {"policy": {"complaints_do_not_block": ["security"]}},
            "environments.dev.policy.complaints_do_not_block: identity notifications carry no",
        ),
        (
            {"table": TABLE.replace("eu-west-1", "nowhere-1")},
            "environments.dev.table: expected an ARN of a region of aws, as eu-west-1 is",
        ),
        (
            {"table": TABLE.replace("aws", "aws-cn", 1).replace("eu-west-1", "cn-north-1")},
            "environments.dev.table: expected an ARN of a region of aws, as eu-west-1 is",
        ),
        (
            {"table": TABLE, "table_key": KEY.replace("1111", "9999")},
            "environments.dev.table_key: expected an ARN in eu-west-1 of the account 111122",
        ),
        (
            {"key": KEY[:-36] + "-" * 36},
            "environments.dev.key: expected an ARN, such as arn:aws:kms:eu-west-1:111122223",
        ),
        (
            {"suppressions_an_hour": 0},
            "environments.dev.suppressions_an_hour: expected a whole number from 1, not 0",
        ),
        (
            {"region": "Ireland"},
            "environments.dev.region: expected a region where SES is (for one that is newer",
        ),
        (
            {"identities": "example.com"},
            "environments.dev.identities: expected a valid array, not 'example.com'",
        ),
        (
            {"identities": ["a.example", 5]},
            "environments.dev.identities[1].name: expected a domain in lower case (xn--… fo",
        ),
        (
            {"identities": ["a.example"] * 2},
            "environments.dev.identities: duplicate a.example: name it once",
        ),
        (
            {"identities": [{"name": "a.example", "takeover": True}]},
            "environments.dev.identities[0].takeover: unknown key, did you mean take_over? Keys: n",
        ),
        ({"identities": ["*"]}, "environments.dev.identities[0].name:"),
        ({"identities": ["a.example/b"]}, "environments.dev.identities[0].name:"),
        ({"identities": [" a.example"]}, "environments.dev.identities[0].name:"),
        ({"identities": ["example"]}, "environments.dev.identities[0].name:"),
        ({"identities": [""]}, "environments.dev.identities[0].name:"),
        (
            {"policy": {"kept_days": 1}, "deliveries": False},
            "environments.dev.policy.kept_days: evidence has to be kept for",
        ),
        (
            {"identities": ["A@a.example", "a@a.example"]},
            "environments.dev.identities: duplicate a@a.example: name it once",
        ),
        (
            {"log_retention_days": 100},
            "environments.dev.log_retention_days: expected one of 1, 3, 5, 7, 14, 30, 60, 9",
        ),
        (
            {"encrypt_logs": "yes"},
            "environments.dev.encrypt_logs: expected a valid boolean, not 'yes'",
        ),
        (
            {"policy": {"transient_bounces": 15}, "deliveries": False},
            "environments.dev.policy.transient_bounces: that many, one a day, do not fall within",
        ),
        (
            {"sending_account_ids": ["١٢٣٤٥٦٧٨٩٠١٢"]},
            "environments.dev.sending_account_ids[0]: expected an account id, a text of twe",
        ),
        ({"deliveries": "yes"}, "environments.dev.deliveries: expected a valid boolean, not 'yes'"),
        ({"sending_account_ids": [123]}, "environments.dev.sending_account_ids"),
        (
            {"function_timeout_seconds": 1},
            "environments.dev.function_timeout_seconds: expected seconds from 10 to 120, no",
        ),
        ({"function_timeout_seconds": True}, "environments.dev.function_timeout_seconds: "),
        ({"policy": []}, "environments.dev.policy: expected an object, not []"),
        (
            {"policy": {"transient_bounces": 0}},
            "environments.dev.policy.transient_bounces: a whole number from 1 to 3650",
        ),
        (
            {"policy": {"hold": 1}},
            "environments.dev.policy.hold: unknown key. Keys: transient_bounces, transient_",
        ),
        (
            {"policy": {"stream_tag": "list"}},
            "environments.dev.policy.stream_tag: identity notifications carry no tags",
        ),
        ({"feed": "sns"}, "environments.dev.feed: expected 'identity' or 'configuration-set', not"),
        (
            {"feed": ["identity"]},
            "environments.dev.feed: expected 'identity' or 'configuration-set', not ['id",
        ),
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
            "environments.dev.identities[0].hosted_zone_id: expected the id of a hosted zone,",
        ),
        (
            {"identities": [{"name": "a.example", "create": 1}]},
            "environments.dev.identities[0].create: expected a valid boolean, not 1",
        ),
        ({"identities": [{}]}, "environments.dev.identities[0].name:"),
        (
            {"table": "suppressions"},
            "environments.dev.table: expected an ARN, such as arn:aws:dynamodb:eu-west-1:11",
        ),
        (
            {"key": "alias/mail"},
            "environments.dev.key: expected an ARN, such as arn:aws:kms:eu-west-1:111122223",
        ),
        (
            {"table_key": KEY},
            "environments.dev.table_key: it is the key of a table: name that under table",
        ),
        (
            {"table": TABLE.replace("eu-west-1", "us-east-1"), "table_key": KEY},
            "environments.dev.table_key: expected an ARN in us-east-1 of the account 111122223",
        ),
        (
            {"key": KEY.replace("eu-west-1", "us-east-1")},
            "environments.dev.key: expected an ARN in eu-west-1 of the account 111122223333",
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
        ({}, "environments: expected an object with an entry per environment"),
        (
            {"env": "prdo", "environments": {"dev": {}, "prod": {}}},
            "env=prdo: there is no such environment; there are dev, prod",
        ),
        ({"environments": {"dev": {}}}, "env=None: there is no such environment; there are dev"),
        (
            {"env": "dev", "environments": {"dev": {}}},
            "environments.dev.region: missing; expected a region where SES is (for one that",
        ),
        (
            {"env": "dev", "environments": {"dev": []}},
            "environments.dev: expected an object, not []",
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


@pytest.mark.parametrize("region", [*regions_of("email")])
def test_every_region_of_the_page_is_accepted(region: str) -> None:
    assert (
        Config.from_context({"env": "dev", "environments": {"dev": {"region": region}}}).region
        == region
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_PROFILE", "nobody"),
        ("AWS_CONFIG_FILE", str(Path(__file__))),
        ("AWS_DATA_PATH", "/nowhere"),
        ("AWS_EC2_METADATA_DISABLED", "no"),
    ],
)
def test_the_regions_do_not_depend_on_the_callers_settings(variable: str, value: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import stacks.config"],
        cwd=ROOT,
        env=os.environ | {variable: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"policy": {"never_suppress": [f"customer-{n}.example" for n in range(200)]}},
            "environments.dev: the functions' variables take 5,",
        ),
        (
            {
                "policy": {"never_suppress": [f"c{n}.example" for n in range(180)]},
                "sending_account_ids": [f"{n:012}" for n in range(50)],
            },
            "environments.dev: the functions' variables take 4,",
        ),
    ],
)
def test_more_variables_than_lambda_takes_are_refused_at_synth(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        synthesized(**values)


def test_the_variables_are_counted_as_lambda_counts_them() -> None:
    """A quote in a value counts twice, and so do a backslash and what it escapes."""
    one, two = (
        bytes_of_variables(of(feed="configuration-set", policy=policy))
        for policy in ({}, {"stream_tag": "x"})
    )
    assert two - one == len(r"\"stream_tag\": \"x\"")


def test_the_environments_of_cdk_json_are_valid() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    for name in context["environments"]:
        assert Config.from_context({**context, "env": name}).environment == name


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        of(deliverys=False, key="alias/mail", identities=["a.example", "B.example"])
    assert [line.partition(": ")[0] for line in str(raised.value).splitlines()] == [
        "environments.dev.identities[1].name",
        "environments.dev.key",
        "environments.dev.deliverys",
    ]
    assert "unknown key, did you mean deliveries?" in str(raised.value)


def test_a_null_is_what_the_documentation_gives_as_the_default() -> None:
    identity = {"name": "a.example", "hosted_zone_id": None}
    config = of(table=None, table_key=None, key=None, identities=[identity])
    assert config == of(identities=["a.example"])


def test_a_null_is_read_as_it_stands_and_refused_where_it_says_nothing(tmp_path: Path) -> None:
    """On the way through the CDK it would be lost, and the default taken for it."""
    ended = app_ended(tmp_path, {"region": "eu-west-1", "alarm_emails": None})
    assert ended.startswith("cdk.json: environments.dev.alarm_emails: expected a valid array")


@pytest.mark.parametrize("text", [None, "{", "[]", '{"context": null}'])
def test_a_cdk_json_that_cannot_be_read_is_a_sentence(tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / "cdk.json").write_text(text)
    ended = app_ended(tmp_path, None)
    assert ended.startswith("cdk.json: context.environments cannot be read: ")
    assert "Traceback" not in ended


def test_the_app_ends_with_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    first, second = app_ended(tmp_path, {"regoin": 1}).splitlines()
    assert first.startswith("cdk.json: environments.dev.region: missing; expected a region")
    assert second.startswith("environments.dev.regoin: unknown key, did you mean region?")


def app_ended(folder: Path, environment: dict[str, Any] | None) -> str:
    """Run the app in a folder with a `cdk.json`; give what it printed when it refused."""
    if environment is not None:
        settings = {"context": {"environments": {"dev": environment}}}
        (folder / "cdk.json").write_text(json.dumps(settings))
    result = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=folder,
        env={
            "PATH": str(Path(sys.executable).parent),
            "CDK_CONTEXT_JSON": json.dumps({"env": "dev"}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    return result.stderr
