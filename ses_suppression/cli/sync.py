"""SES's account-level list and ours: who is missing where?"""

import re
from typing import Annotated, Any

import typer

from ses_suppression.cli.listing import scan
from ses_suppression.cli.parameters import Apply, report_failures
from ses_suppression.cli.session import Session
from ses_suppression.core.policy import Reason
from ses_suppression.operations.batches import BatchWriter
from ses_suppression.operations.sync import (
    ADDRESSES_A_JOB,
    Differences,
    compare,
    pull,
    start_import_job,
    still_held,
)
from ses_suppression.store.protocol import chunks

_EXAMPLES = 5


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
    entries = session.out.track("reading SES's list", session.account_level_list.entries())
    found = compare(entries, scan(session), session.policy)
    if apply:
        _apply(session, found, import_job)
    if session.out.as_json:
        session.out.emit(_document(found, applied=apply))
    else:
        _say(session, found, applied=apply)


def _apply(session: Session, found: Differences, import_job: str | None) -> None:
    out, ses = session.out, session.account_level_list
    writer = BatchWriter(session.store, session.policy)
    pull(out.track("pulling", found.pull), by=session.caller, writer=writer)
    report_failures(session, writer.failures)
    held = still_held(found.push, session.store, session.policy)
    if import_job:
        _push_by_jobs(session, list(held), import_job)
    else:
        for address, reason in out.track("pushing", held, len(found.push)):
            ses.put(address, reason)
    for entry in out.track("deleting", found.delete):
        ses.delete_if_unchanged(entry)


def _push_by_jobs(session: Session, push: list[tuple[str, Reason]], where: str) -> None:
    started = f"{session.now:%Y%m%dT%H%M%SZ}"
    for number, part in enumerate(chunks(push, ADDRESSES_A_JOB)):
        name = f"ses-suppression-{session.environment or session.table}-{started}-{number}.csv"
        to = f"{where.rstrip('/')}/{name}"
        job = start_import_job(part, to, s3=session.client("s3"), sesv2=session.client("sesv2"))
        session.out.warn(
            f"SES imports {len(part):,} addresses in job {job}; delete {to} when it is done"
        )


def _document(found: Differences, *, applied: bool) -> dict[str, Any]:
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


def _say(session: Session, found: Differences, *, applied: bool) -> None:
    numbers = _document(found, applied=applied)
    labels = {
        "same": "the same in both",
        "pull": "missing here: pulled",
        "push": "missing at SES: pushed",
        "delete": "outdated at SES: deleted",
        "other_reason": "of these, with another reason",
        "invalid": "at SES, and no address",
    }
    rows = [
        (label, f"{numbers[name]:,}", " ".join(numbers["examples"].get(name, ())))
        for name, label in labels.items()
    ]
    session.out.table(["", "addresses", "such as"], rows)
    if not applied:
        session.out.say("--apply does it")
