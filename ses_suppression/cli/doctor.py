"""Is the path from SES to the table alive? What is looked at, what was found, what to do."""

from typing import Annotated

import typer

from ses_suppression.cli.session import Session
from ses_suppression.ses_account.checks import checkup
from ses_suppression.ses_account.checks.identities import fix_identities
from ses_suppression.ses_account.checks.path import round_trip
from ses_suppression.ses_account.health import Finding, Level
from ses_suppression.ses_account.identity_feedback import IdentityNotifications

SICK = 1
_MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.FAILED: "✗"}


def doctor(
    context: typer.Context,
    send: Annotated[
        str | None,
        typer.Option(
            metavar="SENDER",
            help="Mail SES's mailbox simulator from this address, and wait for the verdict.",
        ),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="First restore the settings of the identities as deployed."),
    ] = False,
) -> None:
    """Is the path from SES to the table alive? The exit status is 1 when something is not.

    Example: `ses-suppression --env prod doctor --send shop@example.com`
    """
    session: Session = context.obj
    environment = session.deployed
    if fix:
        notifications = IdentityNotifications(session.client("ses"), session.client("sesv2"))
        fix_identities(environment.stack, notifications)
    checks = [*checkup.CHECKS, *([round_trip(send)] if send else [])]
    findings: list[Finding] = []
    for finding in checkup.run(environment, checks):
        findings.append(finding)
        if session.out.as_json:
            session.out.emit(
                {
                    "check": finding.check,
                    "state": finding.level,
                    "found": finding.found,
                    "advice": finding.advice or None,
                }
            )
    if not session.out.as_json:
        session.out.table(
            ["", "check", "found", "what to do"],
            [(_MARKS[one.level], one.check, one.found, one.advice) for one in findings],
        )
    if any(finding.level is Level.FAILED for finding in findings):
        raise typer.Exit(SICK)
