"""What would another policy have done? Decide the whole table again."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ses_suppression.cli.listing import scan
from ses_suppression.cli.parameters import Apply, report_failures
from ses_suppression.cli.session import Session, policy_of_file
from ses_suppression.core.address import domain_of
from ses_suppression.operations.batches import BatchWriter
from ses_suppression.operations.replay import replay as replay_records

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
    writer = BatchWriter(session.store, policy_of_file(policy.read_bytes()))
    found = replay_records(scan(session), at=session.now, writer=writer, apply=apply)
    changes = {"released": found.released, "added": found.added}
    domains = {name: Counter(map(domain_of, changes[name])) for name in changes}
    if session.out.as_json:
        session.out.emit(
            {"records": found.records, "applied": apply, "written": writer.written}
            | {
                name: {
                    "addresses": len(addresses),
                    "by_domain": dict(domains[name].most_common(_TOP)),
                    "examples": addresses[:_EXAMPLES],
                }
                for name, addresses in changes.items()
            }
        )
    else:
        for name, addresses in changes.items():
            verb = name if apply else f"would be {name}"
            such_as = f", such as {' '.join(addresses[:_EXAMPLES])}" if addresses else ""
            session.out.say(f"{len(addresses):,} of {found.records:,} addresses {verb}{such_as}")
            session.out.table([f"{name} at", "addresses"], domains[name].most_common(_TOP))
        if not apply:
            session.out.say("--apply writes it")
    report_failures(session, writer.failures)
