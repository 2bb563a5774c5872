"""A provider rejects valid mailboxes for two hours; the operator undoes it, and takes that back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.emulator import ACCOUNT_ID
from ses_suppression.core.record import Record
from ses_suppression.store.items import to_record
from tests.builders import complaint, hard, record_of
from tests.denials import role_with
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.e2e.tables import operator_of_table

WINDOW = ("--from", "2026-01-11T08:00Z", "--to", "2026-01-11T10:00Z")
INCIDENT = (
    "--domain",
    "gmail.example",
    "--domain",
    "mail.example",
    *WINDOW,
    "--diagnostic",
    "5.1.1",
)
BEGIN = 10.0  # in days after the first of January 2026, 8 o'clock


def false_bounce(number: int, total: int) -> Record:
    """One of twelve in twenty is the incident's; of those one in twelve bounced before."""
    domain = "gmail.example" if number % 3 else "mail.example"
    address = f"a{number}@{domain}"
    at = BEGIN + number / total / 12
    rejected = hard(at, status="5.1.1", diagnostic="smtp; 550-5.1.1 no such user")
    if number < total * 1 // 20:
        return record_of(hard(3), rejected, address=address)
    if number < total * 12 // 20:
        # Some of them were mailed again, and SES said that its own list holds them back.
        echoes = [hard(BEGIN + 1, bounce_sub_type="OnAccountSuppressionList")]
        has_echo = number < total * 1 // 20 + total // 40
        return record_of(rejected, *(echoes if has_echo else []), address=address)
    if number < total * 16 // 20:
        return record_of(hard(at, status="5.1.1"), address=f"b{number}@other.example")
    return record_of(complaint(at), address=f"c{number}@{domain}")


def test_an_incident_is_undone_wholly_and_nothing_else(stack: Stack) -> None:
    """The short form; `make slow` has 20,000 addresses."""
    undo_an_incident(stack, total=1_000)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_incident_of_20_000_addresses(stack: Stack) -> None:
    undo_an_incident(stack, total=20_000)


def undo_an_incident(stack: Stack, *, total: int) -> None:
    operator = operator_of_table(stack, (false_bounce(number, total) for number in range(total)))
    matched, older, echoes = total * 12 // 20, total // 20, total // 40
    before = suppressed(stack, operator)
    dry = operator.document("undo", *INCIDENT)
    assert (dry["matched"], dry["released"], dry["kept"]) == (matched, matched - older, older)
    assert (dry["echoes"], dry["already_done"], dry["written"]) == (echoes, 0, 0)
    assert set(dry["by_domain"]) == {"gmail.example", "mail.example"}
    assert suppressed(stack, operator) == before, "a dry run writes nothing"
    done = operator.document("undo", *INCIDENT, "--apply")
    assert {**dry, "applied": True, "written": matched} == done | {"by_domain": dry["by_domain"]}
    after = suppressed(stack, operator)
    assert len(before) - len(after) == matched - older
    released = before - after
    assert all(one.startswith("a") for one in released)
    again = operator.document("undo", *INCIDENT, "--apply")
    assert (again["released"], again["written"], again["already_done"]) == (0, 0, matched)
    back = operator.document("undo", "--revert", done["undo"], "--apply")
    assert (back["addresses"], back["held_back"], back["written"]) == (matched, matched, matched)
    assert suppressed(stack, operator) == before


def suppressed(stack: Stack, operator: Operator) -> set[str]:
    return {record.address for record in records(stack, operator) if record.suppressions}


def records(stack: Stack, operator: Operator) -> Iterator[Record]:
    pages = stack.emulator.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=operator.options[-1]):
        yield from map(to_record, page["Items"])


def test_a_person_is_told_what_would_be_and_how_to_take_it_back(stack: Stack) -> None:
    operator = operator_of_table(stack, (false_bounce(number, 40) for number in range(40)))
    dry = operator.says("undo", *INCIDENT)
    assert "22 of 24 addresses would be released; --apply does it" in dry
    assert "2 stay held back for another reason" in dry
    done = operator.says("undo", *INCIDENT, "--apply", "--note", "false 5.1.1 at two providers")
    undo_id = done.rpartition("undo --revert ")[2].split()[0]
    explained = operator.says("explain", "a20@gmail.example")
    assert (
        f"({undo_id}) by arn:aws:iam::123456789012:root: false 5.1.1 at two providers" in explained
    )
    assert "-> may be mailed" in explained
    assert "of 24 addresses 24 would be (--apply does it) held back again" in operator.says(
        "undo", "--revert", undo_id
    )
    assert "24 are held back again" in operator.says("undo", "--revert", undo_id, "--apply")
    assert "nothing to take back" in operator.says("undo", "--revert", undo_id)


