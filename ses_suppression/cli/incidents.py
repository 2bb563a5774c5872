"""A receiving system rejected valid mailboxes for an hour: strike out what that caused."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from ses_suppression.cli.listing import scanned
from ses_suppression.cli.parameters import Apply, Writer, domain_named, held_at, moment
from ses_suppression.cli.session import Session
from ses_suppression.core.address import domain_of
from ses_suppression.core.decision import lasting_reason
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Reason
from ses_suppression.core.record import Record, updated
from ses_suppression.core.undo import (
    Incident,
    account_level_entry,
    caused_by,
    deleted_entries,
    is_struck_out,
    restored_entries,
    reverted,
    strike_out,
    undone,
)
from ses_suppression.ses_account.account_list import AccountLevelEntry

_EXAMPLES = 5
_LATE = timedelta(minutes=10)  # SES makes the entry of a bounce a moment after it


@dataclass
class _Counts:
    """What an undo finds, or does, at one domain."""

    matched: int = 0
    released: int = 0
    kept: int = 0
    unsure: int = 0
    already_done: int = 0
    echoes: int = 0
    ses_entries: int = 0
    examples: list[str] = field(default_factory=list)


def undo(
    context: typer.Context,
    domain: Annotated[
        list[str] | None, typer.Option(help="Where mail was rejected; may be said several times.")
    ] = None,
    start: Annotated[
        datetime | None, typer.Option("--from", parser=moment, help="When it began.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", parser=moment, help="When it ended.")
    ] = None,
    diagnostic: Annotated[
        str | None, typer.Option(help="What the status or the diagnostic holds, such as 5.1.1.")
    ] = None,
    sub_type: Annotated[str | None, typer.Option(help="SES's bounce sub type.")] = None,
    note: Annotated[str | None, typer.Option(help="Why, for whoever asks later.")] = None,
    revert: Annotated[
        str | None, typer.Option(help="The ID of an undo that is taken back.")
    ] = None,
    ses: Annotated[
        bool, typer.Option("--ses", help="Delete the entries at SES too; a revert puts them back.")
    ] = False,
    apply: Apply = False,
) -> None:
    """Undo what an incident caused; older evidence keeps its effect. Without --apply, only say so.

    Bounces in that time at those domains are struck out, and so are the echoes that followed from
    SES's account-level list. Running it again changes nothing; `--revert ID` takes it back.

    Example: `ses-suppression --env prod undo --domain gmail.com --from 2020-12-14T20:00Z
    --to 2020-12-15T02:00Z --diagnostic 5.1.1 --ses`
    """
    session: Session = context.obj
    if revert is not None:
        if domain or start or end or diagnostic or sub_type:
            raise typer.BadParameter("--revert takes an undo back as a whole: leave out the rest")
        _revert(session, revert, note=note or f"revert of undo {revert}", apply=apply)
        return
    if start is None or end is None:
        raise typer.BadParameter("--from and --to: say when the incident began and ended")
    incident = Incident(
        start=start,
        end=end,
        domains=frozenset(map(domain_named, domain or ())),
        diagnostic=diagnostic,
        bounce_sub_type=sub_type,
    )
    _undo(session, incident, note=note or f"undo {incident.id}", ses=ses, apply=apply)


def _undo(session: Session, incident: Incident, *, note: str, ses: bool, apply: bool) -> None:
    by, now, policy = session.caller, session.now, session.policy
    entries = _entries_of(session, incident) if ses else {}
    writer = Writer(session, policy)
    domains: defaultdict[str, _Counts] = defaultdict(_Counts)
    for record in scanned(session):
        caused = caused_by(record, incident)
        if not caused and not _is_unsure(record, incident, now):
            continue
        voids = list(undone(record, caused, undo=incident.id, by=by, note=note, at=now))
        after = updated(record, voids, policy) or record
        counts = domains[domain_of(record.address)]
        _count(counts, record, after, caused, voids, incident, now)
        at_ses = _at_ses(session, record, after, incident, entries) if ses and caused else []
        for entry in at_ses:
            target = account_level_entry(entry.spelling)
            if not is_struck_out(record, target, incident.id):
                voids.append(strike_out(record, target, undo=incident.id, by=by, note=note, at=now))
        counts.ses_entries += len(at_ses)
        if apply and voids:
            writer.add(record.address, voids)
        if apply and at_ses:
            writer.flush()  # what is known here can be put back, also when this stops in between
            if record.address not in writer.failures:
                for entry in at_ses:
                    session.account_level_list.delete_if_unchanged(entry)
    writer.flush()
    _report(session, incident, domains, ses=ses, apply=apply, written=writer.written)
    writer.check()


def _at_ses(
    session: Session,
    record: Record,
    after: Record,
    incident: Incident,
    entries: Mapping[str, list[AccountLevelEntry]],
) -> list[AccountLevelEntry]:
    """Give the entries at SES that go: nothing here holds the address back on every stream."""
    if lasting_reason(after.address, after.evidence, session.policy):
        return []
    found = list(entries.get(record.address, ()))
    spellings = {entry.spelling for entry in found}
    for spelling in restored_entries(record, incident.id):  # SES has given them a new date
        entry = session.account_level_list.get(spelling) if spelling not in spellings else None
        if entry and entry.reason is Reason.BOUNCE:
            found.append(entry)
    return found


def _entries_of(session: Session, incident: Incident) -> dict[str, list[AccountLevelEntry]]:
    """Give SES's own entries that the incident made, by address."""
    entries: defaultdict[str, list[AccountLevelEntry]] = defaultdict(list)
    for entry in session.account_level_list.entries(
        reasons=[Reason.BOUNCE], start=incident.start, end=incident.end + _LATE
    ):
        if entry.address:
            entries[entry.address].append(entry)
    return entries


