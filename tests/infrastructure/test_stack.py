"""What emulators ignore is asserted in the template."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template

from ses_suppression.cli.app import _COMMANDS
from ses_suppression.deployment import METRIC_NAMESPACE
from stacks.bundle import ROOT
from stacks.checks import check
from tests.infrastructure import snapshot
from tests.infrastructure.templates import resources, synthesized
from tests.pages import anchors_of

PINNED = {
    "EncryptionKey3A692D6E": "AWS::KMS::Key",
    "SuppressionTable33D2C7DC": "AWS::DynamoDB::GlobalTable",
    "BouncesTopicA8AAA5BB": "AWS::SNS::Topic",
    "BouncesQueueD284441D": "AWS::SQS::Queue",
    "BouncesDeadLetterQueue01C17994": "AWS::SQS::Queue",
    "BouncesUndeliveredQueue5233F1D1": "AWS::SQS::Queue",
    "ComplaintsTopic1C498146": "AWS::SNS::Topic",
    "ComplaintsQueue04E844EB": "AWS::SQS::Queue",
    "ComplaintsDeadLetterQueueC5EA6400": "AWS::SQS::Queue",
    "ComplaintsUndeliveredQueueA0E9CBBB": "AWS::SQS::Queue",
    "DeliveriesTopicF217F407": "AWS::SNS::Topic",
    "DeliveriesQueue99C7B338": "AWS::SQS::Queue",
    "DeliveriesDeadLetterQueueC4B61502": "AWS::SQS::Queue",
    "DeliveriesUndeliveredQueueDA23C7BE": "AWS::SQS::Queue",
    "AlarmsTopic3A2DFEBA": "AWS::SNS::Topic",  # people have confirmed their subscriptions
}


@pytest.mark.parametrize(("logical_id", "of_type"), PINNED.items())
def test_what_holds_data_keeps_its_type_and_logical_id(
    template: Template, logical_id: str, of_type: str
) -> None:
    """Another of either would replace it: a new, empty table."""
    assert logical_id in resources(template, of_type)


def test_everything_that_holds_data_is_pinned(template: Template) -> None:
    assert {
        of_type: len(resources(template, of_type)) for of_type in set(PINNED.values())
    } == Counter(PINNED.values())


def test_the_topics_have_the_names_that_users_were_promised(template: Template) -> None:
    names = {
        topic["Properties"]["TopicName"]
        for topic in resources(template, "AWS::SNS::Topic").values()
    }
    assert names == {
        "ses-bounces-topic-dev",
        "ses-complaints-topic-dev",
        "ses-deliveries-topic-dev",
        "ses-suppression-alarms-dev",
    }


def test_deliveries_are_optional() -> None:
    template = synthesized(identities=["example.com"], deliveries=False)
    template.resource_count_is("AWS::SNS::Topic", 1 + 2)
    template.resource_count_is("AWS::Lambda::EventSourceMapping", 2)
    template.has_resource_properties(
        "Custom::SESIdentityNotifications", {"Topics": {"Delivery": Match.absent()}}
    )


def test_the_table_expires_is_recoverable_protected_and_encrypted(template: Template) -> None:
    template.has_resource(
        "AWS::DynamoDB::GlobalTable",
        {
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "KeySchema": [{"AttributeName": "address", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
                "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
                "Replicas": [
                    Match.object_like(
                        {
                            "DeletionProtectionEnabled": True,
                            "PointInTimeRecoverySpecification": {
                                "PointInTimeRecoveryEnabled": True
                            },
                            "SSESpecification": {"KMSMasterKeyId": Match.any_value()},
                        }
                    )
                ],
            },
        },
    )


def test_the_key_outlives_the_stack_and_rotates(template: Template) -> None:
    template.has_resource(
        "AWS::KMS::Key",
        {
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Properties": Match.object_like({"EnableKeyRotation": True}),
        },
    )


def test_the_key_admits_ses_sns_alarms_and_eventbridge_and_nobody_else(template: Template) -> None:
    (key,) = resources(template, "AWS::KMS::Key").values()
    root, ses, sns, cloudwatch = key["Properties"]["KeyPolicy"]["Statement"]
    assert root["Principal"]["AWS"]["Fn::Join"][1][-1] == ":root"
    for statement in (ses, sns, cloudwatch):
        assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    # As AWS documents both: the topics' policies say for whom SES publishes.
    assert ses["Principal"] == {"Service": ["events.amazonaws.com", "ses.amazonaws.com"]}
    assert "Condition" not in ses
    assert sns["Principal"] == {"Service": "sns.amazonaws.com"}
    assert sns["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1][-1] == ":ses-*-topic-dev"
    assert cloudwatch["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert cloudwatch["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_a_queue_takes_messages_from_its_own_topic_only(template: Template) -> None:
    policy = resources(template, "AWS::SQS::QueuePolicy")["BouncesQueuePolicyC8441EF5"]
    allowed = [
        statement
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    (statement,) = allowed
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Ref": "BouncesTopicA8AAA5BB"}}
    }


def test_topics_and_queues_are_encrypted_with_the_key_and_want_tls(template: Template) -> None:
    key = {"Fn::GetAtt": ["EncryptionKey3A692D6E", "Arn"]}
    for of_type in ("AWS::SNS::Topic", "AWS::SQS::Queue"):
        for resource in resources(template, of_type).values():
            assert resource["Properties"]["KmsMasterKeyId"] == key
    for of_type, held in (("AWS::SNS::TopicPolicy", 4), ("AWS::SQS::QueuePolicy", 9)):
        policies = resources(template, of_type).values()
        assert len(policies) == held
        for policy in policies:
            statements = policy["Properties"]["PolicyDocument"]["Statement"]
            assert any(
                statement["Effect"] == "Deny"
                and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                for statement in statements
            )


def test_of_all_services_only_ses_may_publish_and_only_for_our_identities(
    template: Template,
) -> None:
    for name, policy in resources(template, "AWS::SNS::TopicPolicy").items():
        if name.startswith("Alarms"):
            continue
        allowed = [
            statement
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow"
        ]
        (statement,) = allowed
        assert statement["Principal"] == {"Service": "ses.amazonaws.com"}
        assert statement["Action"] == "sns:Publish"
        assert statement["Condition"]["StringEquals"] == {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"}
        }
        arns = statement["Condition"]["ArnLike"]["aws:SourceArn"]
        assert [arn["Fn::Join"][1][-1] for arn in arns] == [
            ":identity/example.com",
            ":identity/mail.example.net",
            # The other feed too: when the feed changes, no publish is refused in between.
            ":configuration-set/ses-suppression-dev",
        ]


def test_a_message_is_tried_twenty_times_and_kept_for_fourteen_days(template: Template) -> None:
    queues = resources(template, "AWS::SQS::Queue")
    fourteen_days = 14 * 24 * 3600
    assert {queue["Properties"]["MessageRetentionPeriod"] for queue in queues.values()} == {
        fourteen_days
    }
    redriven = [
        queue["Properties"]["RedrivePolicy"]["maxReceiveCount"]
        for queue in queues.values()
        if "RedrivePolicy" in queue["Properties"]
    ]
    assert redriven == [20, 20, 20]


def test_a_message_is_seen_again_only_after_six_function_timeouts(template: Template) -> None:
    timeouts = {
        function["Properties"]["Timeout"]
        for function in resources(template, "AWS::Lambda::Function").values()
        if "applies" in function["Properties"]["Description"]
    }
    visible = {
        queue["Properties"]["VisibilityTimeout"]
        for queue in resources(template, "AWS::SQS::Queue").values()
        if "RedrivePolicy" in queue["Properties"]
    }
    assert visible == {6 * timeout for timeout in timeouts} == {180}


def test_sns_puts_what_it_cannot_deliver_on_a_queue_of_its_own(template: Template) -> None:
    subscriptions = resources(template, "AWS::SNS::Subscription")
    assert len(subscriptions) == 3
    for subscription in subscriptions.values():
        assert subscription["Properties"]["RawMessageDelivery"] is True
        target = subscription["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert "UndeliveredQueue" in target


def test_batches_report_their_failures_and_lambda_accepts_their_sizes(template: Template) -> None:
    mappings = resources(template, "AWS::Lambda::EventSourceMapping").values()
    found = sorted(
        (
            mapping["Properties"]["BatchSize"],
            mapping["Properties"].get("MaximumBatchingWindowInSeconds", 0),
        )
        for mapping in mappings
    )
    assert found == [(10, 0), (100, 1), (1000, 10)]
    for mapping in mappings:
        assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["Properties"]["ScalingConfig"] == {"MaximumConcurrency": 10}


def test_an_ingest_role_may_do_what_it_needs_and_nothing_else(template: Template) -> None:
    (policy,) = [
        policy
        for name, policy in resources(template, "AWS::IAM::Policy").items()
        if name.startswith("BouncesRole")
    ]
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    may: dict[str, list[tuple[Any, Any]]] = {}
    for statement in statements:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            may.setdefault(action, []).append((statement["Resource"], statement.get("Condition")))
    assert set(may) == {
        "dynamodb:BatchGetItem",
        "dynamodb:PutItem",
        "kms:Decrypt",
        "kms:GenerateDataKey*",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    }
    table = {"Fn::GetAtt": ["SuppressionTable33D2C7DC", "Arn"]}
    assert [resource for resource, _ in may["dynamodb:PutItem"]] == [table]
    dead_letters = {"Fn::GetAtt": ["BouncesDeadLetterQueue01C17994", "Arn"]}
    assert [resource for resource, _ in may["sqs:SendMessage"]] == [dead_letters]
    queue = {"Fn::GetAtt": ["BouncesQueueD284441D", "Arn"]}
    assert [resource for resource, _ in may["sqs:ReceiveMessage"]] == [queue]
    for resource, condition in may["kms:Decrypt"] + may["kms:GenerateDataKey*"]:
        assert resource == {"Fn::GetAtt": ["EncryptionKey3A692D6E", "Arn"]}
        services = condition["StringEquals"]["kms:ViaService"]
        for service in services if isinstance(services, list) else [services]:
            assert service["Fn::Join"][1][0] in {"dynamodb.", "sqs."}


def test_the_key_is_used_through_each_service_for_both_directions(template: Template) -> None:
    policy = resources(template, "AWS::IAM::Policy")["BouncesRoleDefaultPolicy8696F585"]
    through = {
        statement["Condition"]["StringEquals"]["kms:ViaService"]["Fn::Join"][1][0]: statement[
            "Action"
        ]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if "Condition" in statement
    }
    both = ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert through == {"dynamodb.": both, "sqs.": both}


def test_a_function_is_told_the_policy_and_whose_feedback_to_take() -> None:
    template = synthesized(
        policy={"transient_bounces": 3}, sending_account_ids=["111122223333"], deliveries=False
    )
    policy = {"transient_bounces": 3, "transient_window_days": 14}
    functions = resources(template, "AWS::Lambda::Function").values()
    assert len(functions) == 2
    for function in functions:
        variables = function["Properties"]["Environment"]["Variables"]
        assert json.loads(variables["SUPPRESSION_POLICY"]) == policy, "no row would ever end"
        accounts = variables["SENDING_ACCOUNT_IDS"]["Fn::Join"][1]
        assert accounts == [{"Ref": "AWS::AccountId"}, ",111122223333"]


def test_the_stacks_own_account_is_always_among_those_whose_feedback_is_taken(
    template: Template,
) -> None:
    for name, function in resources(template, "AWS::Lambda::Function").items():
        if not name.startswith(("IdentitySettings", "Canary")):
            variables = function["Properties"]["Environment"]["Variables"]
            assert variables["SENDING_ACCOUNT_IDS"] == {"Ref": "AWS::AccountId"}


def test_a_reader_may_ask_and_nothing_else(template: Template) -> None:
    (policy,) = resources(template, "AWS::IAM::ManagedPolicy").values()
    assert policy["Properties"]["ManagedPolicyName"] == "ses-suppression-dev-eu-west-1-reader"
    ask, decrypt = policy["Properties"]["PolicyDocument"]["Statement"]
    table = {"Fn::GetAtt": ["SuppressionTable33D2C7DC", "Arn"]}
    assert ask["Action"] == ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
    assert ask["Resource"] == table
    assert ask["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["address", "suppressions"]},
        "Null": {"dynamodb:Attributes": "false"},
        "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
    }
    assert decrypt["Action"] == "kms:Decrypt"
    assert decrypt["Resource"] == {"Fn::GetAtt": ["EncryptionKey3A692D6E", "Arn"]}
    assert decrypt["Condition"]["StringEquals"]["kms:ViaService"]["Fn::Join"][1][0] == "dynamodb."


def test_an_app_finds_the_tables_name(template: Template) -> None:
    template.has_resource_properties(
        "AWS::SSM::Parameter",
        {"Name": "/ses-suppression/dev/table-name", "Value": {"Ref": "SuppressionTable33D2C7DC"}},
    )


def test_no_managed_policy_is_attached(template: Template) -> None:
    for role in resources(template, "AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def test_identities_are_set_one_after_the_other(template: Template) -> None:
    """SES takes one such call a second."""
    settings = resources(template, "Custom::SESIdentityNotifications")
    first, second = sorted(
        settings, key=lambda name: settings[name]["Properties"]["Identity"] != "example.com"
    )
    assert first in settings[second]["DependsOn"]


def test_what_is_likely_to_fail_fails_before_there_is_a_table_that_cannot_be_rolled_back(
    template: Template,
) -> None:
    settings = resources(template, "Custom::SESIdentityNotifications")
    table = resources(template, "AWS::DynamoDB::GlobalTable")["SuppressionTable33D2C7DC"]
    assert set(settings) <= set(table["DependsOn"])


def test_a_custom_resource_that_does_not_answer_fails_within_minutes(template: Template) -> None:
    for setting in resources(template, "Custom::SESIdentityNotifications").values():
        assert setting["Properties"]["ServiceTimeout"] == "300"


def test_the_queue_of_undelivered_notifications_takes_them_from_its_own_topic(
    template: Template,
) -> None:
    policy = resources(template, "AWS::SQS::QueuePolicy")["BouncesUndeliveredQueuePolicyA47730A2"]
    (allowed,) = [
        statement
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "BouncesTopicA8AAA5BB"}}}


def test_all_functions_share_one_asset_and_the_newest_runtime(template: Template) -> None:
    functions = resources(template, "AWS::Lambda::Function").values()
    assert len({str(function["Properties"]["Code"]) for function in functions}) == 1
    for function in functions:
        assert function["Properties"]["Runtime"] == "python3.14"
        assert function["Properties"]["Architectures"] == ["arm64"]


def test_the_template_is_the_one_that_was_reviewed() -> None:
    """A difference is no error: look at it, then `make snapshot` and commit it with the change."""
    assert json.loads(snapshot.template_of_prod()) == json.loads(snapshot.PATH.read_text())


def test_everything_that_can_have_tags_has_those_of_the_environment() -> None:
    template = synthesized(identities=["example.com"], tags={"team": "mail"})
    for of_type in set(PINNED.values()) - {"AWS::DynamoDB::GlobalTable"} | {
        "AWS::Lambda::Function"
    }:
        for resource in resources(template, of_type).values():
            assert {"Key": "team", "Value": "mail"} in resource["Properties"]["Tags"]


def test_a_finding_of_cdks_own_template_validation_stops_the_synth() -> None:
    flags = json.loads(snapshot.CDK_JSON.read_text())["context"]
    app = App(context=flags)
    sqs.CfnQueue(Stack(app, "careless"), "Queue", delay_seconds=901)
    with pytest.raises(RuntimeError, match=r"Validation failed|ValidationFailed"):
        app.synth()


def test_a_finding_of_the_aws_solutions_pack_stops_the_synth() -> None:
    app = App()
    check(app)
    sqs.Queue(Stack(app, "careless"), "Queue")
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS3"):
        app.synth()


NAMED = {
    "AlarmsDeadLetters20E28703": "AWS::CloudWatch::Alarm",
    "Dashboard7A714131": "AWS::CloudWatch::Dashboard",
    "EventPublishingConfigurationSet9E194742": "AWS::SES::ConfigurationSet",
    "ReaderPolicyE36521DA": "AWS::IAM::ManagedPolicy",
    "ReaderTableNameB0DEF03A": "AWS::SSM::Parameter",
}


@pytest.mark.parametrize(("logical_id", "of_type"), NAMED.items())
def test_what_has_a_name_keeps_its_logical_id(
    template: Template, logical_id: str, of_type: str
) -> None:
    """CloudFormation would make another of the same name before it deletes the first, and fail."""
    assert logical_id in resources(template, of_type)


def test_the_description_of_the_readers_policy_never_changes(template: Template) -> None:
    """It cannot be changed: CloudFormation would have to make another policy of the same name."""
    (policy,) = resources(template, "AWS::IAM::ManagedPolicy").values()
    assert policy["Properties"]["Description"] == (
        "Ask the SES suppression list: may I send mail to this address?"
    )


AFTER_THE_TABLE = {
    "AWS::CloudWatch::Alarm": "FunctionErrors and FunctionThrottles name the functions",
    "AWS::CloudWatch::Dashboard": "it graphs the table and the functions",
    "AWS::Events::Rule": "it calls the canary",
    "AWS::IAM::ManagedPolicy": "it lets apps read the table",
    "AWS::IAM::Policy": "it lets a function use the table",
    "AWS::Lambda::EventSourceMapping": "it calls a function",
    "AWS::Lambda::Function": "a variable has the table's name",
    "AWS::Lambda::Permission": "it lets the schedule call the canary",
    "AWS::SSM::Parameter": "it tells apps the table's name",
}


def test_a_first_deploy_that_fails_fails_before_the_table_wherever_it_can() -> None:
    """The table is protected, so that nothing can roll it back."""
    template = synthesized(
        identities=[{"name": "example.com", "create": True}],
        feed="configuration-set",
        endpoints={"bounces": ["https://shop.example/ses"]},
        alarm_emails=["ops@example.com"],
    ).to_json()["Resources"]
    needs = {name: needed_by(resource) & template.keys() for name, resource in template.items()}
    (table,) = [
        name for name, one in template.items() if one["Type"] == "AWS::DynamoDB::GlobalTable"
    ]
    after = {name for name in template if table in closure(needs, name)}
    before = closure(needs, table)
    assert template.keys() - before - after == {table}
    assert {template[name]["Type"] for name in after} == AFTER_THE_TABLE.keys()
    late = {name for name in after if template[name]["Type"] == "AWS::CloudWatch::Alarm"}
    assert {template[name]["Properties"]["AlarmName"].rsplit("-", 1)[1] for name in late} == {
        "FunctionErrors", "FunctionThrottles",
    }  # fmt: skip


def needed_by(resource: Mapping[str, Any]) -> set[str]:
    """Give the logical ids that a resource refers to, and some that are no resource."""
    text = json.dumps(resource)
    after = resource.get("DependsOn", [])
    return {
        *([after] if isinstance(after, str) else after),
        *re.findall(r'"Ref": "(\w+)"', text),
        *re.findall(r'"Fn::GetAtt": \["(\w+)"', text),
        *re.findall(r"\$\{(\w+)", text),
    }


def closure(needs: Mapping[str, set[str]], name: str) -> set[str]:
    """Give all that has to be there before, however far away."""
    found: set[str] = set()
    left = [name]
    while left:
        new = needs[left.pop()] - found
        found |= new
        left += new
    return found


def test_one_environment_in_two_regions_has_no_name_that_is_taken() -> None:
    """IAM and dashboards know no regions."""
    of_account = {"AWS::IAM::ManagedPolicy": "ManagedPolicyName"}
    of_account |= {"AWS::CloudWatch::Dashboard": "DashboardName", "AWS::IAM::Role": "RoleName"}
    names: list[Any] = []
    for region in ("eu-west-1", "us-east-1"):
        template = synthesized(identities=["example.com"], region=region)
        for of_type, key in of_account.items():
            for resource in resources(template, of_type).values():
                names += [resource["Properties"][key]] if key in resource["Properties"] else []
    assert len(names) == 4
    assert len(set(names)) == 4


def test_alarms_call_their_topic_and_say_what_to_do(template: Template) -> None:
    found = alarms(template)
    (topic,) = [
        name for name in resources(template, "AWS::SNS::Topic") if name.startswith("AlarmsTopic")
    ]
    assert len(found) <= MOST_ALARMS
    for name, properties in found.items():
        assert properties["AlarmActions"] == properties["OKActions"] == [{"Ref": topic}]
        silence = "breaching" if name == "Canary" else "notBreaching"
        assert properties["TreatMissingData"] == silence


MOST_ALARMS = 16
_DESCRIPTION = re.compile(
    r"ses-suppression --env dev (?P<command>[a-z -]+): .{20,}\. See (?P<page>docs/[a-z]+\.md)#"
    r"(?P<section>[a-z-]+)"
)


def test_an_alarm_names_the_command_to_run_and_a_section_that_is_there(template: Template) -> None:
    commands = {command.__name__.rstrip("_") for command in _COMMANDS} | {"dead-letters show"}
    for properties in alarms(template).values():
        described = _DESCRIPTION.fullmatch(properties["AlarmDescription"])
        assert described, properties["AlarmDescription"]
        assert described["command"] in commands
        assert described["section"] in anchors_of(ROOT / described["page"])


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Give the properties of each alarm, by its name without the stack's."""
    found = {}
    for alarm in resources(template, "AWS::CloudWatch::Alarm").values():
        stack, name = alarm["Properties"]["AlarmName"].rsplit("-", 1)
        assert stack == "ses-suppression-dev"
        found[name] = alarm["Properties"]
    return found