def test_entries_at_ses_are_deleted_and_put_back(stack: Stack) -> None:
    at_ses = stack.emulator.client("sesv2")
    now = datetime.now(UTC)
    day = (now - datetime(2026, 1, 1, 8, tzinfo=UTC)) / timedelta(days=1)
    operator = operator_of_table(
        stack,
        [
            record_of(hard(day), address="one@undone.example"),
            record_of(hard(3), hard(day), address="older@undone.example"),
        ],
    )
    before = {"Two@Undone.example", "complained@undone.example"}
    entries = {"One@Undone.example", "older@undone.example"} | before
    for spelling in entries:
        reason = "COMPLAINT" if spelling in before else "BOUNCE"
        at_ses.put_suppressed_destination(EmailAddress=spelling, Reason=reason)
    window = (now - timedelta(hours=1)).isoformat(), (now + timedelta(hours=1)).isoformat()
    undo = ("undo", "--domain", "undone.example", "--from", window[0], "--to", window[1], "--ses")

    def listed() -> set[str]:
        found = at_ses.list_suppressed_destinations()["SuppressedDestinationSummaries"]
        return {one["EmailAddress"] for one in found} & entries

    dry = operator.document(*undo)
    assert (dry["released"], dry["kept"], dry["ses_entries"]) == (1, 1, 1)
    assert listed() == entries
    done = operator.document(*undo, "--apply")
    assert done["ses_entries"] == 1
    assert listed() == entries - {"One@Undone.example"}
    assert operator.document(*undo, "--apply")["ses_entries"] == 0
    back = operator.document("undo", "--revert", done["undo"], "--apply")
    assert back["put_back_at_ses"] == 1
    assert listed() == entries
    put_back = at_ses.get_suppressed_destination(EmailAddress="One@Undone.example")
    assert put_back["SuppressedDestination"]["Reason"] == "BOUNCE"
    earlier = ("undo", "--domain", "undone.example", "--from", window[0], "--ses", "--to")
    again = operator.document(*earlier, window[1], "--apply")
    assert (again["released"], again["ses_entries"]) == (1, 1)
    assert listed() == entries - {"One@Undone.example"}
    operator.document("remove", "one@undone.example", "--note", "it takes mail")
    back = operator.document("undo", "--revert", done["undo"], "--apply")
    assert back["put_back_at_ses"] == 0, "it was reactivated since"
    assert listed() == entries - {"One@Undone.example"}


def test_an_address_that_only_a_stream_holds_back_goes_from_sess_list(stack: Stack) -> None:
    at_ses = stack.emulator.client("sesv2")
    at_ses.put_suppressed_destination(EmailAddress="news@stream.example", Reason="BOUNCE")
    operator = operator_of_table(
        stack, [record_of(hard(BEGIN), complaint(0, stream="news"), address="news@stream.example")]
    )
    span = ("--from", "2026-01-11", "--to", (datetime.now(UTC) + timedelta(days=1)).isoformat())
    done = operator.document("undo", "--domain", "stream.example", *span, "--ses", "--apply")
    assert (done["kept"], done["ses_entries"]) == (1, 1)


def test_an_entry_is_not_deleted_at_ses_before_it_is_written_down(stack: Stack) -> None:
    at_ses = stack.emulator.client("sesv2")
    at_ses.put_suppressed_destination(EmailAddress="kept@refused.example", Reason="BOUNCE")
    operator = operator_of_table(stack, [record_of(hard(BEGIN), address="kept@refused.example")])
    with role_with(stack.emulator.client, ACCOUNT_ID, documents=[MAY_NOT_WRITE]) as credentials:
        answer = operator.run_process(
            "undo", "--domain", "refused.example", "--from", "2026-01-11",
            "--to", (datetime.now(UTC) + timedelta(days=1)).isoformat(), "--ses", "--apply",
            environment={name.upper(): value for name, value in credentials.items()},
        )  # fmt: skip
    assert answer.returncode == 3
    assert "AccessDeniedException: DynamoDB refused PutItem" in answer.stderr
    assert at_ses.get_suppressed_destination(EmailAddress="kept@refused.example")


MAY_NOT_WRITE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"},
    ],
}
