"""`make acceptance` refuses what could not end well, and says what it makes and costs."""

import io
import re
import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from local.cdk import ROOT
from local.emulator import LocalError
from stacks.config import Config
from tests.acceptance.account import Account, refuse_unless_ready
from tests.acceptance.remains import is_table_of_run
from tests.acceptance.report import Outcome, Report
from tests.acceptance.run import CLAIMS, DEPLOYS, GIVEN_BACK, NOTHING_LEFT
from tests.acceptance.throw_away import dollars, plan, values
from tests.infrastructure.templates import synthesized

CONFIG = Config.from_context(
    {"env": "dev", "environments": {"dev": {"region": "eu-west-1", "identities": ["shop.example"]}}}
)


class Missing(Exception):  # noqa: N818  # as boto3's are named
    pass


class AWS:
    """What AWS answers, by the call; a text is the error code that the call raises."""

    class exceptions:  # noqa: N801  # boto3's
        ParameterNotFound = Missing

    def __init__(self, **answers: Any) -> None:
        self._answers = {
            "get_account": {"SendingEnabled": True, "ProductionAccessEnabled": False},
            "get_email_identity": {
                "VerifiedForSendingStatus": True,
                "FeedbackForwardingStatus": True,
            },
            "get_identity_notification_attributes": {"NotificationAttributes": {}},
            "get_parameter": {},
            **answers,
        }

    def __getattr__(self, call: str) -> Any:
        def answer(**_arguments: Any) -> Any:
            found = self._answers[call]
            if isinstance(found, str):
                raise ClientError({"Error": {"Code": found, "Message": "no"}}, call)
            if isinstance(found, Exception):
                raise found
            return found

        return answer


def refusal(**answers: Any) -> str:
    account = Account("111122223333", "eu-west-1", True, lambda _service: AWS(**answers))  # noqa: FBT003
    with pytest.raises(LocalError) as raised:
        refuse_unless_ready(account, CONFIG)
    return str(raised.value)


def test_a_sandbox_is_enough_and_so_is_a_caller_who_may_not_see_the_account() -> None:
    for answers in ({}, {"get_account": "AccessDeniedException"}):
        account = Account("111122223333", "eu-west-1", True, lambda _service, a=answers: AWS(**a))  # noqa: FBT003
        refuse_unless_ready(account, CONFIG)


def test_an_account_that_sends_nothing_is_refused() -> None:
    said = refusal(get_account={"SendingEnabled": False})
    assert said.startswith("eu-west-1: SES sends nothing for this account in this region; ")
    assert "AWS has paused" in refusal(get_account={"EnforcementStatus": "SHUTDOWN"})


def test_an_identity_that_is_unknown_or_not_verified_is_refused() -> None:
    assert refusal(get_email_identity="NotFoundException") == (
        "SES does not know shop.example in eu-west-1: verify it there first"
    )
    said = refusal(get_email_identity={"VerifiedForSendingStatus": False})
    assert said.startswith("identity shop.example in eu-west-1: SES has not verified it, and ")


@pytest.mark.parametrize("kind", ["Bounce", "Complaint", "Delivery"])
def test_an_identity_that_publishes_is_refused(kind: str) -> None:
    attributes = {"NotificationAttributes": {"shop.example": {f"{kind}Topic": "arn:theirs"}}}
    said = refusal(get_identity_notification_attributes=attributes)
    assert said.startswith(
        "shop.example is in use in eu-west-1: its feedback goes to arn:theirs; name"
    )


def test_an_identity_with_a_default_configuration_set_is_refused() -> None:
    identity = {
        "VerifiedForSendingStatus": True,
        "FeedbackForwardingStatus": True,
        "ConfigurationSetName": "theirs",
    }
    assert "goes to theirs" in refusal(get_email_identity=identity)


def test_an_account_that_is_not_bootstrapped_is_refused_with_the_command() -> None:
    said = refusal(get_parameter=Missing())
    assert said.endswith("node_modules/.bin/cdk bootstrap aws://111122223333/eu-west-1")


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("ses-suppression-acceptance-SuppressionTable33D2C7DC-2B78A031B6CC5", True),
        ("ses-suppression-acceptance-eu-SuppressionTable33D2C7DC-2B78A031B6CC5", False),
        ("ses-suppression-prod-SuppressionTable33D2C7DC-2B78A031B6CC5", False),
        ("ses-suppression-acceptance-other", False),
    ],
)
def test_no_table_of_another_environment_is_taken_for_the_runs_own(
    name: str, *, is_ours: bool
) -> None:
    assert is_table_of_run(name) is is_ours


def test_the_plan_lists_each_type_of_the_template_and_what_it_costs() -> None:
    said = "\n".join(plan(CONFIG))
    template = synthesized(**values(CONFIG)).to_json()
    for resource in template["Resources"].values():
        assert resource["Type"] in said
    assert f"at most {dollars(template):.2f} dollars" in said
    shares = [float(share) for share in re.findall(r"^ +(\d+\.\d\d)  ", said, re.MULTILINE)]
    assert dollars(template) == pytest.approx(sum(shares), abs=0.03)
    assert "shop.example" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--env", "dev"],
            "error: nothing was started: a run deploys to the account of your credentials.",
        ),
        (["--env", "nowhere", "--dry-run"], "error: cdk.json: env=nowhere: there is no such"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(options: list[str], said: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.acceptance", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert said in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_report_holds_only_when_everything_was_proven_that_can_be() -> None:
    written = io.StringIO()
    report = Report(Console(file=written, markup=False))
    assert report.prove("one", lambda: "seen")
    report.not_here("two", "the emulator cannot")
    assert report.holds

    def fails() -> str:
        raise LocalError("see [/tmp/x]")

    assert not report.prove("three", fails)
    assert not report.holds
    assert "see [/tmp/x]" in written.getvalue(), "no text of AWS is taken for markup"
    assert not report.prove("four", lambda: {}["four"]), "a fault of ours fails a claim too"
    assert [str(one) for one in Outcome] == ["proven", "FAILED", "not proven here", "not reached"]


def test_the_page_lists_every_claim_and_whether_the_emulator_can_check_it() -> None:
    page = (ROOT / "docs" / "testing.md").read_text()
    rows = dict(re.findall(r"^\| (.*) \| (yes|no) \|$", page, re.MULTILINE))
    claims = {one.text: "no" if one.not_on_the_emulator else "yes" for one in CLAIMS}
    assert rows == {DEPLOYS: "yes", **claims, GIVEN_BACK: "yes", NOTHING_LEFT: "yes"}
