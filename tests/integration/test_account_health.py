"""What a deploy says of SES's sending, against botocore's stubber."""

from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from lambdas.account_health import report_sending

READY = {"EnforcementStatus": "HEALTHY", "SendingEnabled": True, "ProductionAccessEnabled": True}
NAMES = ["shop.example", "ann@mail.example"]


class Deploy:
    """A deploy: SES's answers go in, what CloudFormation is told comes out."""

    def __init__(self) -> None:
        self.sesv2 = boto3.client(
            "sesv2", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stubber = Stubber(self.sesv2)

    def account(self, **answer: Any) -> None:
        self.stubber.add_response("get_account", {**READY, **answer})

    def identity(self, *, verified: bool) -> None:
        self.stubber.add_response("get_email_identity", {"VerifiedForSendingStatus": verified})

    def said(
        self, kind: str = "Create", names: list[str] = NAMES, *, seconds: float = 45, **more: Any
    ) -> str:
        answers: list[tuple[str, str | None, Mapping[str, str]]] = []

        def respond(_event: Any, name: str, reason: str | None, *, data: Any) -> None:
            answers.append((name, reason, data))

        event = {"RequestType": kind, "ResourceProperties": {"Identities": names}, **more}
        with self.stubber:
            report_sending(event, self.sesv2, respond=respond, seconds=seconds)
        self.stubber.assert_no_pending_responses()
        ((name, reason, data),) = answers
        assert (name, reason) == (more.get("PhysicalResourceId", "sending"), None)
        return data["Found"]


@pytest.fixture
def deploy() -> Deploy:
    return Deploy()


def test_an_account_that_sends_is_one_sentence(deploy: Deploy) -> None:
    deploy.account()
    for _ in NAMES:
        deploy.identity(verified=True)
    assert deploy.said("Update", PhysicalResourceId="as-it-was") == (
        "SES sends for the account and for every identity"
    )


def test_each_obstacle_is_a_sentence_with_what_to_do(deploy: Deploy) -> None:
    deploy.account(ProductionAccessEnabled=False)
    for _ in NAMES:
        deploy.identity(verified=False)
    sandbox, domain, address = deploy.said().split(". ")
    assert sandbox.startswith("production access: the account is in SES's sandbox: it mails ver")
    assert sandbox.endswith("; ask for production access in SES's console, Account dashboard")
    assert domain.startswith("identity shop.example: SES has not verified it, and sends nothing")
    assert domain.endswith("; add its three DKIM records to its zone: they are in SES's console")
    assert address.startswith("identity ann@mail.example: ")
    assert address.endswith("; follow the link in SES's mail")


def test_a_right_that_the_function_lacks_is_named(deploy: Deploy) -> None:
    deploy.stubber.add_client_error("get_account", "AccessDeniedException")
    deploy.stubber.add_client_error("get_email_identity", "AccessDeniedException")
    assert deploy.said(names=["shop.example"]) == (
        "account: access denied by SES; allow the caller ses:GetAccount. "
        "identity shop.example: access denied by SES; allow the caller ses:GetEmailIdentity"
    )


def test_many_obstacles_fit_into_an_output(deploy: Deploy) -> None:
    names = [f"{number:02}.{'long' * 15}.example" for number in range(50)]
    deploy.account(SendingEnabled=False)
    for _ in names:
        deploy.identity(verified=False)
    said = deploy.said(names=names)
    assert len(said) <= 1024
    sentences = said.split(". ")
    assert sentences[-1] == f"{51 - len(sentences) + 1} more: run `ses-suppression doctor`"


def test_an_error_is_no_reason_for_a_deploy_to_fail(deploy: Deploy) -> None:
    deploy.stubber.add_client_error("get_account", "OptInRequired")
    assert deploy.said() == (
        "cannot read whether SES sends (ClientError): run `ses-suppression doctor`"
    )


def test_a_removal_asks_nothing(deploy: Deploy) -> None:
    assert deploy.said("Delete") == ""


def test_an_identity_that_ses_does_not_know_or_answer_about_hides_no_other(deploy: Deploy) -> None:
    deploy.account(EnforcementStatus="SHUTDOWN")
    deploy.stubber.add_client_error("get_email_identity", "NotFoundException")
    deploy.stubber.add_client_error("get_email_identity", "TooManyRequestsException")
    paused, unknown, throttled = deploy.said().split(". ")
    assert paused.startswith("account: AWS has paused the account's sending; ")
    assert unknown == (
        "identity shop.example: SES does not know it in this region; verify it, or set create: true"
    )
    assert throttled.startswith("identity ann@mail.example: SES did not answer: TooManyRequests")


def test_what_there_was_no_time_for_is_counted() -> None:
    deploy = Deploy()
    deploy.account()
    assert deploy.said(seconds=-1) == "identities: 2 were not checked; run ses-suppression doctor"
