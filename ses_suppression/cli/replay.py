"""What would another policy have done? Decide the whole table again."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ses_suppression.cli.listing import scan
from ses_suppression.cli.parameters import Apply, report_failures
from ses_suppression.cli.session import Session, policy_of_file
from ses_suppression.core.address import domain_of
from ses_suppression.core.evidence import EVERY_STREAM
from ses_suppression.core.record import Record, update
from ses_suppression.operations.batches import BatchWriter

_EXAMPLES = 5
_TOP = 10


def replay(
    context: typer.Context,
    policy: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="JSON, as `cdk.json` has it under policy."),
    ],
    apply: Apply = False,
) -> None:
    """Decide the whole table again under another policy: who would be released, who added?

    Deploy that policy too: the next notification about an address is decided by the stack's.
    What was trimmed is not there to be replayed.

    Example: `ses-suppression --env prod replay --policy policy.json`
    """
    session: Session = context.obj
    new_policy = policy_of_file(policy.read_bytes())
    now = session.now
    writer = BatchWriter(session.store, new_policy)
    changes: dict[str, Counter[str]] = {"released": Counter(), "added": Counter()}
    examples: dict[str, list[str]] = {"released": [], "added": []}
    records = 0
    for record in scan(session):
        records += 1
        after = update(record, (), new_policy)
        if after is None:
            continue
        if apply:
            writer.add(record.address, ())
        before_streams, after_streams = _held_streams(record, now), _held_streams(after, now)
        for change, lost, won in (
            ("released", after_streams, before_streams),
            ("added", before_streams, after_streams),
        ):
            if won - lost and EVERY_STREAM not in lost:
                changes[change][domain_of(record.address)] += 1
                if len(examples[change]) < _EXAMPLES:
                    examples[change].append(record.address)
    writer.flush()
    if session.out.as_json:
        session.out.emit(
            {"records": records, "applied": apply, "written": writer.written}
            | {
                change: {
                    "addresses": domains.total(),
                    "by_domain": dict(domains.most_common(_TOP)),
                    "examples": examples[change],
                }
                for change, domains in changes.items()
            }
        )
    else:
        for change, domains in changes.items():
            verb = change if apply else f"would be {change}"
            such_as = f", such as {' '.join(examples[change])}" if domains else ""
            session.out.say(f"{domains.total():,} of {records:,} addresses {verb}{such_as}")
            session.out.table([f"{change} at", "addresses"], domains.most_common(_TOP))
        if not apply:
            session.out.say("--apply writes it")
    report_failures(session, writer.failures)


def _held_streams(record: Record, now: datetime) -> set[str]:
    return {one.stream for one in record.active(now)}