def _count(
    counts: _Counts,
    record: Record,
    after: Record,
    caused: tuple[Evidence, ...],
    voids: list[Evidence],
    incident: Incident,
    now: datetime,
) -> None:
    counts.unsure += _is_unsure(after, incident, now)
    if not caused:
        return
    counts.matched += 1
    counts.echoes += sum(not incident.caused(record.address, piece) for piece in caused)
    if not voids:
        counts.already_done += 1
    elif held_at(after, now):
        counts.kept += 1
    elif held_at(record, now):
        counts.released += 1
        if len(counts.examples) < _EXAMPLES:
            counts.examples.append(record.address)


def _is_unsure(record: Record, incident: Incident, now: datetime) -> bool:
    """Tell whether an address may be held back by bounces that are kept without their words."""
    return bool(held_at(record, now)) and any(
        incident.may_have_caused(record.address, piece) for piece in record.evidence
    )


def _report(
    session: Session,
    incident: Incident,
    domains: dict[str, _Counts],
    *,
    ses: bool,
    apply: bool,
    written: int,
) -> None:
    total: Counter[str] = Counter()
    names = ("matched", "released", "kept", "unsure", "already_done", "echoes", "ses_entries")
    for counts in domains.values():
        total.update({name: getattr(counts, name) for name in names})
    largest_first = sorted(domains.items(), key=lambda item: -item[1].matched)
    if session.out.as_json:
        session.out.emit(
            {
                "undo": incident.id,
                "applied": apply,
                **{name: total[name] for name in names},
                "written": written,
                "by_domain": {
                    name: {key: getattr(counts, key) for key in names}
                    | {"examples": counts.examples}
                    for name, counts in largest_first
                },
            }
        )
        return
    columns = ["domain", "addresses", "released", "still held back", "done before", "echoes"]
    columns += ["entries at SES", "such as"] if ses else ["such as"]
    rows: Iterator[list[Any]] = (
        [name, counts.matched, counts.released, counts.kept, counts.already_done, counts.echoes]
        + ([counts.ses_entries] if ses else [])
        + [" ".join(counts.examples[:2])]
        for name, counts in largest_first
    )
    session.out.table(columns, rows)
    verb = "released" if apply else "would be released; --apply does it"
    session.out.say(
        f"undo {incident.id}: {total['released']:,} of {total['matched']:,} addresses {verb}"
    )
    if total["kept"]:
        session.out.say(f"{total['kept']:,} stay held back for another reason")
    if total["unsure"]:
        session.out.say(
            f"{total['unsure']:,} are held back and uncertain: not every bounce is kept with its "
            "words. Check each with `explain`; use `remove` to release it"
        )
    if apply and written:
        session.out.say(f"take it back with: undo --revert {incident.id} --apply")


def _revert(session: Session, undo_id: str, *, note: str, apply: bool) -> None:
    by, now, policy = session.caller, session.now, session.policy
    writer = Writer(session, policy)
    addresses = held = put_back = 0
    for record in scanned(session):
        voids = reverted(record, undo_id, by=by, note=note, at=now)
        if not voids:
            continue
        addresses += 1
        after = updated(record, voids, policy) or record
        held += bool(held_at(after, now))
        for spelling in deleted_entries(record, undo_id):
            if not lasting_reason(after.address, after.evidence, policy):
                continue  # somebody has reactivated it since
            put_back += 1
            # Before it is written, so that an interruption leaves it to be done again; and not over
            # a complaint that SES has recorded meanwhile.
            if apply and not session.account_level_list.get(spelling):
                session.account_level_list.put(spelling, Reason.BOUNCE)
        if apply:
            writer.add(record.address, voids)
    writer.flush()
    if session.out.as_json:
        session.out.emit(
            {
                "revert": undo_id,
                "applied": apply,
                "addresses": addresses,
                "held_back": held,
                "put_back_at_ses": put_back,
                "written": writer.written,
            }
        )
    elif not addresses:
        session.out.say(f"undo {undo_id}: there is nothing to take back")
    else:
        verb = "are" if apply else "would be (--apply does it)"
        session.out.say(
            f"undo {undo_id}: of {addresses:,} addresses {held:,} {verb} held back again; "
            f"{put_back:,} entries {verb} put back at SES"
        )
    writer.check()
