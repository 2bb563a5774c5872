"""What `cdk.json` can say beside the plain case, in the template."""

import json
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_ses as ses
from aws_cdk.assertions import Match, Template

from ses_suppression.deployment import NotificationType
from stacks.config import Config
from stacks.config_values import ConfigError
from stacks.suppression_stack import SuppressionStack
from stacks.template_limits import check_template
from tests.infrastructure.templates import KEY, TABLE, resources, synthesized


@pytest.fixture(scope="module")
def streams() -> Template:
    return synthesized(identities=["example.com"], feed="configuration-set")


def test_a_configuration_set_publishes_each_kind_to_its_topic(streams: Template) -> None:
    streams.has_resource_properties("AWS::SES::ConfigurationSet", {"Name": "ses-suppression-dev"})
    found = {
        event: destination["SnsDestination"]["TopicARN"]["Ref"]
        for destination in event_destinations(streams)
        for event in destination["MatchingEventTypes"]
    }
    assert found == {
        "bounce": "BouncesTopicA8AAA5BB",
        "complaint": "ComplaintsTopic1C498146",
        "subscription": "ComplaintsTopic1C498146",
        "delivery": "DeliveriesTopicF217F407",
    }


def test_every_event_that_is_asked_for_is_one_of_ses_and_the_doctor_misses_it(
    streams: Template,
) -> None:
    asked = {
        event
        for destination in event_destinations(streams)
        for event in destination["MatchingEventTypes"]
    }
    assert asked <= {event.name.lower() for event in ses.EmailSendingEvent}
    assert asked == {event for one in NotificationType for event in one.event_types}


def event_destinations(template: Template) -> list[dict[str, Any]]:
    found = resources(template, "AWS::SES::ConfigurationSetEventDestination").values()
    return [destination["Properties"]["EventDestination"] for destination in found]


def test_the_way_in_stands_before_ses_tries_a_topic(streams: Template) -> None:
    for destination in resources(streams, "AWS::SES::ConfigurationSetEventDestination").values():
        assert {"BouncesTopicPolicyC67FBEBB", "BouncesSubscription27B0B607"} <= set(
            destination["DependsOn"]
        )


def test_the_set_becomes_the_default_of_the_identities_and_no_topic_is_set(
    streams: Template,
) -> None:
    streams.has_resource_properties(
        "Custom::SESIdentityNotifications",
        {"Topics": {}, "ConfigurationSet": {"Ref": "EventPublishingConfigurationSet9E194742"}},
    )


def test_the_default_is_set_when_the_set_publishes_and_goes_before_it_stops(
    streams: Template,
) -> None:
    (settings,) = resources(streams, "Custom::SESIdentityNotifications").values()
    destinations = resources(streams, "AWS::SES::ConfigurationSetEventDestination")
    assert len(destinations) == 3
    assert destinations.keys() <= set(settings["DependsOn"])


def test_the_set_is_there_in_the_other_feed_too_and_publishes_nothing(template: Template) -> None:
    template.has_resource_properties("AWS::SES::ConfigurationSet", {"Name": "ses-suppression-dev"})
    template.resource_count_is("AWS::SES::ConfigurationSetEventDestination", 0)
    for settings in resources(template, "Custom::SESIdentityNotifications").values():
        assert "ConfigurationSet" not in settings["Properties"]


def test_the_topics_policies_are_the_same_for_both_feeds_so_that_a_change_loses_nothing(
    streams: Template,
) -> None:
    identity = synthesized(identities=["example.com"])
    assert resources(streams, "AWS::SNS::TopicPolicy") == resources(
        identity, "AWS::SNS::TopicPolicy"
    )
    assert resources(streams, "AWS::KMS::Key") == resources(identity, "AWS::KMS::Key")


def test_without_identities_whoever_names_the_set_is_heard_and_nobody_else() -> None:
    template = synthesized(feed="configuration-set")
    policy = resources(template, "AWS::SNS::TopicPolicy")["BouncesTopicPolicyC67FBEBB"]
    _, publish = policy["Properties"]["PolicyDocument"]["Statement"]
    (arn,) = publish["Condition"]["ArnLike"]["aws:SourceArn"]
    assert arn["Fn::Join"][1][-1] == ":configuration-set/ses-suppression-dev"
    template.resource_count_is("Custom::SESIdentityNotifications", 0)


