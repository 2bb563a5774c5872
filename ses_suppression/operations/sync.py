"""SES's account-level list and ours: what is missing where, and what makes them agree."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ses_suppression.core import actions
from ses_suppression.core.address import is_simulator, normalise_reported
from ses_suppression.core.decision import decide, lasting_reason
from ses_suppression.core.evidence import Evidence, Kind
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record, update
from ses_suppression.core.rules import Rule
from ses_suppression.operations.batches import ADDRESSES_A_BATCH, BatchWriter, load_all
from ses_suppression.ses_account.account_list import AccountLevelEntry
from ses_suppression.store.protocol import Store, chunks

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client

ADDRESSES_A_JOB = 100_000
"""What an import job takes ("Using the account-level suppression list", SES developer guide)."""


@dataclass
class Differences:
    """What would make the two lists agree.

    Attributes:
        same: how many entries agree.
        pull: entries that are missing here.
        push: addresses that are missing at SES, or have another reason there.
        delete: entries at SES that are outdated.
        other_reason: how many of these are on both lists, with another reason.
        invalid: how many entries at SES are no address.
    """

    same: int = 0
    pull: list[AccountLevelEntry] = field(default_factory=list)
    push: list[tuple[str, Reason]] = field(default_factory=list)
    delete: list[AccountLevelEntry] = field(default_factory=list)
    other_reason: int = 0
    invalid: int = 0


def compare(
    entries: Iterable[AccountLevelEntry], records: Iterable[Record], policy: Policy
) -> Differences:
    """Compare SES's list, which is read first, with the records of the whole table."""
    found = Differences()
    listed: defaultdict[str, list[AccountLevelEntry]] = defaultdict(list)
    for entry in entries:
        if entry.address is None:
            found.invalid += 1
        elif not is_simulator(entry.address):  # here it ends after a day
            listed[entry.address].append(entry)
    for record in records:
        _compare_address(found, record, listed.pop(record.address, []), policy)
    for address, rest in listed.items():
        _compare_address(found, Record(address=address), rest, policy)
    return found


def _compare_address(
    found: Differences, record: Record, entries: Sequence[AccountLevelEntry], policy: Policy
) -> None:
    """Compare a record with its entries at SES, each in another spelling.

    Of two reasons the complaint wins. It is pulled from any spelling and pushed to the others, so
    that a second run finds nothing to do.
    """
    outdated = [entry for entry in entries if _is_outdated(record, entry, policy)]
    found.delete += outdated
    listed = [entry for entry in entries if entry not in outdated]
    before = _lasting_reason(record, policy)
    pulled = [
        entry
        for entry in listed
        if before not in {entry.reason, Reason.COMPLAINT}
        and update(record, [_evidence_of(entry)], policy)
    ]
    found.pull += pulled
    after = update(record, [_evidence_of(entry) for entry in pulled], policy) or record
    reason = _lasting_reason(after, policy)
    if reason and not listed:
        found.push.append((record.address, reason))
    for entry in listed:
        if reason is Reason.COMPLAINT and entry.reason is not reason:
            found.other_reason += 1
            found.push.append((entry.spelling, reason))
        elif entry in pulled:
            found.other_reason += before is not None
        else:
            found.same += 1  # or it was pulled before, and another cause comes first here


def _lasting_reason(record: Record, policy: Policy) -> Reason | None:
    return lasting_reason(record.address, record.evidence, policy)


def _is_outdated(record: Record, entry: AccountLevelEntry, policy: Policy) -> bool:
    """Whether an entry is from before a reactivation, or from a bounce that an undo voided.

    It is not while every stream is held back without end: then the entry is true.
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


def _evidence_of(entry: AccountLevelEntry, by: str = "sync") -> Evidence:
    return actions.import_entry(
        address=normalise_reported(entry.spelling),
        reason=entry.reason,
        by=by,
        note="SES's account-level list",
        at=entry.at,
    )


def pull(entries: Iterable[AccountLevelEntry], *, by: str, writer: BatchWriter) -> None:
    """Write entries of SES's list to the table, with SES's date."""
    for entry in entries:
        evidence = _evidence_of(entry, by)
        writer.add(normalise_reported(entry.spelling), [evidence])
    writer.flush()


def still_held(
    push: Sequence[tuple[str, Reason]], store: Store, policy: Policy
) -> Iterator[tuple[str, Reason]]:
    """Yield the addresses with their present reasons, without those released meanwhile.

    Raises:
        SESSuppressionError: an address could not be read.
    """
    for batch in chunks(push, ADDRESSES_A_BATCH):
        records = load_all(store, [normalise_reported(address) for address, _ in batch])
        for address, _ in batch:
            if reason := _lasting_reason(records[normalise_reported(address)], policy):
                yield address, reason


def start_import_job(
    push: Iterable[tuple[str, Reason]],
    to: str,
    *,
    s3: Any,  # noqa: ANN401  # boto3's own
    sesv2: "SESV2Client",
) -> str:
    """Write addresses to an object, start SES's import job of it, and return the job's id.

    Args:
        push: at most `ADDRESSES_A_JOB` addresses.
        to: the object, such as `s3://bucket/prefix/name.csv`.
        s3: a boto3 S3 client.
        sesv2: a boto3 SES client of the second version.
    """
    body = io.StringIO()
    csv.writer(body, lineterminator="\n").writerows(
        (address, reason.value) for address, reason in push
    )
    bucket, _, key = to.removeprefix("s3://").partition("/")
    s3.put_object(Bucket=bucket, Key=key, Body=body.getvalue().encode())
    job = sesv2.create_import_job(
        ImportDestination={"SuppressionListDestination": {"SuppressionListImportAction": "PUT"}},
        ImportDataSource={"S3Url": to, "DataFormat": "CSV"},
    )
    return job["JobId"]
