"""The policy and SES's own list, at the shell: what another one would do, and where they differ."""

import json
from pathlib import Path

import pytest

from ses_suppression.core.actions import reactivate, suppress
from tests.builders import block, complaint, day, hard, record_of, transient, void
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.e2e.tables import operator_of_table


def test_a_replay_says_who_would_be_released_and_added(stack: Stack, tmp_path: Path) -> None:
    three = [transient(number) for number in (300, 301, 302)]
    operator = operator_of_table(
        stack,
        [
            record_of(*three, address="three@example.com"),
            record_of(hard(300), address="vip@example.com"),
            record_of(hard(300), address="other@example.com"),
        ],
    )
    file = tmp_path / "policy.json"
    policy = {
        "transient_bounces": 3,
        "transient_hold_days": 3650,
        "longest_hold_days": 3650,
        "never_suppress": ["vip@example.com"],
    }
    file.write_text(json.dumps(policy))
    dry = operator.document("replay", "--policy", str(file))
    assert (dry["records"], dry["applied"], dry["written"]) == (3, False, 0)
    assert dry["released"]["examples"] == ["vip@example.com"]
    assert dry["added"] == {
        "addresses": 1, "by_domain": {"example.com": 1}, "examples": ["three@example.com"],
    }  # fmt: skip
    assert operator.says("check", "three@example.com").endswith("may be mailed\n")
    text = operator.says("replay", "--policy", str(file), "--apply")
    assert "1 of 3 addresses released, such as vip@example.com" in text
    assert "transient-bounce" in operator.says("check", "three@example.com", status=1)
    assert operator.document("replay", "--policy", str(file), "--apply")["written"] == 0
    file.write_text('{"transient_bounce": 3}')
    assert "transient_bounce is not a key" in operator.refused(
        "replay", "--policy", str(file), status=2
    )
    file.write_text("{")
    assert "the policy file is not JSON" in operator.refused(
        "replay", "--policy", str(file), status=2
    )


@pytest.fixture(autouse=True)
def empty_list_at_ses(stack: Stack) -> None:
    at_ses = stack.emulator.client("sesv2")
    found = at_ses.list_suppressed_destinations(PageSize=1000)
    for one in found["SuppressedDestinationSummaries"]:
        at_ses.delete_suppressed_destination(EmailAddress=one["EmailAddress"])


def test_a_sync_makes_the_lists_agree(stack: Stack) -> None:
    at_ses = stack.emulator.client("sesv2")
    operator = operator_of_table(
        stack,
        [
            record_of(hard(0), address="here@sync.example"),
            record_of(hard(0), address="same@sync.example"),
            record_of(complaint(0), address="worse-here@sync.example"),
            record_of(hard(0), address="worse-there@sync.example"),
            record_of(block(0), address="ended@sync.example"),
            record_of(complaint(0, stream="news"), address="on-news@sync.example"),
            record_of(
                hard(0),
                reactivate(by="ann", note="x", consent=True, at=day(100_000)),
                address="reactivated@sync.example",
            ),
        ],
    )
    for spelling, reason in {
        "There@sync.example": "BOUNCE",
        "Same@sync.example": "BOUNCE",
        "worse-here@sync.example": "BOUNCE",
        "worse-there@sync.example": "COMPLAINT",
        "reactivated@sync.example": "BOUNCE",
    }.items():
        at_ses.put_suppressed_destination(EmailAddress=spelling, Reason=reason)

    def listed() -> dict[str, str]:
        found = at_ses.list_suppressed_destinations()["SuppressedDestinationSummaries"]
        return {one["EmailAddress"]: one["Reason"] for one in found}

    before = listed()
    dry = operator.document("sync")
    assert {what: sorted(found) for what, found in dry.pop("examples").items()} == {
        "pull": ["There@sync.example", "worse-there@sync.example"],
        "push": ["here@sync.example", "worse-here@sync.example"],
        "delete": ["reactivated@sync.example"],
    }
    assert dry == {
        "applied": False, "same": 1, "pull": 2, "push": 2, "delete": 1, "other_reason": 2,
        "invalid": 0,
    }  # fmt: skip
    assert listed() == before
    assert "--apply does it" in operator.says("sync")
    operator.says("sync", "--apply")
    assert listed() == {
        "There@sync.example": "BOUNCE",
        "Same@sync.example": "BOUNCE",
        "here@sync.example": "BOUNCE",
        "worse-here@sync.example": "COMPLAINT",
        "worse-there@sync.example": "COMPLAINT",
    }
    pulled = {one["address"]: one["reason"] for one in operator.documents("list")}
    assert pulled["there@sync.example"] == "BOUNCE"
    assert pulled["worse-there@sync.example"] == "COMPLAINT"
    assert "reactivated@sync.example" not in pulled
    again = operator.document("sync")
    assert (again["same"], again["pull"], again["push"], again["delete"]) == (5, 0, 0, 0)


def test_a_sync_releases_nobody_who_complained_and_comes_to_rest(stack: Stack) -> None:
    at_ses = stack.emulator.client("sesv2")
    undone = hard(0)
    operator = operator_of_table(
        stack,
        [
            record_of(undone, void(100_000, undone), address="undone@sync.example"),
            record_of(undone, void(100_000, undone), address="complained@sync.example"),
            record_of(suppress(by="ann", note="x", at=day(0)), address="by-hand@sync.example"),
            record_of(
                reactivate(by="ann", note="x", consent=True, at=day(100_000), stream="news"),
                address="on-a-stream@sync.example",
            ),
        ],
    )
    for spelling, reason in {
        "undone@sync.example": "BOUNCE",
        "complained@sync.example": "COMPLAINT",
        "by-hand@sync.example": "BOUNCE",
        "on-a-stream@sync.example": "BOUNCE",
        "bounce@simulator.amazonses.com": "BOUNCE",
        "Two@sync.example": "BOUNCE",
        "two@sync.example": "BOUNCE",
    }.items():
        at_ses.put_suppressed_destination(EmailAddress=spelling, Reason=reason)
    done = operator.document("sync", "--apply")
    assert done["examples"]["delete"] == ["undone@sync.example"]
    assert sorted(done["examples"]["pull"]) == [
        "Two@sync.example", "by-hand@sync.example", "complained@sync.example",
        "on-a-stream@sync.example", "two@sync.example",
    ]  # fmt: skip
    assert at_ses.get_suppressed_destination(EmailAddress="complained@sync.example")
    rest = operator.document("sync", "--apply")
    assert (rest["pull"], rest["push"], rest["delete"], rest["same"]) == (0, 0, 0, 5)


def test_a_large_list_is_pushed_by_sess_import_job(stack: Stack) -> None:
    stack.emulator.client("s3").create_bucket(
        Bucket="sync", CreateBucketConfiguration={"LocationConstraint": stack.config.region}
    )
    held = [f"a{number}@job.example" for number in range(30)]
    operator = operator_of_table(stack, [record_of(hard(0), address=one) for one in held])
    answer = operator.run("sync", "--import-job", "s3://sync/lists", "--apply")
    assert answer.returncode == 0
    assert "SES imports 30 addresses in job" in answer.stderr
    found = stack.emulator.client("sesv2").list_suppressed_destinations(PageSize=1000)
    listed = {one["EmailAddress"] for one in found["SuppressedDestinationSummaries"]}
    assert set(held) <= listed
    for wrong in ("sync/lists", "s3://", "s3:///lists"):
        assert "s3://bucket/prefix is needed" in Operator(stack).refused(
            "sync", "--import-job", wrong, status=2
        )
