"""The command line behind `make demo` and `make local`."""

import signal
import sys
from types import FrameType

import typer
from rich.console import Console

from local.demo import run_demo
from local.deployment import deploy
from local.emulator import LocalError, running_emulator
from local.mailbox_simulator import IDENTITY, verify_identity

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False
)
# A file or a pipe has no width: let nothing be cut there.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 130)


@app.command()
def demo() -> None:
    """Run the whole stack once, from `cdk deploy` to a mail that is held back."""
    run_demo(console)


@app.command()
def up() -> None:
    """Start the whole stack, print how to talk to it, and leave it running until Ctrl-C."""
    with running_emulator() as emulator:
        console.print(f"starting the stack at {emulator.endpoint_url}; this takes some 20 seconds")
        verify_identity(emulator)
        deployment = deploy(emulator)
        console.print("\nThe stack is running. In another terminal:\n")
        for name, value in emulator.environment.items():
            console.print(f"  export {name}={value}", soft_wrap=True)
        console.print(f"  export SUPPRESSION_TABLE_NAME={deployment.table_name}", soft_wrap=True)
        for kind, topic_arn in deployment.outputs.items():
            if kind.endswith("TopicArn"):
                console.print(f"  # {kind}: {topic_arn}", soft_wrap=True)
        console.print(
            f"\n{IDENTITY} is verified. The emulator's log: {emulator.log}\nCtrl-C stops it."
        )
        emulator.process.wait()


class Stopped(BaseException):
    """Somebody wants this to end: Ctrl-C, or a polite kill."""


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped


def main() -> None:
    """Run the command line; an error is a sentence, never a traceback."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except LocalError as error:
        sys.exit(f"error: {error}")
    except Stopped:
        sys.exit("stopped, and with it everything that was started")


if __name__ == "__main__":
    main()
