"""The undo of an incident over the whole table, and its revert.

The order of writes makes an interruption harmless. What an undo deletes at SES is written to the
table before it is deleted, so that a revert can put it back; a revert puts it back before it writes
that it did. Either can be run again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ses_suppression.core.address import domain_of
from ses_suppression.core.decision import lasting_reason
from ses_suppression.core.policy import Reason
from ses_suppression.core.record import Record, update
from ses_suppression.core.undo import (
    Incident,
    account_level_entry,
    caused_by,
    deleted_entries,
    is_voided,
    restored_entries,
    revert_undo,
    toggle_void,
    void_caused,
)
from ses_suppression.operations.batches import BatchWriter
from ses_suppression.ses_account.account_list import AccountLevelEntry, AccountLevelList

_EXAMPLES = 5
_LATE = timedelta(minutes=10)  # SES makes the entry of a bounce a moment after it


@dataclass
class DomainCounts:
    """What an undo finds, or does, at one domain.

    Attributes:
        matched: addresses with evidence that the incident caused.
        released: of those, addresses that may be mailed again.
        kept: of those, addresses that something else holds back.
        unsure: addresses that may be held back by bounces whose words are not kept.
        already_done: of the matched, addresses that this undo has changed before.
        echoes: pieces of evidence that followed from SES's account-level list.
        ses_entries: entries of that list that go.
        examples: some of the released addresses.
    """

    matched: int = 0
    released: int = 0
    kept: int = 0
    unsure: int = 0
    already_done: int = 0
    echoes: int = 0
    ses_entries: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, record: Record, after: Record, *, at: datetime, done_before: bool) -> None:
        """Count what becomes of an address with evidence of the incident."""
        if done_before:
            self.already_done += 1
        elif after.active(at):
            self.kept += 1
        elif record.active(at):
            self.released += 1
            if len(self.examples) < _EXAMPLES:
                self.examples.append(record.address)


def undo(
    records: Iterable[Record],
    incident: Incident,
    *,
    by: str,
    note: str,
    at: datetime,
    writer: BatchWriter,
    account_level_list: AccountLevelList | None = None,
    apply: bool = False,
) -> dict[str, DomainCounts]:
    """Void what an incident caused, and return what was found at each domain.

    Args:
        records: of the whole table.
        incident: which bounces.
        by: who undoes it, such as the ARN of the caller.
        note: why.
        at: when, UTC.
        writer: writes the voids.
        account_level_list: SES's list, whose entries of the incident are deleted too; None: it is
            left alone.
        apply: whether anything is written; else it is only counted.
    """
    entries = _entries_of(incident, account_level_list) if account_level_list else {}
    domains: defaultdict[str, DomainCounts] = defaultdict(DomainCounts)
    for record in records:
        caused = caused_by(record, incident)
        if not caused and not _is_unsure(record, incident, at):
            continue
        voids = list(void_caused(record, caused, undo=incident.id, by=by, note=note, at=at))
        after = update(record, voids, writer.policy) or record
        counts = domains[domain_of(record.address)]
        counts.unsure += _is_unsure(after, incident, at)
        if caused:
            counts.matched += 1
            counts.echoes += sum(not incident.caused(record.address, one) for one in caused)
            counts.add(record, after, at=at, done_before=not voids)
        at_ses: Sequence[AccountLevelEntry] = ()
        # An entry of an address that is held back on every stream all the same says what is true.
        if account_level_list and caused and not _lasting_reason(after, writer):
            known = entries.get(record.address, ())
            at_ses = [*known, *_put_back(record, incident, known, account_level_list)]
        for entry in at_ses:
            target = account_level_entry(entry.spelling)
            if not is_voided(record, target, incident.id):
                voids.append(toggle_void(record, target, undo=incident.id, by=by, note=note, at=at))
        counts.ses_entries += len(at_ses)
        if apply and voids:
            writer.add(record.address, voids)
        if apply and account_level_list and at_ses:
            _delete(at_ses, record, account_level_list, writer)
    writer.flush()
    return domains


def _delete(
    entries: Iterable[AccountLevelEntry],
    record: Record,
    account_level_list: AccountLevelList,
    writer: BatchWriter,
) -> None:
    """Delete entries at SES, once the table knows of it."""
    writer.flush()
    if record.address not in writer.failures:
        for entry in entries:
            account_level_list.delete_if_unchanged(entry)


def _entries_of(
    incident: Incident, account_level_list: AccountLevelList
) -> Mapping[str, Sequence[AccountLevelEntry]]:
    """Return SES's own entries that the incident made, by address."""
    entries: defaultdict[str, list[AccountLevelEntry]] = defaultdict(list)
    for entry in account_level_list.entries(
        reasons=[Reason.BOUNCE], start=incident.start, end=incident.end + _LATE
    ):
        if entry.address:
            entries[entry.address].append(entry)
    return entries


def _put_back(
    record: Record,
    incident: Incident,
    known: Iterable[AccountLevelEntry],
    account_level_list: AccountLevelList,
) -> Iterator[AccountLevelEntry]:
    """Yield the entries that a revert of this undo put back: SES has given them a new date."""
    spellings = {entry.spelling for entry in known}
    for spelling in restored_entries(record, incident.id):
        entry = account_level_list.get(spelling) if spelling not in spellings else None
        if entry and entry.reason is Reason.BOUNCE:
            yield entry


def _is_unsure(record: Record, incident: Incident, now: datetime) -> bool:
    """Whether an address may be held back by bounces that are kept without their words."""
    return bool(record.active(now)) and any(
        incident.may_have_caused(record.address, piece) for piece in record.evidence
    )


def _lasting_reason(record: Record, writer: BatchWriter) -> Reason | None:
    return lasting_reason(record.address, record.evidence, writer.policy)


@dataclass
class RevertCounts:
    """What a revert finds, or does: addresses, those that are held back then, entries at SES."""

    addresses: int = 0
    held_back: int = 0
    put_back_at_ses: int = 0


def revert(
    records: Iterable[Record],
    undo_id: str,
    *,
    by: str,
    note: str,
    at: datetime,
    writer: BatchWriter,
    account_level_list: AccountLevelList,
    apply: bool = False,
) -> RevertCounts:
    """Let what an undo voided count again, and put back what it deleted at SES.

    Args:
        records: of the whole table.
        undo_id: the id of the undo.
        by: who reverts it.
        note: why.
        at: when, UTC.
        writer: writes the evidence.
        account_level_list: SES's list.
        apply: whether anything is written; else it is only counted.
    """
    counts = RevertCounts()
    for record in records:
        evidence = revert_undo(record, undo_id, by=by, note=note, at=at)
        if not evidence:
            continue
        after = update(record, evidence, writer.policy) or record
        counts.addresses += 1
        counts.held_back += bool(after.active(at))
        # An address that was reactivated meanwhile stays off SES's list.
        deleted = list(deleted_entries(record, undo_id)) if _lasting_reason(after, writer) else []
        counts.put_back_at_ses += len(deleted)
        if apply:
            for spelling in deleted:
                # Not over a complaint that SES has recorded meanwhile.
                if not account_level_list.get(spelling):
                    account_level_list.put(spelling, Reason.BOUNCE)
            writer.add(record.address, evidence)
    writer.flush()
    return counts