def watched(alarm: Mapping[str, Any]) -> tuple[str, set[tuple[str, str, int]]]:
    """Give how an alarm counts several metrics, and each: its name, statistic and period."""
    (expression,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
    stats = [one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one]
    assert len(stats) == 3, "one of each kind of feedback"
    return expression, {(one["Metric"]["MetricName"], one["Stat"], one["Period"]) for one in stats}


def test_what_is_left_on_any_queue_calls(template: Template) -> None:
    """Whatever the fault, messages stay on the queue, and after twenty receives beside it."""
    found = alarms(template)
    total = "SUM([FILL(m0, 0), FILL(m1, 0), FILL(m2, 0)])"
    left = ("ApproximateNumberOfMessagesVisible", "Maximum", 300)
    for name, expected in {
        "DeadLetters": (total, left),
        "Undelivered": (total, left),
        "Lost": (total, ("NumberOfNotificationsFailedToRedriveToDlq", "Sum", 300)),
        "Old": (total.replace("SUM", "MAX"), ("ApproximateAgeOfOldestMessage", "Maximum", 300)),
    }.items():
        expression, metrics_of_it = watched(found[name])
        assert (expression, metrics_of_it) == (expected[0], {expected[1]}), name
        assert found[name]["Threshold"] == (900 if name == "Old" else 0)
        assert found[name]["DatapointsToAlarm"] == found[name]["EvaluationPeriods"] == 1
    for name, queue in {
        "DeadLetters": "DeadLetterQueue",
        "Undelivered": "UndeliveredQueue",
    }.items():
        assert queue in json.dumps(found[name]["Metrics"])


@pytest.mark.parametrize("timeout", [30, 61, 120])
def test_a_table_that_takes_nothing_calls_within_three_periods_and_a_blip_does_not(
    timeout: int,
) -> None:
    """SQS leaves what it has given three times out of the age, so a metric of ours has to tell."""
    found = alarms(synthesized(function_timeout_seconds=timeout, deliveries=True))
    visibility = 6 * timeout
    for name in ("GivenBack", "FunctionErrors"):
        alarm = found[name]
        period = alarm.get("Period") or {stat[2] for stat in watched(alarm)[1]}.pop()
        assert period % 60 == 0, "CloudWatch takes no other"
        assert period == max(300, 60 * math.ceil(visibility / 60))
        of, needed = alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]
        for first in range(0, period, 7):
            given_back = [first + number * visibility for number in range(20)]
            assert calls_after(given_back, period, needed, of) <= 2 * period
            assert calls_after(given_back[:1], period, needed, of) == math.inf


