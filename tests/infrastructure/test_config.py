import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacks.config import Config
from stacks.config_values import ConfigError, Feed, Identity, ses_regions
from stacks.function_variables import bytes_of_variables

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
    config = of(identities=["example.com", {"name": "example.net", "take_over": True}])
    assert config.identities == (
        Identity(name="example.com"),
        Identity(name="example.net", take_over=True),
    )


def test_a_table_of_another_account_is_refused_where_the_account_is_known() -> None:
    context = {"env": "dev", "environments": {"dev": {"region": "eu-west-1", "table": TABLE}}}
    assert Config.from_context(context, account="111122223333").table == TABLE
    with pytest.raises(ConfigError, match=r"environments\.dev\.table: a table of the account 4444"):
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
        ({"regoin": "x"}, "environments.dev.regoin: not a key; there are region, feed, identities"),
        ({"region": "eu-west-9"}, "environments.dev.region: SES is not in eu-west-9"),
        ({"tags": ["x"]}, "environments.dev.tags: an object of up to 40 texts is needed"),
        (
            {"canary_minutes": 1},
            "environments.dev.canary_minutes: null, or minutes from 5 to 1440 are needed",
        ),
        ({"alarm_emails": ["x"]}, "environments.dev.alarm_emails[0]: an e-mail address is needed"),
        (
            {"alarm_emails": ["Jane <jane@a.example>"]},
            "environments.dev.alarm_emails[0]: an e-mail address is needed",
        ),
        (
            {"alarm_emails": ["a@a.example"] * 2},
            "environments.dev.alarm_emails[1]: a@a.example stands there twice",
        ),
        ({"alarm_emails": None}, "environments.dev.alarm_emails: a list of e-mail addresses"),
        ({"endpoints": []}, "environments.dev.endpoints: an object of lists is needed, with the k"),
        (
            {"endpoints": {"bounce": []}},
            "environments.dev.endpoints.bounce: not a key; there are bounces, complaints, deliver",
        ),
        (
            {"endpoints": {"bounces": "https://a.example"}},
            "environments.dev.endpoints.bounces: a list of up to 10 URLs is needed, not 'https",
        ),
        *(
            (
                {"endpoints": {"bounces": [url]}},
                "environments.dev.endpoints.bounces[0]: an HTTPS URL without user, password and",
            )
            for url in (
                "http://a.example/ses",
                "https://user:secret@a.example/ses",
                "https://a.example/ses#x",
                "https://a.example/s s",
                "https://localhost/ses",
                "https://127.0.0.1/ses",
                "https://a.example:0/ses",
                "https://a.example:99999/ses",
                "https://a.example/%zz",
                f"https://{64 * 'x'}.example/ses",
                f"https://{63 * 'x.'}{127 * 'y.'}example/ses",
                "https://a.example/${Token[TOKEN.9]}",
                "https://a.example/" + 2048 * "x",
                None,
            )
        ),
        (
            {"endpoints": {"bounces": ["https://a.example/ses"] * 2}},
            "environments.dev.endpoints.bounces[1]: https://a.example/ses stands there twice",
        ),
        (
            {"deliveries": False, "endpoints": {"deliveries": ["https://a.example/ses"]}},
            "environments.dev.endpoints.deliveries: there is no topic of deliveries with deliver",
        ),
        ({"feed": None}, "environments.dev.feed: identity or configuration-set is needed, not"),
        ({"tags": {"team": None}}, "environments.dev.tags.team: a key of up to 128 characters"),
        ({"tags": {"aws:x": "y"}}, "environments.dev.tags.aws:x: reserved by AWS"),
        ({"tags": {"a": "x", "A": "x"}}, "environments.dev.tags.A: reserved by AWS, or there"),
        ({"tags": {"a": "${Token[TOKEN.9]}"}}, "environments.dev.tags.a: a key of up to 128"),
        (
            {"identities": [f"a{n}.example" for n in range(51)]},
            "environments.dev.identities: up to 50 identities are allowed, not 51",
        ),
        ({"identities": ["*@a.example"]}, "environments.dev.identities[0]: a domain in lower"),
        ({"identities": ["A.example"]}, "environments.dev.identities[0]: a domain in lower case"),
        ({"identities": ["bücher.example"]}, "environments.dev.identities[0]: a domain in lower"),
        ({"identities": ["1.2.3.4"]}, "environments.dev.identities[0]: a domain in lower case"),
        (
            {"sending_account_ids": ["111122223333"] * 51},
            "environments.dev.sending_account_ids: a list of up to 50 account ids",
        ),
        (
            {"feed": "configuration-set", "policy": {"stream_tag": "my stream!"}},
            "environments.dev.policy.stream_tag: the name of a tag of SES has letters of ASCII",
        ),
        (
            {"feed": "configuration-set", "policy": {"stream_tag": "t" * 257}},
            "environments.dev.policy.stream_tag: the name of a tag of SES has letters of ASCII",
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
            "environments.dev.table: there is no region nowhere-1 in aws",
        ),
        (
            {"table": TABLE.replace("aws", "aws-cn", 1).replace("eu-west-1", "cn-north-1")},
            "environments.dev.table: an ARN of aws is needed, as the region eu-west-1 is there",
        ),
        (
            {"table": TABLE, "table_key": KEY.replace("1111", "9999")},
            "environments.dev.table_key: a key of the table's account is needed",
        ),
        ({"key": KEY[:-36] + "-" * 36}, "environments.dev.key: an ARN is needed"),
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
            "environments.dev.identities[1]: a domain in lower case",
        ),
        (
            {"identities": ["a.example"] * 2},
            "environments.dev.identities[1]: a.example stands there twice",
        ),
        (
            {"identities": [{"name": "a.example", "takeover": True}]},
            "environments.dev.identities[0].takeover: not a key; there are name, take_over, create",
        ),
        ({"identities": ["*"]}, "environments.dev.identities[0]: a domain in lower case"),
        ({"identities": ["a.example/b"]}, "environments.dev.identities[0]: a domain in lower case"),
        ({"identities": [" a.example"]}, "environments.dev.identities[0]: a domain in lower case"),
        ({"identities": ["example"]}, "environments.dev.identities[0]: a domain in lower case"),
        ({"identities": [""]}, "environments.dev.identities[0]: a domain in lower case"),
        (
            {"policy": {"kept_days": 1}, "deliveries": False},
            "environments.dev.policy.kept_days: evidence has to be kept for",
        ),
        (
            {"identities": ["A@a.example", "a@a.example"]},
            "environments.dev.identities[1]: a@a.example stands",
        ),
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
        (
            {"log_retention_days": 100},
            "environments.dev.log_retention_days: CloudWatch keeps logs for 1, 3, 5,",
        ),
        ({"encrypt_logs": "yes"}, "environments.dev.encrypt_logs: true or false is needed"),
        (
            {"policy": {"transient_bounces": 15}, "deliveries": False},
            "environments.dev.policy.transient_bounces: that many, one a day, do not fall within",
        ),
        ({"sending_account_ids": ["١٢٣٤٥٦٧٨٩٠١٢"]}, "environments.dev.sending_account_ids: a list"),
        ({"deliveries": "yes"}, "environments.dev.deliveries: true or false is needed, not 'yes'"),
        (
            {"sending_account_ids": [123]},
            "environments.dev.sending_account_ids: a list of up to 50 account ids",
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
        ({"identities": [{}]}, "environments.dev.identities[0]: a domain in lower case"),
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


@pytest.mark.parametrize("region", [*ses_regions()])
def test_every_region_of_the_page_is_accepted(region: str) -> None:
    assert (
        Config.from_context({"env": "dev", "environments": {"dev": {"region": region}}}).region
        == region
    )


def test_the_variables_are_counted_as_lambda_counts_them() -> None:
    """A quote in a value counts twice, and so do a backslash and what it escapes."""
    one, two = (
        bytes_of_variables(Config(environment="dev", region="eu-west-1", policy=policy))
        for policy in ({}, {"stream_tag": "x"})
    )
    assert two - one == len(r"\"stream_tag\": \"x\"")


def test_the_environments_of_cdk_json_are_valid() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    for name in context["environments"]:
        assert Config.from_context({**context, "env": name}).environment == name


def test_a_null_is_read_as_it_stands_and_refused_where_it_says_nothing(tmp_path: Path) -> None:
    """On the way through the CDK it would be lost, and the default taken for it."""
    ended = app_ended(tmp_path, {"region": "eu-west-1", "alarm_emails": None})
    assert ended.startswith("cdk.json: environments.dev.alarm_emails: a list of e-mail addresses")


def test_a_cdk_json_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    assert "cdk.json: it cannot be read: " in app_ended(tmp_path, None)


def test_the_app_ends_with_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    assert app_ended(tmp_path, {"regoin": 1}).startswith("cdk.json: environments.dev.regoin: ")


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
