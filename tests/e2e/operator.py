"""The operator's command.

It runs in this process, as a person's would, but for the second that a process takes to start. What
a test says of a process (its environment, its end, its terminal, others beside it) runs in one.
"""

import io
import json
import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from local.emulator import Emulator
from ses_suppression.cli.app import run
from ses_suppression.cli.output import Output
from ses_suppression.cli.session import Session
from tests.e2e.stack import Stack

Answer = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Operator:
    """Somebody at a shell.

    Attributes:
        stack: what is deployed.
        options: what stands before the name of the command.
    """

    stack: Stack
    options: tuple[str, ...] = ("--env", "dev")

    def run(self, *arguments: str) -> Answer:
        """Run a command in this process, and return what it wrote and its exit status."""
        command = [*self.options, *arguments]
        output, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
        with redirect_stdout(output), redirect_stderr(errors):
            try:
                run(command, self._session)
            except SystemExit as ended:
                return Answer(command, int(ended.code or 0), _text(output), _text(errors))
        raise AssertionError("a command ends with its exit status")

    def _session(self, out: Output, **options: Any) -> Session:
        """Make a session that asks the emulator, without a change of this process's environment.

        Threads of earlier commands may read it, in C, at any time.
        """
        session = Session(out, **options)
        emulator = self.stack.emulator
        vars(session)["_boto3"] = _EmulatorSession(emulator, options["region"] or emulator.region)
        return session

    def run_process(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Answer:
        """Run a command in a process of its own."""
        return subprocess.run(
            self._command(arguments),
            env={**self._environment, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    @contextmanager
    def started(
        self, *arguments: str, output: int = subprocess.DEVNULL
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """Start a command, and end it on the way out, whatever the way."""
        process = subprocess.Popen(
            self._command(arguments),
            env=self._environment,
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(timeout=10)

    def in_a_terminal(self, *arguments: str, standard_output: bool = False) -> str:
        """Run a command in a terminal, and give all that a person sees there.

        With `standard_output` that goes elsewhere, and is what is given.
        """
        person, process_side = pty.openpty()
        elsewhere = tempfile.TemporaryFile()  # noqa: SIM115  # it is closed below
        environment = {**self._environment, "TERM": "xterm"}
        process = subprocess.Popen(
            self._command(arguments),
            env=environment,
            stdin=process_side,
            stdout=elsewhere if standard_output else process_side,
            stderr=process_side,
            close_fds=True,
        )
        os.close(process_side)
        seen = b""
        try:
            while chunk := _read(person):
                seen += chunk
            process.wait(timeout=60)
        finally:
            process.kill()
            process.wait(timeout=10)
            os.close(person)
        with elsewhere:
            elsewhere.seek(0)
            written = elsewhere.read()
        return (written if standard_output else seen).decode()

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "ses_suppression", *self.options, *arguments]

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.stack.emulator.environment, "COLUMNS": "200"}

    def says(self, *arguments: str, status: int = 0) -> str:
        """Run a command that ends with this status, and give its text."""
        answer = self.run(*arguments)
        assert (answer.returncode, answer.stderr) == (status, ""), answer
        return answer.stdout

    def documents(self, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """Run a command with `--json`, and give what it wrote."""
        text = self.says("--json", *arguments, status=status)
        return [json.loads(line) for line in text.splitlines()]

    def document(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """Run a command with `--json` that writes one document."""
        (document,) = self.documents(*arguments, status=status)
        return document

    def refused(
        self, *arguments: str, status: int, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run a command that ends with an error, and give what it says of it."""
        answer = (
            self.run_process(*arguments, environment=environment)
            if environment is not None
            else self.run(*arguments)
        )
        assert (answer.returncode, answer.stdout) == (status, ""), answer.stderr
        assert "Traceback" not in answer.stderr
        return answer.stderr


@dataclass(frozen=True)
class _EmulatorSession:
    """As much of a boto3 session as a command uses."""

    emulator: Emulator
    region_name: str

    def client(self, service: str, **options: Any) -> Any:
        """Return a client of the emulator."""
        given = {name: value for name, value in options.items() if value is not None}
        return self.emulator.client(service, **{"region_name": self.region_name, **given})


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody writes to it any more
        return b""