def test_an_identity_that_is_made_outlives_the_stack_and_its_records_are_outputs() -> None:
    template = synthesized(identities=[{"name": "my-shop.example", "create": True}])
    template.has_resource(
        "AWS::SES::EmailIdentity",
        {
            "DeletionPolicy": "RetainExceptOnCreate",
            "Properties": {"EmailIdentity": "my-shop.example"},
        },
    )
    template.resource_count_is("AWS::Route53::RecordSet", 0)
    outputs = template.find_outputs("*")
    assert {name for name in outputs if "Dkim" in name} == {
        f"MyShopExampleDkimRecord{number}" for number in (1, 2, 3)
    }
    settings = resources(template, "Custom::SESIdentityNotifications")
    (setting,) = settings.values()
    assert resources(template, "AWS::SES::EmailIdentity").keys() <= set(setting["DependsOn"])


def test_two_domains_whose_names_read_alike_have_outputs_of_their_own() -> None:
    names = ("my-shop.example", "my.shop.example")
    template = synthesized(identities=[{"name": name, "create": True} for name in names])
    assert {name for name in template.find_outputs("*") if name.endswith("DkimRecord1")} == {
        "MyShopExampleDkimRecord1",
        "MyShopExample2DkimRecord1",
    }


def test_records_are_written_where_the_hosted_zone_is_named_and_kept() -> None:
    identity = {"name": "example.com", "create": True, "hosted_zone_id": "Z123"}
    records = resources(synthesized(identities=[identity]), "AWS::Route53::RecordSet")
    assert len(records) == 3
    for record in records.values():
        assert record["DeletionPolicy"] == "RetainExceptOnCreate"
        assert record["Properties"]["HostedZoneId"] == "Z123"
        assert record["Properties"]["Type"] == "CNAME"


def test_an_address_that_is_made_has_no_records() -> None:
    template = synthesized(identities=[{"name": "shop@example.com", "create": True}])
    template.has_resource_properties(
        "AWS::SES::EmailIdentity", {"EmailIdentity": "shop@example.com"}
    )
    assert not [name for name in template.find_outputs("*") if "Dkim" in name]


def test_an_adopted_table_is_used_and_none_is_made() -> None:
    template = synthesized(identities=["example.com"], table=TABLE, table_key=KEY)
    template.resource_count_is("AWS::DynamoDB::GlobalTable", 0)
    for statement in statements(template, "dynamodb:PutItem"):
        assert statement["Resource"] == TABLE
    keys = [statement["Resource"] for statement in statements(template, "kms:GenerateDataKey*")]
    assert KEY in keys
    template.has_output("SuppressionTableName", {"Value": "suppressions"})


def test_a_table_without_a_key_of_its_own_asks_for_none() -> None:
    template = synthesized(table=TABLE)
    template.has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": {"Statement": [Match.object_like({"Resource": TABLE})]}},
    )


def test_a_table_in_another_region_is_named_by_its_arn_and_its_key_used_there() -> None:
    away = {"table": TABLE.replace("eu-west-1", "us-east-1")}
    template = synthesized(**away, table_key=KEY.replace("eu-west-1", "us-east-1"))
    template.has_output("SuppressionTableName", {"Value": away["table"]})
    template.has_resource_properties("AWS::SSM::Parameter", {"Value": away["table"]})
    through = [
        statement["Condition"]["StringEquals"]["kms:ViaService"]["Fn::Join"][1][0]
        for statement in statements(template, "kms:GenerateDataKey*")
        if statement["Resource"] != {"Fn::GetAtt": ["EncryptionKey3A692D6E", "Arn"]}
    ]
    assert set(through) == {"dynamodb.us-east-1."}


def test_the_identities_function_may_change_identities_and_give_any_default_back(
    template: Template,
) -> None:
    (statement,) = statements(template, "ses:PutEmailIdentityConfigurationSetAttributes")
    ends = [resource["Fn::Join"][1][-1] for resource in statement["Resource"]]
    assert ends == [":configuration-set/*", ":identity/*"]
    (of_identities,) = statements(template, "ses:PutEmailIdentityFeedbackAttributes")
    assert of_identities["Resource"]["Fn::Join"][1][-1] == ":identity/*"
    (first_version,) = statements(template, "ses:SetIdentityNotificationTopic")
    assert first_version["Resource"] == "*"