def test_the_reliability_page_says_which_fault_calls_by_which_alarm_and_how_soon() -> None:
    template = synthesized(
        identities=["example.com"], endpoints={"bounces": ["https://shop.example/ses"]}
    )
    page = (ROOT / "docs" / "reliability.md").read_text()
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \| (\d+) \|$", page, re.MULTILINE)
    assert {name: int(minutes) for name, minutes in rows} == {
        name: minutes_of(alarm) for name, alarm in alarms(template).items()
    }


def minutes_of(alarm: Mapping[str, Any]) -> int:
    """Give the minutes after which an alarm can call, by its own figures."""
    period = alarm.get("Period") or next(
        one["MetricStat"]["Period"] for one in alarm["Metrics"] if "MetricStat" in one
    )
    seconds = alarm["DatapointsToAlarm"] * period
    if "ApproximateAgeOfOldestMessage" in json.dumps(alarm):
        seconds += alarm["Threshold"]
    return int(seconds / 60)


def calls_after(moments: Sequence[int], period: int, needed: int, of: int) -> float:
    """Give the seconds until so many of the last periods have a moment."""
    breaching = {moment // period for moment in moments}
    for number in range(100):
        if sum(one in breaching for one in range(number - of + 1, number + 1)) >= needed:
            return (number + 1) * period
    return math.inf


def test_a_canary_that_fails_or_falls_silent_twice_calls(template: Template) -> None:
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": "ses-suppression-dev-Canary",
            "MetricName": "CanaryFailed",
            "Threshold": 0,
            "EvaluationPeriods": 2,
            "TreatMissingData": "breaching",
        },
    )


