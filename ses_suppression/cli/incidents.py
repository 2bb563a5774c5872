"""A receiving system rejected valid mailboxes for an hour: void what that caused."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Annotated, Any

import typer

from ses_suppression.cli.listing import scan
from ses_suppression.cli.parameters import Apply, moment, read_domain, report_failures
from ses_suppression.cli.session import Session
from ses_suppression.core.undo import Incident
from ses_suppression.operations.batches import BatchWriter
from ses_suppression.operations.undo import DomainCounts, revert
from ses_suppression.operations.undo import undo as undo_incident


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
    revert_id: Annotated[
        str | None, typer.Option("--revert", help="The ID of an undo that is taken back.")
    ] = None,
    ses: Annotated[
        bool, typer.Option("--ses", help="Delete the entries at SES too; a revert puts them back.")
    ] = False,
    apply: Apply = False,
) -> None:
    """Undo what an incident caused; older evidence keeps its effect. Without --apply, only say so.

    Bounces in that time at those domains are voided, and so are the echoes that followed from
    SES's account-level list. Running it again changes nothing; `--revert ID` takes it back.

    Example: `ses-suppression --env prod undo --domain gmail.com --from 2020-12-14T20:00Z
    --to 2020-12-15T02:00Z --diagnostic 5.1.1 --ses`
    """
    session: Session = context.obj
    if revert_id is not None:
        if domain or start or end or diagnostic or sub_type:
            raise typer.BadParameter("--revert takes an undo back as a whole: leave out the rest")
        _revert(session, revert_id, note=note or f"revert of undo {revert_id}", apply=apply)
        return
    if start is None or end is None:
        raise typer.BadParameter("--from and --to: say when the incident began and ended")
    incident = Incident(
        start=start,
        end=end,
        domains=frozenset(map(read_domain, domain or ())),
        diagnostic=diagnostic,
        bounce_sub_type=sub_type,
    )
    _undo(session, incident, note=note or f"undo {incident.id}", ses=ses, apply=apply)


def _undo(session: Session, incident: Incident, *, note: str, ses: bool, apply: bool) -> None:
    writer = BatchWriter(session.store, session.policy)
    domains = undo_incident(
        scan(session),
        incident,
        by=session.caller,
        note=note,
        at=session.now,
        writer=writer,
        account_level_list=session.account_level_list if ses else None,
        apply=apply,
    )
    _report(session, incident, domains, ses=ses, apply=apply, written=writer.written)
    report_failures(session, writer.failures)


def _report(
    session: Session,
    incident: Incident,
    domains: Mapping[str, DomainCounts],
    *,
    ses: bool,
    apply: bool,
    written: int,
) -> None:
    names = [one.name for one in fields(DomainCounts) if one.name != "examples"]
    total = {name: sum(getattr(one, name) for one in domains.values()) for name in names}
    largest_first = sorted(domains.items(), key=lambda item: -item[1].matched)
    if session.out.as_json:
        session.out.emit(
            {
                "undo": incident.id,
                "applied": apply,
                **total,
                "written": written,
                "by_domain": {name: asdict(counts) for name, counts in largest_first},
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
    writer = BatchWriter(session.store, session.policy)
    counts = revert(
        scan(session),
        undo_id,
        by=session.caller,
        note=note,
        at=session.now,
        writer=writer,
        account_level_list=session.account_level_list,
        apply=apply,
    )
    if session.out.as_json:
        session.out.emit(
            {"revert": undo_id, "applied": apply, **asdict(counts), "written": writer.written}
        )
    elif not counts.addresses:
        session.out.say(f"undo {undo_id}: there is nothing to take back")
    else:
        verb = "are" if apply else "would be (--apply does it)"
        session.out.say(
            f"undo {undo_id}: of {counts.addresses:,} addresses {counts.held_back:,} {verb} held "
            "back again; "
            f"{counts.put_back_at_ses:,} entries {verb} put back at SES"
        )
    report_failures(session, writer.failures)