def test_an_adopted_key_encrypts_everything_and_none_is_made() -> None:
    template = synthesized(identities=["example.com"], key=KEY)
    template.resource_count_is("AWS::KMS::Key", 0)
    for of_type in ("AWS::SNS::Topic", "AWS::SQS::Queue"):
        for resource in resources(template, of_type).values():
            assert resource["Properties"]["KmsMasterKeyId"] == KEY
    (table,) = resources(template, "AWS::DynamoDB::GlobalTable").values()
    (replica,) = table["Properties"]["Replicas"]
    assert replica["SSESpecification"]["KMSMasterKeyId"] == KEY


ENDPOINTS = {
    "bounces": ["https://shop.example/ses/x", "https://shop.example:8443/ses--x?of=%C3%A4"],
    "deliveries": ["https://shop.example/ses"],
}


@pytest.fixture(scope="module")
def endpoints() -> Template:
    return synthesized(identities=["example.com"], endpoints=ENDPOINTS)


def of_endpoints(template: Template) -> list[dict[str, Any]]:
    return [
        subscription["Properties"]
        for subscription in resources(template, "AWS::SNS::Subscription").values()
        if subscription["Properties"]["Protocol"] == "https"
    ]


def test_an_app_hears_of_the_kinds_of_feedback_that_it_is_named_for(endpoints: Template) -> None:
    found = {(one["TopicArn"]["Ref"][:6], one["Endpoint"]) for one in of_endpoints(endpoints)}
    assert found == {
        (kind.capitalize()[:6], url) for kind, urls in ENDPOINTS.items() for url in urls
    }


def test_what_an_app_is_sent_is_signed_so_never_raw(endpoints: Template) -> None:
    assert all("RawMessageDelivery" not in one for one in of_endpoints(endpoints))
    for topic in resources(endpoints, "AWS::SNS::Topic").values():
        is_of_feedback = topic["Properties"]["TopicName"].endswith("-topic-dev")
        assert topic["Properties"].get("SignatureVersion") == ("2" if is_of_feedback else None)


def test_an_app_is_tried_again_for_less_than_an_hour_whatever_the_tries_between_wait(
    endpoints: Template,
) -> None:
    """SNS refuses a policy of more than 3,600 seconds ("Amazon SNS message delivery retries")."""
    for one in of_endpoints(endpoints):
        retries = one["DeliveryPolicy"]["healthyRetryPolicy"]
        at_least = retries["numMinDelayRetries"]
        longest = (
            at_least * retries["minDelayTarget"]
            + (retries["numRetries"] - at_least) * retries["maxDelayTarget"]
        )
        assert 1800 < longest < 3600


def test_what_an_app_did_not_take_is_kept_and_watched_beside_the_functions_queues(
    endpoints: Template,
) -> None:
    queues = resources(endpoints, "AWS::SQS::Queue")
    kept = {
        one["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for one in of_endpoints(endpoints)
    }
    assert len(kept) == len(ENDPOINTS)
    for logical_id in kept:
        assert "EndpointDeadLetterQueue" in logical_id
        queue = queues[logical_id]["Properties"]
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert queue["KmsMasterKeyId"]
    endpoints.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"AlarmName": "ses-suppression-dev-EndpointDeadLetters"}
    )
    endpoints.has_output("BouncesEndpointDeadLetterQueueUrl", {})
    assert not endpoints.find_outputs("ComplaintsEndpointDeadLetterQueueUrl")
    policies = resources(endpoints, "AWS::SQS::QueuePolicy").values()
    admitted = {
        policy["Properties"]["Queues"][0]["Ref"]
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": "sns.amazonaws.com"}
        and statement["Action"] == "sqs:SendMessage"
    }
    assert kept <= admitted


def test_an_endpoint_changes_nothing_of_what_is_there_without_one(endpoints: Template) -> None:
    plain = synthesized(identities=["example.com"])
    for of_type in (
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::KMS::Key",
        "AWS::IAM::Policy",
    ):
        assert resources(plain, of_type) == resources(endpoints, of_type)
    for of_type in ("AWS::SNS::Subscription", "AWS::SQS::Queue"):
        assert resources(plain, of_type).items() <= resources(endpoints, of_type).items()