def test_ses_itself_is_watched_before_and_where_aws_reviews(template: Template) -> None:
    found = sorted(
        (alarm["Properties"]["MetricName"], alarm["Properties"]["Threshold"])
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("Namespace") == "AWS/SES"
    )
    assert found == [
        ("Reputation.BounceRate", 0.02),
        ("Reputation.BounceRate", 0.05),
        ("Reputation.ComplaintRate", 0.0005),
        ("Reputation.ComplaintRate", 0.001),
    ]


def test_only_cloudwatch_of_this_account_and_eventbridge_call_by_the_alarms_topic(
    template: Template,
) -> None:
    (policy,) = [
        policy
        for name, policy in resources(template, "AWS::SNS::TopicPolicy").items()
        if name.startswith("Alarms")
    ]
    allowed = [
        (statement["Principal"], statement.get("Condition"))
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    of_account = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert allowed == [
        ({"Service": "cloudwatch.amazonaws.com"}, of_account),
        ({"Service": "events.amazonaws.com"}, None),
    ]


def test_a_spike_is_what_the_environment_says_and_people_are_mailed() -> None:
    template = synthesized(suppressions_an_hour=7, alarm_emails=["ops@example.com"])
    template.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {"MetricName": "Suppressions", "Threshold": 7, "Dimensions": Match.any_value()},
    )
    template.has_resource_properties(
        "AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "ops@example.com"}
    )


