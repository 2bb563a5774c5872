"""What the doctor finds of the account at SES, in answers that no emulator gives."""

from typing import Any

import pytest

from ses_suppression.ses_account.checks.identities import (
    addresses_apart,
    check_identities,
    check_own_settings,
)
from ses_suppression.ses_account.checks.sending import check_regions, check_sending
from ses_suppression.ses_account.health import Finding, Level
from tests.stubbed_aws import ARNS, AWS, BY_SET

HEALTHY: dict[str, Any] = {
    "EnforcementStatus": "HEALTHY",
    "SendingEnabled": True,
    "ProductionAccessEnabled": True,
    "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
}


def found(**answer: Any) -> list[Finding]:
    """Let the doctor look at an account."""
    aws = AWS()
    aws.answers("sesv2", "get_account", {**HEALTHY, **answer})
    return aws.found(check_sending)


def test_a_healthy_account_is_fine_and_what_ses_suppresses_itself_is_told() -> None:
    health, listed = found()
    assert (health.level, listed.level) == (Level.OK, Level.OK)
    assert listed.found == "SES itself suppresses after bounce and complaint"
    assert found(SuppressionAttributes={})[-1].found == "SES itself suppresses nobody"


@pytest.mark.parametrize(
    ("answer", "level", "says", "advice"),
    [
        ({"EnforcementStatus": "PROBATION"}, Level.FAILED, "AWS reviews the account", "the-rates"),
        ({"EnforcementStatus": "SHUTDOWN"}, Level.FAILED, "has paused", "support case"),
        ({"EnforcementStatus": "NEW ONE"}, Level.WARNING, "SES says NEW ONE", "the-rates"),
        ({"SendingEnabled": False}, Level.FAILED, "sends nothing", "--sending-enabled"),
        ({"ProductionAccessEnabled": False}, Level.WARNING, "sandbox", "production access"),
    ],
)
def test_what_is_wrong_with_an_account_is_told_with_what_to_do(
    answer: dict[str, Any], level: Level, says: str, advice: str
) -> None:
    (finding,) = [one for one in found(**answer) if one.level is not Level.OK]
    assert finding.level is level
    assert says in finding.found
    assert advice in finding.advice


def test_a_caller_who_may_not_ask_is_told_which_right_is_missing() -> None:
    aws = AWS()
    aws.refuses("sesv2", "get_account", "AccessDeniedException")
    aws.refuses("sesv2", "list_multi_region_endpoints", "AccessDeniedException")
    findings = aws.found(check_sending, check_regions)
    for finding, right in zip(findings, ("GetAccount", "ListMultiRegionEndpoints"), strict=True):
        assert finding.level is Level.WARNING
        assert finding.advice == f"allow the caller ses:{right}"


def test_an_identity_that_ses_does_not_send_for_is_named_with_what_proves_it() -> None:
    aws, names = AWS(), ["ok.example", "new.example", "ann@x.example"]
    aws.answers("sesv2", "get_account", HEALTHY)
    for verified in (True, False, False):
        aws.answers("sesv2", "get_email_identity", {"VerifiedForSendingStatus": verified})
    _, _, domain, address = aws.found(check_sending, Identities=",".join(names))
    assert (domain.check, domain.level) == ("identity new.example", Level.FAILED)
    assert "DKIM" in domain.advice
    assert (address.check, address.level) == ("identity ann@x.example", Level.FAILED)
    assert "link" in address.advice


ENDPOINT = {"EndpointName": "mail", "Regions": ["eu-west-1", "us-east-1"]}
HOME = "arn:aws:dynamodb:eu-west-1:123456789012:table/suppressions"


def in_regions(**stacks: dict[str, str]) -> list[Finding]:
    """Let the doctor look at a multi-region endpoint, and at the stacks of its regions."""
    aws = AWS()
    aws.answers("sesv2", "list_multi_region_endpoints", {"MultiRegionEndpoints": [ENDPOINT]})
    for region, found in stacks.items():
        table = {"OutputKey": "SuppressionTableName", "OutputValue": found.get("Table", "")}
        stack = {
            "StackName": found.get("StackName", "ses-suppression-any"),
            "StackStatus": found.get("StackStatus", "UPDATE_IN_PROGRESS"),
            "StackId": "arn:aws:cloudformation:x:1:stack/any/id",
            "CreationTime": "2026-12-01",
            "Outputs": [table] if "Table" in found else [],
        }
        place = region.replace("_", "-")
        aws.answers("cloudformation", "describe_stacks", {"Stacks": [stack]}, region=place)
    return aws.found(check_regions)


HERE, THERE = {"Table": "suppressions"}, {"Table": HOME}