def test_an_app_that_sns_cannot_reach_fails_before_there_is_a_table_that_nothing_rolls_back(
    endpoints: Template,
) -> None:
    (table,) = resources(endpoints, "AWS::DynamoDB::GlobalTable").values()
    apps = {
        logical_id
        for logical_id, subscription in resources(endpoints, "AWS::SNS::Subscription").items()
        if subscription["Properties"]["Protocol"] == "https"
    }
    assert len(apps) == 3
    assert apps <= set(table["DependsOn"])


def test_a_try_at_an_app_that_fails_calls_nobody(endpoints: Template) -> None:
    """The metric counts every try, which says nothing until the last has failed."""
    text = json.dumps(resources(endpoints, "AWS::CloudWatch::Alarm"))
    assert '"NumberOfNotificationsFailed"' not in text


def test_logs_are_kept_for_the_days_of_the_configuration_under_the_key() -> None:
    template = synthesized(identities=["example.com"], encrypt_logs=True, log_retention_days=400)
    groups = resources(template, "AWS::Logs::LogGroup")
    (key,) = resources(template, "AWS::KMS::Key")
    assert len(groups) == 5
    for group in groups.values():
        assert group["Properties"] == {
            "RetentionInDays": 400, "KmsKeyId": {"Fn::GetAtt": [key, "Arn"]},
        }  # fmt: skip
    (policy,) = resources(template, "AWS::KMS::Key").values()
    (admitted,) = [
        statement
        for statement in policy["Properties"]["KeyPolicy"]["Statement"]
        if "logs." in json.dumps(statement["Principal"])
    ]
    assert "kms:EncryptionContext:aws:logs:arn" in admitted["Condition"]["ArnLike"]
    plain = resources(synthesized(identities=["example.com"]), "AWS::Logs::LogGroup").values()
    assert [group["Properties"] for group in plain] == [{"RetentionInDays": 90}] * 5


def test_a_stack_is_protected_against_its_removal_when_that_is_wanted() -> None:
    for wanted in (True, False):
        config = Config.from_context(
            {
                "env": "dev",
                "environments": {"dev": {"region": "eu-west-1", "termination_protection": wanted}},
            }
        )
        stack = SuppressionStack(App(), "stack", config=config)
        assert stack.termination_protection is wanted


def test_an_account_that_may_send_no_more_calls_by_eventbridge() -> None:
    template = synthesized()
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {"source": ["aws.ses"], "detail-type": ["Sending Status Disabled"]},
            "Targets": [Match.object_like({"Arn": {"Ref": Match.string_like_regexp("Alarms")}})],
        },
    )
    (key,) = resources(template, "AWS::KMS::Key").values()
    (topic,) = [
        policy
        for name, policy in resources(template, "AWS::SNS::TopicPolicy").items()
        if name.startswith("Alarms")
    ]
    for document in (key["Properties"]["KeyPolicy"], topic["Properties"]["PolicyDocument"]):
        (admitted,) = [
            statement
            for statement in document["Statement"]
            if "events.amazonaws.com" in json.dumps(statement["Principal"])
        ]
        assert "Condition" not in admitted, "EventBridge takes none"


def test_the_largest_configuration_fits_and_a_larger_one_is_refused_with_the_limits_name() -> None:
    largest: dict[str, Any] = {
        "identities": [
            {"name": f"{number:a>20}.shop.example", "create": True, "hosted_zone_id": "Z012345678"}
            for number in range(50)
        ],
        "endpoints": {
            kind: [f"https://shop.example/{kind}/{number}" for number in range(10)]
            for kind in ("bounces", "complaints", "deliveries")
        },
        "tags": {f"key-{number}": "value" for number in range(20)},
    }
    check_template(json.dumps(synthesized(**largest).to_json()), "environments.dev")
    largest["tags"] = {f"{number:k>120}": "v" * 256 for number in range(40)}
    with pytest.raises(ConfigError, match="more than CloudFormation's limit of 1,000,000"):
        check_template(json.dumps(synthesized(**largest).to_json()), "environments.dev")
    for part, limit in {"Resources": 500, "Outputs": 200}.items():
        text = json.dumps({part: {str(number): {} for number in range(limit + 1)}})
        with pytest.raises(ConfigError, match=f"CloudFormation's limit of {limit}"):
            check_template(text, "environments.dev")


def statements(template: Template, action: str) -> list[dict[str, Any]]:
    """Give the statements of the functions' roles that allow an action: there are some."""
    found = [
        statement
        for policy in resources(template, "AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if action in statement["Action"]
    ]
    assert found
    return found
