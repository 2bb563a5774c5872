"""What `cdk.json` can say beside the plain case, deployed: another feed, identity, table, key.

What takes another deploy is in the slow lane; `tests/infrastructure/test_options.py` has it all.
"""

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cdk import ROOT
from local.deployment import deploy, read_config
from local.emulator import ACCOUNT_ID, Emulator, LocalError, running_emulator
from local.mailbox_simulator import SIMULATOR
from local.waiting import wait_for
from tests.builders import subscription_event
from tests.e2e.in_flight import mail_in_flight
from tests.e2e.operator import Operator
from tests.e2e.project import project_with
from tests.e2e.stack import SECONDS, Stack

HOME = "eu-west-1"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running_emulator(HOME) as running:
        yield running


def deployed(emulator: Emulator, folder: Path, name: str, **values: Any) -> Stack:
    """Deploy an environment of its own, or deploy it again with other values."""
    project = project_with(folder, **{name: {"region": HOME, "canary_minutes": None, **values}})
    config = read_config(name, project=project)
    return Stack(emulator, config, deploy(emulator, environment=name, project=project))


def verified(emulator: Emulator, name: str, *, region: str = HOME) -> str:
    emulator.client("ses", region_name=region).verify_domain_identity(Domain=name)
    return name


def an_address() -> str:
    return f"bounce+{uuid.uuid4().hex}@{SIMULATOR}"


def wait_for_more(addresses: Sequence[str]) -> None:
    before = len(addresses)
    wait_for("mail afterwards", lambda: len(addresses) > before + 3, seconds=30)


