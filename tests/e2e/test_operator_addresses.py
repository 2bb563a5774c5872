"""One address, at the shell: may it be mailed, why not, and how that is changed."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from local.waiting import wait_for
from ses_suppression.core.address import fingerprint
from ses_suppression.core.policy import Reason
from tests.builders import bounce_notification, complaint_notification
from tests.e2e.operator import Operator
from tests.e2e.stack import SECONDS, Stack

Bounced = Callable[[], str]


@pytest.fixture
def bounced(stack: Stack) -> Bounced:
    def bounced() -> str:
        address = f"{uuid.uuid4().hex}@example.net"
        stack.publish(
            "Bounces",
            bounce_notification(
                address,
                at=datetime.now(UTC),
                feedback_id=uuid.uuid4().hex,
                status="5.1.1",
                diagnosticCode="smtp; 550 5.1.1 no such user",
            ),
        )
        stack.await_suppression(address)
        return address

    return bounced


def test_a_check_says_yes_or_why_not(operator: Operator, bounced: Bounced) -> None:
    held, clear = bounced(), "clear@example.net"
    assert operator.says("check", clear) == "clear@example.net: may be mailed\n"
    text = operator.says("check", held.upper(), clear, "nobody", status=1)
    assert f"{held.upper()}: every stream suppressed: BOUNCE (hard-bounce), since 20" in text
    assert "clear@example.net: may be mailed\n" in text
    assert "nobody: an address needs an @\n" in text
    yes, no = operator.documents("check", clear, held, "--stream", "news", status=1)
    assert yes == {"address": clear, "allowed": True, "suppression": None, "problem": None}
    assert (no["allowed"], no["suppression"]["reason"]) == (False, "BOUNCE")


def test_an_explanation_is_a_time_line_with_rules_and_what_lifts_it(
    operator: Operator, bounced: Bounced
) -> None:
    held = bounced()
    text = operator.says("explain", held)
    assert "bounce Permanent/General 5.1.1: smtp; 550 5.1.1 no such user" in text
    assert "hard-bounce: suppresses, without end" in text
    assert "what lifts it: an operator (`remove`), once the mailbox is known to take mail" in text
    document = operator.document("explain", held)
    (line,) = document["evidence"]
    assert (line["rule"], line["effect"]) == ("hard-bounce", "suppresses, without end")
    (suppression,) = document["suppressions"]
    assert suppression["active"] is True
    assert suppression["lifted_by"].startswith("an operator")
    assert operator.says("explain", "clear@example.net").endswith("-> may be mailed\n")


def test_who_adds_and_removes_is_recorded(operator: Operator, stack: Stack) -> None:
    address = f"{uuid.uuid4().hex}@example.net"
    until = datetime.now(UTC).date() + timedelta(days=30)
    text = operator.says("add", address, "--note", "on leave", "--until", until.isoformat())
    assert "MANUAL (suppress), since 20" in text
    assert f"until {until} 00:00 UTC" in text
    on_stream = operator.document("add", address, "--note", "asked", "--stream", "news")
    assert [one["stream"] for one in on_stream["suppressions"]] == ["*", "news"]
    left = operator.document("remove", address, "--note", "asked again", "--stream", "news")
    assert [one["stream"] for one in left["suppressions"]] == ["*"]
    assert operator.says("remove", address, "--note", "is back") == f"{address}: may be mailed\n"
    evidence = stack.record(address).evidence
    assert [piece.note for piece in evidence] == ["on leave", "asked", "asked again", "is back"]
    assert {piece.by for piece in evidence} == {"arn:aws:iam::123456789012:root"}


def test_a_removal_lifts_the_address_from_sess_list_in_its_own_spelling(
    operator: Operator, stack: Stack, bounced: Bounced
) -> None:
    held = bounced()
    at_ses = stack.emulator.client("sesv2")
    spelling = held.replace("example", "Example")
    at_ses.put_suppressed_destination(EmailAddress=spelling, Reason="BOUNCE")
    text = operator.says("remove", held, "--note", "is back", "--ses")
    assert text == (f"{held}: may be mailed\ndeleted from SES's account-level list: {spelling}\n")
    with pytest.raises(at_ses.exceptions.NotFoundException):
        at_ses.get_suppressed_destination(EmailAddress=spelling)
    again = operator.document("remove", held, "--note", "is back", "--ses")
    assert again == {"address": held, "suppressions": [], "deleted_at_ses": []}


def test_after_a_complaint_a_removal_needs_consent(operator: Operator, stack: Stack) -> None:
    address = f"{uuid.uuid4().hex}@example.net"
    stack.publish(
        "Complaints",
        complaint_notification(address, at=datetime.now(UTC), feedback_id=uuid.uuid4().hex),
    )
    assert stack.await_suppression(address).reason is Reason.COMPLAINT
    said = operator.refused("remove", address, "--note", "wants mail", status=2)
    assert "somebody complained" in said
    assert "--consent" in said
    operator.says("remove", address, "--note", "wants mail", "--consent", "form of 2026-11-24")
    assert stack.suppressions.check(address) is None
    assert stack.record(address).evidence[-1].note == "wants mail; consent: form of 2026-11-24"


def test_a_complaint_that_only_ses_knows_needs_consent_too(
    operator: Operator, stack: Stack, bounced: Bounced
) -> None:
    held, at_ses = bounced(), stack.emulator.client("sesv2")
    at_ses.put_suppressed_destination(EmailAddress=held, Reason="COMPLAINT")
    said = operator.refused("remove", held, "--ses", "--note", "is back", status=2)
    assert "somebody complained" in said
    assert stack.suppressions.check(held) is not None
    assert at_ses.get_suppressed_destination(EmailAddress=held)


def test_an_item_that_cannot_be_read_can_be_erased(operator: Operator, stack: Stack) -> None:
    address = f"{uuid.uuid4().hex}@example.net"
    stack.emulator.client("dynamodb").put_item(
        TableName=stack.deployment.table_name, Item={"address": {"S": address}}
    )
    answer = operator.run("erase", address, "--apply")
    assert (answer.returncode, "what is lost cannot be said" in answer.stderr) == (0, True)
    assert operator.says("check", address) == f"{address}: may be mailed\n"


def test_an_address_is_erased_after_it_was_said_what_is_lost(
    operator: Operator, stack: Stack, bounced: Bounced
) -> None:
    held = bounced()
    text = operator.says("erase", held)
    assert f"{held}: would be erased (--apply does it), with 1 pieces of evidence" in text
    assert "no longer held back: every stream suppressed: BOUNCE" in text
    assert stack.record(held).evidence
    document = operator.document("erase", held, "--apply")
    assert (document["erased"], document["evidence"]) == (True, 1)
    assert not stack.record(held).evidence


def test_a_fingerprint_is_what_stands_in_the_logs(
    operator: Operator, stack: Stack, bounced: Bounced
) -> None:
    held = bounced()
    found = operator.says("fingerprint", held.upper()).strip()
    wait_for("its log line", lambda: found in json.dumps(stack.log("Bounces")), seconds=SECONDS)
    (described,) = stack.emulator.client("cloudformation").describe_stacks(
        StackName="ses-suppression-dev"
    )["Stacks"]
    assert found == fingerprint(held, described["StackId"].split("/")[2])
    assert operator.document("fingerprint", held) == {"fingerprint": found}
