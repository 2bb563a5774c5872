"""One address: may it be mailed, why not, and how that is changed."""

from datetime import datetime
from typing import Annotated, Any

import typer

from ses_suppression.cli.listing import scan
from ses_suppression.cli.output import suppression_document
from ses_suppression.cli.parameters import (
    Address,
    Apply,
    AskedStream,
    AskedTenant,
    Note,
    Stream,
    load,
    moment,
    report_failures,
)
from ses_suppression.cli.session import Session
from ses_suppression.client.acting import act
from ses_suppression.core import actions as operator_actions
from ses_suppression.core import explanation
from ses_suppression.core.address import fingerprint as fingerprint_of
from ses_suppression.core.address import normalise
from ses_suppression.core.decision import has_complained
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Reason
from ses_suppression.core.record import Record, without_reports_of
from ses_suppression.core.suppression import Suppression
from ses_suppression.errors import SESSuppressionError, UnreadableItemError
from ses_suppression.operations.batches import BATCH_SECONDS
from ses_suppression.store.deadline import Deadline

HELD_BACK, NO_ADDRESS = 1, 2


def check(
    context: typer.Context,
    addresses: Annotated[list[str], typer.Argument(help="Who would be mailed.")],
    stream: AskedStream = None,
    tenant: AskedTenant = None,
) -> None:
    """May I send mail to these addresses? The exit status is 1 when one of them is held back.

    Example: `ses-suppression --env prod check jane@example.com --stream newsletter`
    """
    session: Session = context.obj
    screening = session.suppressions.screen(addresses, stream, tenant=tenant)
    if not screening.suppressed and screening.unknown:
        raise next(iter(screening.unknown.values()))
    answers = dict.fromkeys(addresses)
    for address in answers:
        suppression = screening.suppressed.get(address)
        problem = screening.invalid.get(address) or screening.unknown.get(address)
        _answer(session, address, suppression, problem)
    if screening.suppressed:
        raise typer.Exit(HELD_BACK)
    if screening.invalid:
        raise typer.Exit(NO_ADDRESS)


def _answer(
    session: Session, address: str, suppression: Suppression | None, problem: Exception | None
) -> None:
    allowed = suppression is None and problem is None
    if session.out.as_json:
        session.out.emit(
            {
                "address": address,
                "allowed": allowed,
                "suppression": suppression_document(suppression) if suppression else None,
                "problem": str(problem) if problem else None,
            }
        )
    elif allowed:
        session.out.say(f"{address}: may be mailed")
    else:
        why = explanation.describe(suppression) if suppression else str(problem)
        session.out.say(f"{address}: {why}")


def explain(context: typer.Context, address: Address) -> None:
    """Why is an address held back, or why not? What happened, in order, and what would lift it.

    Example: `ses-suppression --env prod explain jane@example.com`
    """
    session: Session = context.obj
    record = load(session, address)
    found = explanation.explain(record, session.policy)
    now = session.now
    if session.out.as_json:
        session.out.emit(
            {
                "address": found.address,
                "evidence": [
                    {"at": line.at, "what": line.what, "rule": line.rule, "effect": line.effect}
                    for line in found.lines
                ],
                "suppressions": [
                    suppression_document(one)
                    | {"active": one.holds_at(now), "lifted_by": explanation.lifted_by(one)}
                    for one in found.suppressions
                ],
            }
        )
        return
    for line in found.text():
        session.out.say(line)
    for suppression in found.suppressions:
        if suppression.holds_at(now):
            session.out.say(f"     what lifts it: {explanation.lifted_by(suppression)}")
        else:
            session.out.say("     it has ended: mail may be sent again")


def add(
    context: typer.Context,
    address: Address,
    note: Note,
    stream: Stream = None,
    until: Annotated[
        datetime | None, typer.Option(parser=moment, help="When it ends; without it, never.")
    ] = None,
) -> None:
    """Hold mail back. Who says so is recorded, with the note.

    Example: `ses-suppression --env prod add jane@example.com --note "asked by phone"`
    """
    session: Session = context.obj
    action = operator_actions.suppress(
        by=session.caller, note=note, at=session.now, stream=stream, until=until
    )
    _tell(session, _act(session, normalise(address), action))


