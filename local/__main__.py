"""The command line behind `make demo` and `make local`."""

import sys

import typer
from rich.console import Console

from local.demo import run_demo
from local.deployment import deploy, read_config
from local.emulator import LocalError, forget_real_accounts, running_emulator
from local.mailbox_simulator import sender_of, verify_identities
from local.stopping import Stopped, raise_on_signals
from ses_suppression.deployment import Variable

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False
)
# A file or a pipe has no width: let nothing be cut there. Below 80 columns a terminal wraps better.
console = Console(highlight=False)
console.width = max(console.width, 80) if sys.stdout.isatty() else 130


@app.command()
def demo() -> None:
    """Run the whole stack once, from `cdk deploy` to a mail that is held back."""
    run_demo(console)


@app.command()
def up() -> None:
    """Start the whole stack, print how to talk to it, and leave it running until Ctrl-C."""
    config = read_config()
    with running_emulator(config.region) as emulator:
        console.print(f"starting the stack at {emulator.endpoint_url}; this takes some 20 seconds")
        verify_identities(emulator, config)
        deployment = deploy(emulator)
        console.print("\nThe stack is running. In another terminal:\n")
        for name, value in emulator.environment.items():
            console.print(f"  export {name}={value}", soft_wrap=True)
        console.print(f"  export {Variable.TABLE_NAME}={deployment.table_name}", soft_wrap=True)
        for kind, topic_arn in deployment.outputs.items():
            if kind.endswith("TopicArn"):
                console.print(f"  # {kind}: {topic_arn}", soft_wrap=True)
        console.print(f"\nSend from {sender_of(config)}. The emulator's log: {emulator.log}")
        console.print("Ctrl-C stops it.")
        emulator.process.wait()
        raise LocalError(f"the emulator ended by itself; its last words:\n{emulator.last_words()}")


def main() -> None:
    """Run the command line; an error is a sentence, never a traceback."""
    forget_real_accounts()
    raise_on_signals()
    try:
        app()
    except LocalError as error:
        sys.exit(f"error: {error}")
    except Stopped:
        sys.exit("stopped, and with it everything that was started")


if __name__ == "__main__":
    main()