def test_the_alarms_look_at_the_metrics_that_the_functions_write(template: Template) -> None:
    ours = [
        alarm["Properties"]
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"].get("Namespace") == METRIC_NAMESPACE
    ]
    assert {one["MetricName"]: {name["Name"] for name in one["Dimensions"]} for one in ours} == {
        "GivenBack": {"environment"},
        "Suppressions": {"environment", "service"},
        "CanaryFailed": {"environment", "service"},
        "sender-fault": {"environment", "service"},
    }
    for one in ours:
        names = {dimension["Name"]: dimension["Value"] for dimension in one["Dimensions"]}
        assert names["environment"] == "dev"
        assert names.get("service", "bounces") in {"bounces", "canary"}


def test_the_dashboard_asks_the_operators_questions_from_top_to_bottom(template: Template) -> None:
    (dashboard,) = resources(template, "AWS::CloudWatch::Dashboard").values()
    body = "".join(
        part if isinstance(part, str) else "x"
        for part in dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    )
    widgets = json.loads(body)["widgets"]
    questions = [one["properties"]["markdown"] for one in widgets if one["type"] == "text"]
    assert questions == [
        "# Are we allowed to send?", "# Does feedback flow?", "# Who bounces?",
        "# Is anything stuck?", "# What does it cost?",
    ]  # fmt: skip
    assert [one["y"] for one in widgets] == sorted(one["y"] for one in widgets)
    shown = [metric for one in widgets for metric in one["properties"].get("metrics", [])]
    ours = {tuple(metric[:2]) for metric in shown if metric[0] == METRIC_NAMESPACE}
    assert {name for _, name in ours} >= {
        "Applied", "Retried", "Suppressions", "CanarySeconds", "hard-bounce", "complaint",
    }  # fmt: skip
    assert len(shown) < 100, "what a dashboard shows is what is paid for"


