"""SES's account-level list and ours: who is missing where?"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import typer

from ses_suppression.cli.listing import scan
from ses_suppression.cli.parameters import Apply, load_many, report_failures
from ses_suppression.cli.session import Session
from ses_suppression.core import actions as operator_actions
from ses_suppression.core.address import is_simulator, normalise_reported
from ses_suppression.core.decision import decide, lasting_reason
from ses_suppression.core.evidence import Evidence, Kind
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record, update
from ses_suppression.core.rules import Rule
from ses_suppression.operations.batches import ADDRESSES_A_BATCH, BatchWriter
from ses_suppression.ses_account.account_list import AccountLevelEntry
from ses_suppression.store.protocol import chunks

_EXAMPLES = 5
_ADDRESSES_A_JOB = 100_000  # "Using the account-level suppression list", SES developer guide


@dataclass
class _Differences:
    """What would make the two lists agree, and what did."""

    same: int = 0
    pull: list[AccountLevelEntry] = field(default_factory=list)
    push: list[tuple[str, Reason]] = field(default_factory=list)
    delete: list[AccountLevelEntry] = field(default_factory=list)
    other_reason: int = 0
    invalid: int = 0

    def compare(
        self, record: Record, entries: Sequence[AccountLevelEntry], *, by: str, policy: Policy
    ) -> None:
        """Compare a record with its entries at SES, each in another spelling.

        Of two reasons the complaint is the truth: it is pulled from any of them, and pushed to the
        others, so that a second run finds nothing to do.
        """
        outdated = [entry for entry in entries if _is_outdated(record, entry, policy)]
        self.delete += outdated
        listed = [entry for entry in entries if entry not in outdated]
        pulled = [
            entry
            for entry in listed
            if update(record, [_imported(record.address, entry, by)], policy)
            and _lasting_reason(record, policy) not in {entry.reason, Reason.COMPLAINT}
        ]
        self.pull += pulled
        imported = [_imported(record.address, entry, by) for entry in pulled]
        after = update(record, imported, policy) or record
        reason = _lasting_reason(after, policy)
        if reason and not listed:
            self.push.append((record.address, reason))
        for entry in listed:
            if reason is Reason.COMPLAINT and entry.reason is not reason:
                self.other_reason += 1
                self.push.append((entry.spelling, reason))
            elif entry in pulled:
                self.other_reason += _lasting_reason(record, policy) is not None
            else:
                self.same += 1  # or it was pulled before, and stands behind something else here


def _lasting_reason(record: Record, policy: Policy) -> Reason | None:
    return lasting_reason(record.address, record.evidence, policy)


def _is_outdated(record: Record, entry: AccountLevelEntry, policy: Policy) -> bool:
    """Tell whether an entry is from before a reactivation, or the bounce of an undo.

    It is not while something holds every stream back without end: then it says what is true.
    """
    if _lasting_reason(record, policy):
        return False
    steps = decide(record.address, record.evidence, policy).steps
    at = {step.evidence.id: step.evidence.at for step in steps}
    reactivated = any(
        step.rule is Rule.REACTIVATE
        and step.counts
        and step.evidence.stream is None
        and step.evidence.at > entry.at
        and (entry.reason is Reason.BOUNCE or step.evidence.consent is not False)
        for step in steps
    )
    undone = entry.reason is Reason.BOUNCE and any(
        step.rule in {Rule.HARD_BOUNCE, Rule.ACCOUNT_LEVEL_BOUNCE}
        and step.by is not None
        and step.by.startswith(Kind.VOID)
        and at[step.by] > entry.at
        for step in steps
    )
    return reactivated or undone


def _imported(address: str, entry: AccountLevelEntry, by: str) -> Evidence:
    return operator_actions.import_entry(
        address=address,
        reason=entry.reason,
        by=by,
        note="SES's account-level list",
        at=entry.at,
    )


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
    if import_job is not None and not re.fullmatch(r"s3://[^/]+(/.*)?", import_job):
        raise typer.BadParameter("--import-job: s3://bucket/prefix is needed")
    found = _compare(session)
    if apply:
        _apply(session, found, import_job)
    if session.out.as_json:
        session.out.emit(_document(found, applied=apply))
    else:
        _say(session, found, apply=apply)


def _compare(session: Session) -> _Differences:
    found = _Differences()
    entries: dict[str, list[AccountLevelEntry]] = {}
    with session.out.progress("reading SES's list") as advance:
        for entry in session.account_level_list.entries():
            if entry.address and is_simulator(entry.address):
                continue  # here it ends after a day
            if entry.address:
                entries.setdefault(entry.address, []).append(entry)
            else:
                found.invalid += 1
            advance.by(1)
    compare = partial(found.compare, by=session.caller, policy=session.policy)
    for record in scan(session):
        compare(record, entries.pop(record.address, []))
    for address, listed in entries.items():
        compare(Record(address=address), listed)
    return found


def _apply(session: Session, found: _Differences, import_job: str | None) -> None:
    writer = BatchWriter(session.store, session.policy)
    with session.out.progress("pulling", len(found.pull)) as advance:
        for entry in found.pull:
            address = normalise_reported(entry.spelling)
            writer.add(address, [_imported(address, entry, session.caller)])
            advance.by(1)
        writer.flush()
    report_failures(session, writer.failures)
    if import_job:
        _push_by_job(session, list(_still_held(session, found.push)), import_job)
    else:
        with session.out.progress("pushing", len(found.push)) as advance:
            for address, reason in _still_held(session, found.push):
                session.account_level_list.put(address, reason)
                advance.by(1)
    _delete(session, found.delete)


def _still_held(
    session: Session, push: Sequence[tuple[str, Reason]]
) -> Iterator[tuple[str, Reason]]:
    """Give the reasons of now; whom somebody has released since the table was read has none."""
    for batch in chunks(push, ADDRESSES_A_BATCH):
        records = load_many(session, [normalise_reported(address) for address, _ in batch])
        for address, _ in batch:
            record = records[normalise_reported(address)]
            if reason := _lasting_reason(record, session.policy):
                yield address, reason


def _delete(session: Session, delete: list[AccountLevelEntry]) -> None:
    with session.out.progress("deleting", len(delete)) as advance:
        for entry in delete:
            session.account_level_list.delete_if_unchanged(entry)
            advance.by(1)


def _push_by_job(session: Session, push: list[tuple[str, Reason]], where: str) -> None:
    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    started = f"{session.now:%Y%m%dT%H%M%SZ}"
    for number, part in enumerate(chunks(push, _ADDRESSES_A_JOB)):
        name = f"ses-suppression-{session.environment or session.table}-{started}-{number}.csv"
        key = f"{prefix.rstrip('/')}/{name}".lstrip("/")
        body = io.StringIO()
        csv.writer(body, lineterminator="\n").writerows(
            (address, reason.value) for address, reason in part
        )
        session.client("s3").put_object(Bucket=bucket, Key=key, Body=body.getvalue().encode())
        job = session.client("sesv2").create_import_job(
            ImportDestination={
                "SuppressionListDestination": {"SuppressionListImportAction": "PUT"}
            },
            ImportDataSource={"S3Url": f"s3://{bucket}/{key}", "DataFormat": "CSV"},
        )
        session.out.warn(
            f"SES imports {len(part):,} addresses in job {job['JobId']}; delete {key} from the "
            "bucket when it is done"
        )


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
