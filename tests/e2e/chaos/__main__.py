"""`make chaos`: runs of the full size, one seed after the other, and a report of each."""

import random
import sys
import time
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Console

from local.emulator import forget_real_accounts
from tests.e2e.chaos.naive import NAIVE
from tests.e2e.chaos.run import OURS, Report, deployed, run

console = Console(highlight=False, width=140)
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

HEADER = (
    "| seed | notifications | published | faults before the table | killed in mid-batch "
    "| by operators | given back | held back | wrong | lost | minutes |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


@app.command()
def chaos(
    seed: Annotated[
        int | None, typer.Option(help="The first seed; one that is drawn if not given.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many, one after the other.")] = 1,
    notifications: Annotated[int, typer.Option(min=20)] = 10_000,
    naive: Annotated[  # noqa: FBT002  # typer's way
        bool, typer.Option("--naive", help="The naive handler, not ours.")
    ] = False,
) -> None:
    """Publish feedback while everything fails in turn, and compare the table with the model."""
    first = random.randrange(1_000_000) if seed is None else seed
    handler = NAIVE if naive else OURS
    reports: list[Report] = []
    console.print(HEADER)
    for number in range(first, first + seeds):
        begun = time.monotonic()
        console.print(f"seed {number}", style="dim")
        with deployed(handler) as (stack, proxy):
            report = run(
                stack,
                proxy,
                seed=number,
                notifications=notifications,
                addresses=max(10, notifications * 3 // 10),
                handler=handler,
            )
        console.print(row(report, time.monotonic() - begun), soft_wrap=True)
        reports.append(report)
        show(report.wrong[:10])
        show(report.lost[:10])
    sys.exit(0 if all(is_as_expected(report, naive=naive) for report in reports) else 1)


def is_as_expected(report: Report, *, naive: bool) -> bool:
    """Tell whether ours is right; a naive handler that is would mean that the run shows nothing."""
    if not report.has_failed:
        return False
    return (
        bool(report.wrong)
        if naive
        else (report.is_right and report.retried > 0 and report.has_raced)
    )


def row(report: Report, seconds: float) -> str:
    """Write a line of the table in `docs/reliability.md`."""
    faults = ", ".join(f"{number:,} {kind}" for kind, number in sorted(report.injected.items()))
    commands = ", ".join(f"{number:,} {name}" for name, number in report.commands.items())
    return (
        f"| {report.seed} | {report.notifications:,} | {report.published:,} | {faults} "
        f"| {report.killed} | {commands} | {report.retried:,} | {report.suppressed:,} "
        f"| {len(report.wrong):,} | {len(report.lost):,} | {seconds / 60:.1f} |"
    )


def show(lines: Iterable[str]) -> None:
    """Print what is wrong."""
    for line in lines:
        console.print(f"  {line[:400]}", style="red", soft_wrap=True)


if __name__ == "__main__":
    forget_real_accounts()
    app()