def remove(
    context: typer.Context,
    address: Address,
    note: Note,
    stream: Stream = None,
    consent: Annotated[
        str | None, typer.Option(help="After a complaint: how the person agreed to be mailed.")
    ] = None,
    ses: Annotated[
        bool, typer.Option("--ses", help="Delete its entry at SES too, in this spelling.")
    ] = False,
) -> None:
    """Let mail through again: nothing counts that was before. Who says so is recorded.

    Without `--ses` an address on SES's own list is suppressed again by the next mail.

    Example: `ses-suppression --env prod remove jane@example.com --ses --note "mailbox is back"`
    """
    session: Session = context.obj
    key = normalise(address)
    record = load(session, key)
    if ses and stream:
        raise typer.BadParameter("--ses: SES's list knows no streams; leave out --stream")
    consent = (consent or "").strip()
    entries = session.account_level_list.find(key, address) if ses else []
    complained = has_complained(key, record.evidence, session.policy, stream=stream)
    if (complained or any(entry.reason is Reason.COMPLAINT for entry in entries)) and not consent:
        raise typer.BadParameter(
            'somebody complained; say how they agreed to be mailed again: --consent "…"'
        )
    action = operator_actions.reactivate(
        by=session.caller,
        note=f"{note}; consent: {consent}" if consent else note,
        at=session.now,
        consent=bool(consent),
        stream=stream,
    )
    changed = _act(session, key, action)
    deleted = [
        entry.spelling for entry in entries if session.account_level_list.delete_if_unchanged(entry)
    ]
    _tell(session, changed, deleted=deleted if ses else None)
    if len(deleted) < len(entries):
        session.out.warn("an entry of SES's list has changed meanwhile and stays: run it again")
    elif ses and not entries and not session.out.as_json:
        session.out.say("it is not on SES's account-level list")


def _act(session: Session, address: str, action: Evidence) -> Record:
    return act(
        address,
        action,
        store=session.store,
        policy=session.policy,
        deadline=Deadline(BATCH_SECONDS),
    )


def _tell(session: Session, record: Record, *, deleted: list[str] | None = None) -> None:
    """Say how it is now; `deleted`: of SES's list, which was looked at."""
    held = record.active(session.now)
    if session.out.as_json:
        document: dict[str, Any] = {
            "address": record.address,
            "suppressions": [suppression_document(one) for one in held],
        }
        if deleted is not None:
            document["deleted_at_ses"] = deleted
        session.out.emit(document)
        return
    for suppression in held:
        session.out.say(f"{record.address}: {explanation.describe(suppression)}")
    if not held:
        session.out.say(f"{record.address}: may be mailed")
    for spelling in deleted or ():
        session.out.say(f"deleted from SES's account-level list: {spelling}")


def erase(context: typer.Context, address: Address, apply: Apply = False) -> None:
    """Delete everything stored about an address. It can be mailed again afterwards.

    It reads the whole table, to take the address out of the evidence about others too. SES's own
    list is left alone: run `remove --ses` before, else `sync` brings the address back.

    Example: `ses-suppression --env prod erase jane@example.com --apply`
    """
    session: Session = context.obj
    key = normalise(address)
    try:
        record = load(session, key)
    except UnreadableItemError as error:
        session.out.warn(f"{error}: what is lost cannot be said")
        record = Record(address=key)
    held = record.active(session.now)
    if apply:
        session.store.erase(key)
    reports = _erase_reports(session, key, apply=apply)
    if session.out.as_json:
        session.out.emit(
            {
                "address": key,
                "erased": apply,
                "evidence": len(record.evidence),
                "reports": reports,
                "suppressions": [suppression_document(one) for one in held],
            }
        )
        return
    done = "erased" if apply else "would be erased (--apply does it)"
    session.out.say(f"{key}: {done}, with {len(record.evidence)} pieces of evidence")
    for suppression in held:
        session.out.say(f"  no longer held back: {explanation.describe(suppression)}")
    if reports:
        verb = "is" if apply else "would be"
        session.out.say(f"  it {verb} taken out of the evidence about {reports:,} others")


def _erase_reports(session: Session, address: str, *, apply: bool) -> int:
    """Take an address out of the evidence about others; return about how many others."""
    found = 0
    failures: dict[str, SESSuppressionError] = {}
    for other in scan(session):
        without = without_reports_of(address, other) if other.address != address else None
        if without:
            found += 1
            if apply:
                failures.update(session.store.save([without], deadline=Deadline(BATCH_SECONDS)))
    report_failures(session, failures)
    return found


def fingerprint(context: typer.Context, address: Address) -> None:
    """What stands for an address in the logs and nowhere else.

    Example: `ses-suppression --env prod fingerprint jane@example.com`
    """
    session: Session = context.obj
    found = fingerprint_of(normalise(address), session.fingerprint_key)
    if session.out.as_json:
        session.out.emit({"fingerprint": found})
    else:
        session.out.say(found)
