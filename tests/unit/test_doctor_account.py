"""What the doctor finds of the account at SES, in answers that no emulator gives."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ses_suppression.cli.account import account, addresses_apart, regions, verification
from ses_suppression.cli.doctor import _identities_of_ses
from ses_suppression.cli.finding import Finding, State

HEALTHY: dict[str, Any] = {
    "EnforcementStatus": "HEALTHY",
    "SendingEnabled": True,
    "ProductionAccessEnabled": True,
    "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
}


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = boto3.client(
        service,  # type: ignore[call-overload]  # one of many names
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    return client, Stubber(client)


def found(**answer: Any) -> list[Finding]:
    """Let the doctor look at an account."""
    client, stubber = stubbed("sesv2")
    with stubber:
        stubber.add_response("get_account", {**HEALTHY, **answer})
        session: Any = SimpleNamespace(client=lambda _: client)
        return list(account(session))


def test_a_healthy_account_is_fine_and_what_ses_suppresses_itself_is_told() -> None:
    health, listed = found()
    assert (health.state, listed.state) == (State.OK, State.OK)
    assert listed.found == "SES itself suppresses after bounce and complaint"
    assert found(SuppressionAttributes={})[-1].found == "SES itself suppresses nobody"


@pytest.mark.parametrize(
    ("answer", "state", "says", "advice"),
    [
        ({"EnforcementStatus": "PROBATION"}, State.FAILED, "AWS reviews the account", "the-rates"),
        ({"EnforcementStatus": "SHUTDOWN"}, State.FAILED, "has paused", "support case"),
        ({"EnforcementStatus": "NEW ONE"}, State.WARNING, "SES says NEW ONE", "the-rates"),
        ({"SendingEnabled": False}, State.FAILED, "sends nothing", "--sending-enabled"),
        ({"ProductionAccessEnabled": False}, State.WARNING, "sandbox", "production access"),
    ],
)
def test_what_is_wrong_with_an_account_is_told_with_what_to_do(
    answer: dict[str, Any], state: State, says: str, advice: str
) -> None:
    (finding,) = [one for one in found(**answer) if one.state is not State.OK]
    assert finding.state is state
    assert says in finding.found
    assert advice in finding.advice


def test_a_caller_who_may_not_ask_is_told_which_right_is_missing() -> None:
    client, stubber = stubbed("sesv2")
    session: Any = SimpleNamespace(client=lambda _: client)
    with stubber:
        stubber.add_client_error("get_account", "AccessDeniedException")
        (of_account,) = account(session)
        stubber.add_client_error("list_multi_region_endpoints", "AccessDeniedException")
        (of_regions,) = regions(session)
    for finding, right in ((of_account, "GetAccount"), (of_regions, "ListMultiRegionEndpoints")):
        assert finding.state is State.WARNING
        assert finding.advice == f"allow the caller ses:{right}"


def test_an_identity_that_ses_does_not_send_for_is_named_with_what_proves_it() -> None:
    client, stubber = stubbed("sesv2")
    session: Any = SimpleNamespace(client=lambda _: client)
    with stubber:
        for verified in (True, False, False):
            stubber.add_response("get_email_identity", {"VerifiedForSendingStatus": verified})
        domain, address = verification(session, ["ok.example", "new.example", "ann@x.example"])
    assert domain.check == "identity new.example"
    assert "DKIM" in domain.advice
    assert address.check == "identity ann@x.example"
    assert "link" in address.advice


def test_a_region_of_an_endpoint_without_a_stack_is_named() -> None:
    client, stubber = stubbed("sesv2")
    session: Any = SimpleNamespace(
        client=lambda _: client, has_stack_in=lambda region: region == "eu-west-1"
    )
    endpoint = {"EndpointName": "mail", "Regions": ["eu-west-1", "us-east-1"]}
    with stubber:
        stubber.add_response("list_multi_region_endpoints", {"MultiRegionEndpoints": [endpoint]})
        (finding,) = regions(session)
    assert finding.state is State.FAILED
    assert "us-east-1 too, where there is no stack" in finding.found


OURS = {kind: f"arn:{kind}" for kind in ("Bounces", "Complaints", "Deliveries")}
APART = "ann@shop.example"


@pytest.mark.parametrize("feed", ["identity", "configuration-set"])
@pytest.mark.parametrize("reports_here", [True, False])
def test_an_address_that_is_verified_by_itself_under_a_domain_is_named_unless_it_reports_here(
    feed: str, *, reports_here: bool
) -> None:
    (ses, of_ses), (sesv2, of_sesv2) = stubbed("ses"), stubbed("sesv2")
    stack = SimpleNamespace(
        kinds=list(OURS),
        output={**{f"{kind}TopicArn": arn for kind, arn in OURS.items()},
                "ConfigurationSetName": "ours"}.__getitem__,
        outputs={"Identities": "shop.example", "Feed": feed},
    )  # fmt: skip
    session: Any = SimpleNamespace(
        client=lambda name: {"ses": ses, "sesv2": sesv2}[name], stack=stack
    )
    with of_ses, of_sesv2:
        of_sesv2.add_response("get_email_identity", {"VerifiedForSendingStatus": True})
        of_ses.add_response(
            "list_identities", {"Identities": ["shop.example", APART, "a@b.example"]}
        )
        if feed == "configuration-set":
            default = "ours" if reports_here else "another"
            of_sesv2.add_response("get_email_identity", {"ConfigurationSetName": default})
        else:
            names = ("Bounce", "Complaint", "Delivery")
            topics = dict(zip((f"{name}Topic" for name in names), OURS.values(), strict=True))
            attributes = {"ForwardingEnabled": False, **topics}
            attributes |= {} if reports_here else {"BounceTopic": ""}
            of_ses.add_response(
                "get_identity_notification_attributes",
                {"NotificationAttributes": {APART: attributes}},
            )
        findings = list(_identities_of_ses(session))
    assert [one.found for one in findings] == ([] if reports_here else [APART])


def test_an_address_of_a_subdomain_is_under_the_domain_and_a_configured_one_is_not_apart() -> None:
    every = ["x@shop.example", "y@news.shop.example", "z@notshop.example", "shop.example"]
    assert addresses_apart(["shop.example", "x@shop.example"], every) == ["y@news.shop.example"]
