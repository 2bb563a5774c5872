"""The CDK command line, run as a person would run it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.emulator import LocalError
from ses_suppression.deployment import StackOutput

ROOT = Path(__file__).parent.parent
_CDK = ROOT / "node_modules" / ".bin" / "cdk"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed environment, with the outputs of its stack."""

    stack_name: str
    outputs: Mapping[str, str]

    @property
    def table_name(self) -> str:
        """The suppression table."""
        return self.outputs[StackOutput.TABLE_NAME]


@dataclass(frozen=True, slots=True, kw_only=True)
class CDK:
    """The command line, for one project and one account.

    Attributes:
        folder: where it writes its files.
        project: the folder with the `cdk.json`.
        options: of every command.
        environment: variables beside those of this process.
    """

    folder: Path
    project: Path = ROOT
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def deploy(self, environment: str) -> Deployment:
        """Deploy an environment of the project's `cdk.json`.

        Raises:
            LocalError: the command failed; the message ends with what it said.
        """
        outputs = self.folder / "outputs.json"
        # `make synth` and the tests validate the template; here it would take a third of the time.
        self._run(
            "deploy",
            f"env={environment}",
            "--require-approval=never",
            "--no-validation",
            f"--outputs-file={outputs}",
        )
        ((stack_name, values),) = json.loads(outputs.read_text()).items()
        return Deployment(stack_name=stack_name, outputs=values)

    def destroy(self, environment: str) -> None:
        """Remove it again.

        Raises:
            LocalError: as `deploy`.
        """
        self._run("destroy", f"env={environment}", "--force")

    def _run(self, command: str, context: str, *options: str) -> None:
        if not _CDK.exists():
            raise LocalError("the CDK command line is not installed: run `make setup`")
        process = subprocess.Popen(  # our own command
            [
                str(_CDK),
                command,
                *("-c", context),
                *self.options,
                *options,
                *("--output", str(self.folder / "cdk.out")),
                "--ci",
                "--no-notices",
                "--no-version-reporting",
            ],
            cwd=self.project,
            env={
                **os.environ,
                **self.environment,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # it starts processes of its own: all are ended together
        )
        try:
            printed, _ = process.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if process.returncode != 0:
            raise LocalError(f"cdk {command} failed:\n{printed}")