def send(stack: Stack, address: str, *, tags: Mapping[str, str] | None = None) -> None:
    """Send by the second version of SES, which takes tags."""
    stack.emulator.client("sesv2", region_name=stack.config.region).send_email(
        FromEmailAddress=f"shop@{stack.config.identities[0].name}",
        Destination={"ToAddresses": [address]},
        Content={"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}},
        EmailTags=[{"Name": name, "Value": value} for name, value in (tags or {}).items()],
    )


STREAMS: dict[str, Any] = {
    "feed": "configuration-set",
    "identities": ["streams.example"],
    "policy": {"stream_tag": "stream"},
    "endpoints": {"complaints": ["https://app.invalid/ses"]},  # nobody is there
}


@pytest.fixture(scope="module")
def streams(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    verified(emulator, "streams.example")
    return deployed(emulator, tmp_path_factory.mktemp("streams"), "streams", **STREAMS)


def test_streams_come_by_the_configuration_set(streams: Stack) -> None:
    stack, sesv2 = streams, streams.emulator.client("sesv2")
    identity = sesv2.get_email_identity(EmailIdentity="streams.example")
    assert identity["ConfigurationSetName"] == "ses-suppression-streams"
    assert identity["FeedbackForwardingStatus"] is False
    complainer = an_address().replace("bounce", "complaint")
    send(stack, complainer, tags={"stream": "newsletter"})
    assert stack.await_record(complainer).suppressions.keys() == {"newsletter"}
    assert stack.suppressions.check(complainer, stream="receipts") is None
    assert stack.suppressions.check(complainer, stream="newsletter") is not None
    doctor = Operator(stack, ("--env", "streams")).run("doctor")
    assert doctor.returncode == 0, doctor.stdout
    assert "ses-suppression-streams publishes to all topics" in doctor.stdout


def test_a_topic_that_a_recipient_unsubscribed_from_is_a_stream(streams: Stack) -> None:
    stack, recipient = streams, an_address()
    now = datetime.now(UTC)
    left = subscription_event(recipient, topics={"newsletter": "OptOut"}, at=now, mail_id="m1")
    stack.publish("Complaints", left)
    wait_for(
        "the unsubscription",
        lambda: stack.suppressions.check(recipient, stream="newsletter"),
        seconds=SECONDS,
    )
    assert stack.suppressions.check(recipient, stream="receipts") is None
    again = subscription_event(
        recipient, topics={"newsletter": "OptIn"}, at=now + timedelta(seconds=1), mail_id="m2"
    )
    stack.publish("Complaints", again)
    wait_for(
        "the subscription",
        lambda: stack.suppressions.check(recipient, stream="newsletter") is None,
        seconds=SECONDS,
    )


def test_an_app_is_subscribed_and_what_it_did_not_take_has_a_queue(streams: Stack) -> None:
    sns, outputs = streams.emulator.client("sns"), streams.deployment.outputs
    topic = outputs["ComplaintsTopicArn"]
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    (app,) = [one for one in listed if one["Protocol"] == "https"]
    assert app["Endpoint"] == outputs["ComplaintsEndpoints"] == "https://app.invalid/ses"
    attributes = sns.get_subscription_attributes(SubscriptionArn=app["SubscriptionArn"])
    queue_name = outputs["ComplaintsEndpointDeadLetterQueueUrl"].rpartition("/")[2]
    assert attributes["Attributes"]["RedrivePolicy"].endswith(f'{queue_name}"}}')


@pytest.mark.slow
def test_a_change_of_the_feed_there_and_back_loses_no_mail_that_is_in_flight(
    streams: Stack, tmp_path: Path
) -> None:
    emulator, sesv2 = streams.emulator, streams.emulator.client("sesv2")
    name = "streams.example"
    with streams.quick_retries("Bounces"):
        with mail_in_flight(emulator, f"shop@{name}") as addresses:
            deployed(emulator, tmp_path, "streams", identities=[name])
            identity = sesv2.get_email_identity(EmailIdentity=name)
            assert not identity["ConfigurationSetName"]
            assert identity["FeedbackForwardingStatus"] is False
            wait_for_more(addresses)
            deployed(emulator, tmp_path, "streams", **STREAMS)
            identity = sesv2.get_email_identity(EmailIdentity=name)
            assert identity["ConfigurationSetName"] == "ses-suppression-streams"
            assert identity["FeedbackForwardingStatus"] is False
            wait_for_more(addresses)
        for address in addresses:
            assert streams.await_suppression(address).reason == "BOUNCE"


@pytest.mark.slow
def test_a_default_configuration_set_that_was_taken_over_is_given_back(
    emulator: Emulator, tmp_path: Path
) -> None:
    sesv2, name = emulator.client("sesv2"), verified(emulator, "taken.example")
    sesv2.create_configuration_set(ConfigurationSetName="theirs")
    sesv2.put_email_identity_configuration_set_attributes(
        EmailIdentity=name, ConfigurationSetName="theirs"
    )
    values = {"feed": "configuration-set", "deliveries": False}
    with pytest.raises(LocalError, match="publishes already: default configuration set -> theirs"):
        deployed(emulator, tmp_path, "taking", identities=[name], **values)
    taken = [{"name": name, "take_over": True}]
    deployed(emulator, tmp_path, "taking", identities=taken, **values)
    identity = sesv2.get_email_identity(EmailIdentity=name)
    assert identity["ConfigurationSetName"] == "ses-suppression-taking"
    cloudformation = emulator.client("cloudformation")
    cloudformation.delete_stack(StackName="ses-suppression-taking")
    wait_for(
        "their configuration set",
        lambda: sesv2.get_email_identity(EmailIdentity=name)["ConfigurationSetName"] == "theirs",
        seconds=60,
    )


@pytest.fixture(scope="module")
def home(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A stack with nothing of its own that holds data: table, key and hosted zone were there."""
    zone = emulator.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference="1")
    key, table_key = (emulator.client("kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    emulator.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=key_policy())
    table = emulator.client("dynamodb").create_table(
        TableName="from-before",
        KeySchema=[{"AttributeName": "address", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "address", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    zone_id = zone["HostedZone"]["Id"].rpartition("/")[2]
    return deployed(
        emulator,
        tmp_path_factory.mktemp("home"),
        "home",
        identities=[{"name": DOMAIN, "create": True, "hosted_zone_id": zone_id}],
        table=table["TableDescription"]["TableArn"],
        table_key=table_key,
        key=key,
    )


DOMAIN = "made.example"


def key_policy() -> str:
    """Give the policy that the deployment page shows for a key of one's own."""
    page = (ROOT / "docs" / "deployment.md").read_text()
    (statements,) = re.findall(r"^```json key-policy\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ours = statements.replace("111122223333", ACCOUNT_ID).replace("topic-prod", "topic-home")
    return json.dumps({"Version": "2012-10-17", "Statement": json.loads(ours)})


@pytest.mark.slow
def test_an_identity_is_made_with_its_records_in_the_hosted_zone(home: Stack) -> None:
    route53 = home.emulator.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    records = {
        record["Name"].rstrip("."): record["ResourceRecords"][0]["Value"]
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])[
            "ResourceRecordSets"
        ]
        if record["Type"] == "CNAME"
    }
    told = [home.deployment.outputs[f"MadeExampleDkimRecord{number}"] for number in (1, 2, 3)]
    assert sorted(told) == sorted(f"{name} CNAME {value}" for name, value in records.items())


@pytest.mark.slow
def test_a_table_and_a_key_that_exist_are_adopted(home: Stack) -> None:
    assert home.deployment.table_name == "from-before"
    assert home.deployment.outputs["SuppressionKeyArn"] == home.config.key
    assert "CanaryFunctionName" not in home.deployment.outputs  # it is null in `cdk.json`
    assert home.deployment.outputs["SuppressionTableKeyArn"] == home.config.table_key
    send(home, address := an_address())
    assert home.await_suppression(address).reason == "BOUNCE"


@pytest.mark.slow
def test_a_failed_update_rolls_back_though_somebody_else_has_set_the_identity_since(
    home: Stack, tmp_path: Path
) -> None:
    ses, cloudformation = (home.emulator.client(one) for one in ("ses", "cloudformation"))
    theirs = home.emulator.client("sns").create_topic(Name="theirs")["TopicArn"]
    bounces: dict[str, str] = {"Identity": DOMAIN, "NotificationType": "Bounce"}
    ses.set_identity_notification_topic(**bounces, SnsTopic=theirs)
    operator = Operator(home, ("--env", "home"))
    try:
        values = {"table": home.config.table, "key": home.config.key}
        with pytest.raises(LocalError, match=f"publishes already: Bounce -> {theirs}"):
            deployed(
                home.emulator, tmp_path, "home", identities=[DOMAIN], deliveries=False, **values
            )
        (stack,) = cloudformation.describe_stacks(StackName="ses-suppression-home")["Stacks"]
        assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        refused = operator.run("doctor", "--fix")
        assert (refused.returncode, theirs in refused.stderr) == (2, True), refused
    finally:
        ses.set_identity_notification_topic(**bounces)
    assert operator.run("doctor").returncode == 1
    assert operator.run("doctor", "--fix").returncode == 0
    send(home, address := an_address())
    assert home.await_suppression(address).reason == "BOUNCE"


@pytest.mark.slow
def test_a_stack_in_another_region_writes_to_the_home_regions_table(
    home: Stack, tmp_path: Path
) -> None:
    dynamodb = home.emulator.client("dynamodb")
    table = dynamodb.describe_table(TableName=home.deployment.table_name)["Table"]["TableArn"]
    away = deployed(
        home.emulator,
        tmp_path,
        "away",
        region="us-east-1",
        identities=[verified(home.emulator, "away.example", region="us-east-1")],
        table=table,
        table_key=home.deployment.outputs["SuppressionTableKeyArn"],
    )
    send(away, address := an_address())
    assert home.await_suppression(address).reason == "BOUNCE"
    assert away.deployment.table_name == table
    asked = Operator(away, ("--env", "away", "--region", "us-east-1")).run("check", address)
    assert "BOUNCE" in asked.stdout
    elsewhere = home.emulator.client("dynamodb", region_name="us-east-1")
    assert elsewhere.list_tables()["TableNames"] == []
