"""The command line as a whole: its options, its commands, and how an error ends it."""

import io
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ses_suppression.cli import (
    account_level,
    addresses,
    dead_letters,
    doctor,
    importing,
    incidents,
    listing,
    replaying,
    snapshots,
)
from ses_suppression.cli.output import Output
from ses_suppression.cli.session import Session
from ses_suppression.errors import ConflictError, SESSuppressionError, StoreUnavailableError

USAGE, REFUSED = 2, 3
"""Exit statuses beside 0, fine, and 1, the answer is no: it was asked wrongly; AWS said no."""

_HINTS = {
    "AccessDeniedException": "the caller may not do this: check --profile and its policy",
    "AccessDenied": "the caller may not do this: check --profile and its policy",
    "ResourceNotFoundException": "there is no such table there: check --env, --table and --region",
    "ExpiredTokenException": "the credentials have expired: log in again",
    "ExpiredToken": "the credentials have expired: log in again",
    "UnrecognizedClientException": "AWS does not know the credentials: check --profile",
    "NoCredentialsError": "there are no credentials: set --profile, or log in",
    "NoRegionError": "no region is named: --region eu-west-1, or AWS_REGION",
    "EndpointConnectionError": "AWS cannot be reached: check the network, --region, --endpoint-url",
}

app = typer.Typer(
    name="ses-suppression",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: tuple[Callable[..., None], ...] = (
    addresses.check,
    addresses.explain,
    addresses.add,
    addresses.remove,
    addresses.erase,
    addresses.fingerprint,
    listing.list_,
    listing.stats,
    listing.export,
    importing.import_,
    incidents.undo,
    replaying.replay,
    account_level.sync,
    snapshots.preflight,
    doctor.doctor,
)
for _command in _COMMANDS:
    app.command(name=_command.__name__.rstrip("_"))(_command)
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(snapshots.app, name="snapshot")


@app.callback()
def options(
    context: typer.Context,
    env: Annotated[
        str | None,
        typer.Option(envvar="SUPPRESSION_ENV", help="The environment of cdk.json, such as prod."),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(help="The table; else that of --env; else SUPPRESSION_TABLE_NAME."),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="The AWS profile.")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="The AWS region, such as eu-west-1."
        ),
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Another AWS, such as `make local`.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="JSON lines, for scripts.")
    ] = False,  # typer's form
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error arose.")
    ] = False,  # as above
) -> None:
    """May I send mail to this address, why not, and how is that mended?

    Exit status: 0 fine, 1 the answer is no, 2 asked wrongly, 3 AWS said no.
    """
    del debug  # `run` looks at it
    holder = context.obj
    context.obj = holder["session"] = Session(
        Output(as_json=json),
        environment=env,
        table=table,
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
    )


def run() -> None:
    """Run the command line; an error is a sentence, never a traceback, unless `--debug` asks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no character is worth a failure
    holder: dict[str, Session] = {}
    try:
        app(obj=holder)
    except BrokenPipeError:
        # Whoever read has read enough, as `head` does. Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SystemExit as ended:
        if not ended.code and "session" in holder and holder["session"].incomplete:
            sys.exit(REFUSED)
        raise
    except (SESSuppressionError, ClientError, BotoCoreError, OSError, ValueError) as error:
        if "--debug" in sys.argv:
            raise
        status, message = _status_and_message(error)
        sys.stderr.write(f"error: {message}\n")
        sys.exit(status)


def _status_and_message(error: Exception) -> tuple[int, str]:
    match error:
        case StoreUnavailableError():
            return REFUSED, _with_hint(error.code, str(error))
        case ConflictError():
            return REFUSED, f"{error}. Run it again"
        case ClientError():
            details: dict[str, Any] = error.response["Error"]  # type: ignore[assignment]
            message = f"{error.operation_name}: {details.get('Message') or details['Code']}"
            return REFUSED, _with_hint(details["Code"], message)
        case BotoCoreError():
            return REFUSED, _with_hint(type(error).__name__, str(error))
        case SESSuppressionError():
            return USAGE, str(error)
        case OSError(filename=str(name), strerror=str(what)):
            return USAGE, f"{name}: {what}"
        case _:
            return USAGE, str(error)


def _with_hint(code: str, message: str) -> str:
    hint = _HINTS.get(code)
    return f"{message.rstrip('.')}. {hint[0].upper()}{hint[1:]}" if hint else message
