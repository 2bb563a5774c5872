"""The command line as a whole: its options, its commands, and how an error ends it."""

import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ses_suppression.cli import (
    addresses,
    dead_letters,
    doctor,
    importing,
    incidents,
    listing,
    replay,
    screening,
    sync,
)
from ses_suppression.cli.output import Output
from ses_suppression.cli.session import Session
from ses_suppression.deployment import Variable
from ses_suppression.errors import ConflictError, SESSuppressionError, StoreUnavailableError

UNEXPECTED, USAGE, REFUSED = 1, 2, 3
"""Exit statuses beside 0, success, and 1, a negative result: an error in this software, which is 1
too, so that a script holds mail back; a usage error; an AWS error."""

_UNKNOWN_THERE = (
    "AWS does not know the credentials there: check --profile, and that the account has the region "
    "enabled"
)
_HINTS = {
    "AccessDeniedException": "the caller may not do this: check --profile and its policy",
    "AccessDenied": "the caller may not do this: check --profile and its policy",
    "ResourceNotFoundException": "there is no such table there: check --env, --table and --region",
    "ExpiredTokenException": "the credentials have expired: log in again",
    "ExpiredToken": "the credentials have expired: log in again",
    "UnrecognizedClientException": _UNKNOWN_THERE,
    "InvalidClientTokenId": _UNKNOWN_THERE,
    "OptInRequired": "the region is not enabled for the account: check --region, or enable it",
    "NoCredentialsError": "there are no credentials: set --profile, or log in",
    "NoRegionError": "no region is named: --region eu-west-1, or AWS_REGION",
    "EndpointConnectionError": "AWS cannot be reached: check the network, --region, --endpoint-url",
}

# What is wrong with a command line. Its panel would show the text of an argument as it is.
_UsageError: Any = typer.BadParameter.__base__


@dataclass
class _Run:
    """One command line.

    Attributes:
        make_session: of the output and the global options.
        session: the one that was made; None: the command line did not come so far.
    """

    make_session: Callable[..., Session] = Session
    session: Session | None = None


app = typer.Typer(
    name="ses-suppression",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def snapshot() -> None:
    """Say what took the place of a command that is gone."""
    raise typer.BadParameter("the snapshot file is gone: use `screen FILE` or `preflight FILE`")


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
    replay.replay,
    sync.sync,
    screening.screen,
    screening.preflight,
    doctor.doctor,
)
for _command in _COMMANDS:
    app.command(name=_command.__name__.rstrip("_"))(_command)
app.add_typer(dead_letters.app, name="dead-letters")
app.command(
    hidden=True, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)(snapshot)

_FORMER_VARIABLE = "SUPPRESSION_ENV"


@app.callback()
def options(
    context: typer.Context,
    env: Annotated[
        str | None,
        typer.Option(
            envvar=[Variable.ENVIRONMENT, _FORMER_VARIABLE],
            help="The environment of cdk.json, such as prod.",
        ),
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="The table; else that of --env; else SUPPRESSION_TABLE_NAME.")
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
    this: _Run = context.obj
    out = Output(as_json=json)
    if env and env == os.environ.get(_FORMER_VARIABLE) and Variable.ENVIRONMENT not in os.environ:
        out.warn(f"set {Variable.ENVIRONMENT}: the next release does not read {_FORMER_VARIABLE}")
    context.obj = this.session = this.make_session(
        out, environment=env, table=table, profile=profile, region=region, endpoint_url=endpoint_url
    )


def run(
    arguments: Sequence[str] | None = None, make_session: Callable[..., Session] = Session
) -> None:
    """Run the command line; an error is a sentence, never a traceback, unless `--debug` asks.

    Args:
        arguments: the command line without the name of the program; None: that of the process.
        make_session: makes the session of the output and the global options.

    Raises:
        SystemExit: always, with the exit status.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no character is worth a failure
    this = _Run(make_session)
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(arguments, obj=this, standalone_mode=False) or 0
    except BrokenPipeError:
        # Whoever read has read enough, as `head` does. Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except _UsageError as error:
        status = error.exit_code
        if message := error.format_message():  # else the help was shown
            Output().fail(_with_help(message, error.ctx))
    except Exception as error:  # noqa: BLE001  # Python would show its text as it is
        status, message = _status_and_message(error)
        details = getattr(error, "__notes__", ())
        if "--debug" in arguments or status == UNEXPECTED:
            details = "".join(traceback.format_exception(error)).splitlines()
        Output().fail(message, details)
    if not status and this.session and this.session.incomplete:
        status = REFUSED
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
        case OSError() | ValueError():
            return USAGE, str(error)
        case _:
            return UNEXPECTED, f"{type(error).__name__}: {error}"


def _with_help(message: str, context: typer.Context | None) -> str:
    return f"{message.rstrip('.')}. See {context.command_path} --help" if context else message


def _with_hint(code: str, message: str) -> str:
    hint = _HINTS.get(code)
    return f"{message.rstrip('.')}. {hint[0].upper()}{hint[1:]}" if hint else message
