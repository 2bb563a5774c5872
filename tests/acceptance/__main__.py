"""Prove on a real account what the emulator cannot tell: `make acceptance`."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from rich.console import Console

from local.deployment import read_config
from local.emulator import LocalError
from local.stopping import Stopped, raise_on_signals
from tests.acceptance.account import Account, refuse_unless_confirmed
from tests.acceptance.run import Run
from tests.acceptance.throw_away import plan

app = typer.Typer(add_completion=False, help=__doc__, pretty_exceptions_enable=False)
# What AWS says is no markup.
console = Console(highlight=False, markup=False, emoji=False)
console.width = max(console.width, 80) if sys.stdout.isatty() else 150


@app.command()
def acceptance(
    env: Annotated[str, typer.Option(help="An environment of cdk.json: its region and identity.")],
    confirm: Annotated[str, typer.Option(help="The account's id: twelve digits.")] = "",
    dry_run: Annotated[  # noqa: FBT002  # a command's options are its function's arguments
        bool, typer.Option("--dry-run", help="Say what a run makes and costs, and do nothing.")
    ] = False,
) -> None:
    """Deploy a throw-away environment, prove what it does, and remove it again."""
    config = read_config(env)
    if dry_run:
        for line in plan(config):
            console.print(line, soft_wrap=True)
        return
    if not confirm:
        raise LocalError(
            "nothing was started: a run deploys to the account of your credentials. See what it "
            f"makes with `make acceptance ENV={env} DRY_RUN=1`, then start it with "
            f"`make acceptance ENV={env} CONFIRM=<account id>`"
        )
    account = Account.of_caller(config.region)
    refuse_unless_confirmed(account, confirm)
    with tempfile.TemporaryDirectory(prefix="ses-suppression-") as folder:
        holds = Run(account, config, Path(folder), console).go()
    raise typer.Exit(0 if holds else 1)


def main() -> None:
    """Run the command line; an error is a sentence, never a traceback."""
    raise_on_signals()
    try:
        app()
    except NoCredentialsError:
        sys.exit("error: there are no credentials: set AWS_PROFILE, or log in")
    except (LocalError, ClientError, BotoCoreError) as error:
        sys.exit(f"error: {error}")
    except Stopped:
        sys.exit("stopped: the next run removes what this one could not")


if __name__ == "__main__":
    main()
