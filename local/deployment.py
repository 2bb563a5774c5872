"""Deploys the unmodified app to the emulator, with the CDK command line, as a person would."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import DefaultStackSynthesizer

from local.emulator import ACCOUNT_ID, Emulator, LocalError
from stacks.config import Config
from stacks.config_values import ConfigError

ROOT = Path(__file__).parent.parent
_CDK = ROOT / "node_modules" / ".bin" / "cdk"


def configured(environment: str = "dev", *, project: Path = ROOT) -> Config:
    """Read an environment of `cdk.json`, as the app does.

    Args:
        environment: which.
        project: the folder with the `cdk.json`.

    Raises:
        LocalError: it is wrong, or names no identity to send mail from.
    """
    context = json.loads((project / "cdk.json").read_text())["context"]
    try:
        config = Config.from_context({**context, "env": environment})
    except ConfigError as error:
        raise LocalError(f"cdk.json: {error}") from None
    if not config.identities:
        raise LocalError(f"cdk.json: environments.{environment}.identities: name one to send from")
    return config


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed environment, with the outputs of its stack."""

    stack_name: str
    outputs: Mapping[str, str]

    @property
    def table_name(self) -> str:
        """The suppression table."""
        return self.outputs["SuppressionTableName"]


def deploy(emulator: Emulator, *, environment: str = "dev", project: Path = ROOT) -> Deployment:
    """Deploy an environment of `cdk.json` to the emulator.

    Args:
        emulator: where to.
        environment: which.
        project: the folder with the `cdk.json`.

    Raises:
        LocalError: the CDK command line failed; the message ends with what it said.
    """
    # The emulator denies the asset bucket to the bootstrap's publishing role: the CLI's own
    # credentials deploy.
    outputs = emulator.folder / "outputs.json"
    _make_asset_bucket(emulator, configured(environment, project=project).region)
    context = ["-c", f"env={environment}", "-c", "synthesizer=cli"]
    # `make synth` and the tests validate the template; here it would take a third of the time.
    options = [
        *context,
        "--require-approval=never",
        "--no-validation",
        f"--outputs-file={outputs}",
    ]
    run_cdk(emulator, "deploy", *options, project=project)
    ((stack_name, values),) = json.loads(outputs.read_text()).items()
    return Deployment(stack_name=stack_name, outputs=values)


def _make_asset_bucket(emulator: Emulator, region: str) -> None:
    """Make the one thing of `cdk bootstrap` that a deploy by the CLI's own credentials needs."""
    s3 = emulator.client("s3", region_name=region)
    name = f"cdk-{DefaultStackSynthesizer.DEFAULT_QUALIFIER}-assets-{ACCOUNT_ID}-{region}"
    # The one region that S3 does not want to be named.
    place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, **({} if region == "us-east-1" else place))


def run_cdk(emulator: Emulator, *arguments: str, project: Path = ROOT) -> None:
    """Run the CDK command line against the emulator.

    Args:
        emulator: where to.
        arguments: what to do.
        project: the folder with the `cdk.json`.

    Raises:
        LocalError: it failed, or it is not installed.
    """
    if not _CDK.exists():
        raise LocalError("the CDK command line is not installed: run `make setup`")
    output = emulator.folder / "cdk.out"
    process = subprocess.Popen(  # our own command
        [
            str(_CDK),
            *arguments,
            "--output",
            str(output),
            "--ci",
            "--no-notices",
            "--no-version-reporting",
        ],
        cwd=project,
        env={
            **os.environ,
            **emulator.environment,
            "CDK_HOME": str(emulator.folder / "cdk-home"),
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
        raise LocalError(f"cdk {arguments[0]} failed:\n{printed}")