def test_the_canary_may_mail_the_simulator_and_ask_and_nothing_else(template: Template) -> None:
    (policy,) = [
        policy
        for name, policy in resources(template, "AWS::IAM::Policy").items()
        if name.startswith("CanaryRole")
    ]
    logs, ask, decrypt, mail = policy["Properties"]["PolicyDocument"]["Statement"]
    assert logs["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert ask["Action"] == ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
    assert decrypt["Action"] == "kms:Decrypt"
    assert mail["Action"] == "ses:SendEmail"
    assert mail["Resource"] == "*"
    assert mail["Condition"] == {
        "ForAllValues:StringLike": {"ses:Recipients": ["bounce+*@simulator.amazonses.com"]},
        "Null": {"ses:Recipients": "false"},
        "StringEqualsIfExists": {"ses:FromAddress": "canary@example.com"},
    }


@pytest.mark.parametrize(
    ("values", "canaries"),
    [
        ({"identities": ["example.com"]}, 1),
        ({"identities": ["example.com"], "canary_minutes": None}, 0),
        ({"identities": []}, 0),
    ],
)
def test_a_canary_flies_where_there_is_an_identity_unless_it_is_not_wanted(
    values: dict[str, Any], canaries: int
) -> None:
    template = synthesized(**values)
    found = [
        rule
        for rule in resources(template, "AWS::Events::Rule").values()
        if "ScheduleExpression" in rule["Properties"]
    ]
    assert len(found) == canaries


def test_a_canary_mails_from_the_first_identity() -> None:
    for identity, sender in (
        ("example.com", "canary@example.com"),
        ("shop@example.net", "shop@example.net"),
    ):
        variables = {"Variables": Match.object_like({"CANARY_SENDER": sender})}
        synthesized(identities=[identity], canary_minutes=5).has_resource_properties(
            "AWS::Lambda::Function", {"Environment": variables}
        )
