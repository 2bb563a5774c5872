"""SES's account-level list and ours: who is missing where?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import typer

from ses_suppression import operator_actions
from ses_suppression.account_level_list import AccountLevelEntry
from ses_suppression.address import normalise
from ses_suppression.cli.listing import scanned
from ses_suppression.cli.parameters import Apply, Writer
from ses_suppression.cli.session import Session
from ses_suppression.evidence import EVERY_STREAM, Kind
from ses_suppression.policy import Reason
from ses_suppression.record import Record

_EXAMPLES = 5
_ADDRESSES_A_JOB = 100_000  # "Using the account-level suppression list", SES developer guide


@dataclass
class _Differences:
    """What would make the two lists agree."""

    same: int = 0
    pull: list[AccountLevelEntry] = field(default_factory=list)
    push: list[tuple[str, Reason]] = field(default_factory=list)
    delete: list[AccountLevelEntry] = field(default_factory=list)
    other_reason: int = 0
    invalid: int = 0

    def compare(self, record: Record, entry: AccountLevelEntry | None, now: datetime) -> None:
        """Compare one record with the entry at SES; of two reasons the complaint is the truth."""
        reason = _lasting_reason(record, now)
        if entry is None:
            if reason:
                self.push.append((record.address, reason))
        elif reason is None:
            outdated = any(
                piece.at > entry.at
                for piece in record.evidence
                if piece.kind is Kind.VOID
                or (piece.kind is Kind.REACTIVATE and piece.stream is None)
            )
            (self.delete if outdated else self.pull).append(entry)
        elif reason is entry.reason:
            self.same += 1
        else:
            self.other_reason += 1
            if reason is Reason.COMPLAINT:
                self.push.append((entry.spelling, reason))
            else:
                self.pull.append(entry)


def sync(
    context: typer.Context,
    import_job: Annotated[
        str | None,
        typer.Option(help="s3://bucket/prefix: push by SES's import job, for large lists."),
    ] = None,
    apply: Apply = False,
) -> None:
    """Compare with SES's account-level list, both ways. Without --apply, only say what differs.

    What is missing here is pulled, with SES's date; a bounce or complaint without end on every
    stream that is missing there is pushed. An entry at SES from before a reactivation, or an undo,
    here is deleted there: it would suppress the address again at the next mail.

    Example: `ses-suppression --env prod sync`
    """
    session: Session = context.obj
    if import_job is not None and not import_job.startswith("s3://"):
        raise typer.BadParameter("--import-job: s3://bucket/prefix is needed")
    found = _compare(session)
    if session.out.as_json:
        session.out.emit(_document(found, applied=apply))
    else:
        _say(session, found, apply=apply)
    if apply:
        _apply(session, found, import_job)


def _compare(session: Session) -> _Differences:
    now = session.now
    found = _Differences()
    entries: dict[str, AccountLevelEntry] = {}
    with session.out.progress("reading SES's list") as advance:
        for entry in session.account_level_list.entries():
            if entry.address:
                entries[entry.address] = entry
            else:
                found.invalid += 1
            advance.by(1)
    for record in scanned(session):
        found.compare(record, entries.pop(record.address, None), now)
    found.pull.extend(entries.values())
    return found


def _lasting_reason(record: Record, now: datetime) -> Reason | None:
    """Give why an address is held back on every stream without end, in SES's own reasons."""
    suppression = record.suppressions.get(EVERY_STREAM)
    if suppression is None or suppression.until is not None or not suppression.holds_at(now):
        return None
    reasons = (Reason.BOUNCE, Reason.COMPLAINT)
    return next((reason for reason in reasons if suppression.reason == reason), None)


def _apply(session: Session, found: _Differences, import_job: str | None) -> None:
    writer = Writer(session, session.policy)
    caller = session.caller
    with session.out.progress("pulling", len(found.pull)) as advance:
        for entry in found.pull:
            address = normalise(entry.spelling)
            evidence = operator_actions.imported(
                address=address,
                reason=entry.reason,
                by=caller,
                note="SES's account-level list",
                at=entry.at,
            )
            writer.add(address, [evidence])
            advance.by(1)
        writer.flush()
    if import_job:
        _push_by_job(session, found.push, import_job)
    else:
        with session.out.progress("pushing", len(found.push)) as advance:
            for address, reason in found.push:
                session.account_level_list.put(address, reason)
                advance.by(1)
    with session.out.progress("deleting", len(found.delete)) as advance:
        for entry in found.delete:
            session.account_level_list.delete(entry.spelling)
            advance.by(1)
    writer.check()


def _push_by_job(session: Session, push: list[tuple[str, Reason]], where: str) -> None:
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    rows = iter(push)
    for number, part in enumerate(_parts(rows)):
        key = f"{prefix.rstrip('/')}/ses-suppression-{number}.csv".lstrip("/")
        body = "".join(f"{address},{reason.value}\n" for address, reason in part).encode()
        session.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        job = session.client("sesv2").create_import_job(
            ImportDestination={
                "SuppressionListDestination": {"SuppressionListImportAction": "PUT"}
            },
            ImportDataSource={"S3Url": f"s3://{bucket}/{key}", "DataFormat": "CSV"},
        )
        session.out.warn(f"SES imports {len(part):,} addresses in job {job['JobId']}")


def _parts(rows: Iterator[tuple[str, Reason]]) -> Iterator[list[tuple[str, Reason]]]:
    while part := list(islice(rows, _ADDRESSES_A_JOB)):
        yield part


def _document(found: _Differences, *, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "same": found.same,
        "pull": len(found.pull),
        "push": len(found.push),
        "delete": len(found.delete),
        "other_reason": found.other_reason,
        "invalid": found.invalid,
        "examples": {
            "pull": [entry.spelling for entry in found.pull[:_EXAMPLES]],
            "push": [address for address, _ in found.push[:_EXAMPLES]],
            "delete": [entry.spelling for entry in found.delete[:_EXAMPLES]],
        },
    }


def _say(session: Session, found: _Differences, *, apply: bool) -> None:
    examples = _document(found, applied=apply)["examples"]
    rows = [
        ("the same in both", found.same, ""),
        ("missing here: pulled", len(found.pull), " ".join(examples["pull"])),
        ("missing at SES: pushed", len(found.push), " ".join(examples["push"])),
        ("outdated at SES: deleted", len(found.delete), " ".join(examples["delete"])),
        ("of these, with another reason", found.other_reason, ""),
        ("at SES, and no address", found.invalid, ""),
    ]
    session.out.table(["", "addresses", "such as"], [(a, f"{b:,}", c) for a, b, c in rows])
    if not apply:
        session.out.say("--apply does it")