def test_a_region_of_an_endpoint_has_a_stack_of_any_name_and_state_that_writes_to_the_table() -> (
    None
):
    assert in_regions(eu_west_1=HERE, us_east_1=THERE) == []


@pytest.mark.parametrize(
    "other",
    [
        {},
        HERE,  # a table of that region
        {**THERE, "StackName": "shop"},
        {**THERE, "StackStatus": "DELETE_IN_PROGRESS"},
    ],
)
def test_a_region_of_an_endpoint_without_such_a_stack_is_named(other: dict[str, str]) -> None:
    (finding,) = in_regions(eu_west_1=HERE, us_east_1=other)
    assert finding.level is Level.FAILED
    assert "us-east-1 too, where no stack writes to this table" in finding.found


def test_a_region_without_multi_region_endpoints_has_none() -> None:
    aws = AWS()
    aws.refuses("sesv2", "list_multi_region_endpoints", "BadRequestException")
    assert aws.found(check_regions) == []


APART = "ann@shop.example"
TOPICS = {"BounceTopic": "arn:Bounces", "ComplaintTopic": "arn:Complaints"}
ATTRIBUTES = {**TOPICS, "DeliveryTopic": "arn:Deliveries", "ForwardingEnabled": False}


@pytest.mark.parametrize("feed", ["identity", "configuration-set"])
@pytest.mark.parametrize("reports_here", [True, False])
def test_an_address_that_is_verified_by_itself_under_a_domain_is_named_unless_it_reports_here(
    feed: str, *, reports_here: bool
) -> None:
    aws = AWS()
    aws.answers("ses", "list_identities", {"Identities": ["shop.example", APART, "a@b.example"]})
    if feed == "configuration-set":
        default = "ours" if reports_here else "another"
        aws.answers("sesv2", "get_email_identity", {"ConfigurationSetName": default})
    else:
        attributes = {**ATTRIBUTES, **({} if reports_here else {"BounceTopic": ""})}
        aws.answers(
            "ses",
            "get_identity_notification_attributes",
            {"NotificationAttributes": {APART: attributes}},
        )
    findings = aws.found(
        check_own_settings,
        **ARNS,
        Identities="shop.example",
        Feed=feed,
        ConfigurationSetName="ours",
    )
    assert [one.found for one in findings] == ([] if reports_here else [APART])


@pytest.mark.parametrize(
    ("attributes", "level", "says"),
    [
        ({}, Level.OK, "its feedback comes here, forwarding is off"),
        ({"DeliveryTopic": ""}, Level.FAILED, "Delivery notifications do not come here"),
        ({"ForwardingEnabled": True}, Level.WARNING, "SES forwards feedback by e-mail too"),
    ],
)
def test_an_identity_publishes_to_all_topics_and_forwards_nothing(
    attributes: dict[str, Any], level: Level, says: str
) -> None:
    aws = AWS()
    empty = {"BounceTopic": "", "ComplaintTopic": "", "DeliveryTopic": ""}
    known = {
        "shop.example": {**ATTRIBUTES, **attributes},
        "theirs.example": {**ATTRIBUTES, **dict.fromkeys(empty, "arn:theirs")},
        "quiet.example": {**ATTRIBUTES, **empty},
    }
    aws.answers("ses", "list_identities", {"Identities": list(known)})
    aws.answers("ses", "get_identity_notification_attributes", {"NotificationAttributes": known})
    ours, quiet = aws.found(check_identities, **ARNS)
    assert (ours.check, ours.level) == ("identity shop.example", level)
    assert ours.found.startswith(says)
    assert (quiet.check, quiet.found) == ("identities without topics", "quiet.example")


def test_an_address_of_a_subdomain_is_under_the_domain_and_a_configured_one_is_not_apart() -> None:
    every = ["x@shop.example", "y@news.shop.example", "z@notshop.example", "shop.example"]
    assert addresses_apart(["shop.example", "x@shop.example"], every) == ["y@news.shop.example"]


@pytest.mark.parametrize(
    ("found", "level", "says"),
    [
        ({"ConfigurationSetName": "ours"}, Level.OK, "its feedback comes here"),
        ({"ConfigurationSetName": "theirs"}, Level.FAILED, "its mail is sent with theirs by def"),
        ({}, Level.FAILED, "its mail is sent with no configuration set by default"),
        ({"ConfigurationSetName": "ours", "FeedbackForwardingStatus": True}, Level.WARNING, "SES"),
    ],
)
def test_the_mail_of_an_identity_is_sent_with_the_set_by_default(
    found: dict[str, Any], level: Level, says: str
) -> None:
    aws = AWS()
    aws.answers("sesv2", "get_email_identity", found)
    (finding,) = aws.found(check_identities, **ARNS, **BY_SET, Identities="shop.example")
    assert finding.level is level
    assert finding.found.startswith(says)
