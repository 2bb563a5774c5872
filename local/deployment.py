"""Deploys the unmodified app to the emulator, with the CDK command line, as a person would."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from aws_cdk import DefaultStackSynthesizer

from local.cdk import CDK, ROOT, Deployment
from local.emulator import ACCOUNT_ID, Emulator, LocalError
from stacks.config import Config
from stacks.config_values import ConfigError

# The emulator denies the asset bucket to the bootstrap's publishing role: the CLI's own
# credentials deploy.
EMULATOR_OPTIONS = ("-c", "synthesizer=cli")


def read_config(environment: str = "dev", *, project: Path = ROOT) -> Config:
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


def deploy(emulator: Emulator, *, environment: str = "dev", project: Path = ROOT) -> Deployment:
    """Deploy an environment of `cdk.json` to the emulator.

    Args:
        emulator: where to.
        environment: which.
        project: the folder with the `cdk.json`.

    Raises:
        LocalError: the CDK command line failed; the message ends with what it said.
    """
    region = read_config(environment, project=project).region
    make_asset_bucket(emulator.client("s3", region_name=region), region)
    return cdk_of(emulator, project).deploy(environment)


def cdk_of(emulator: Emulator, project: Path = ROOT) -> CDK:
    """Return the command line for the emulator."""
    return CDK(
        folder=emulator.folder,
        project=project,
        options=EMULATOR_OPTIONS,
        environment={**emulator.environment, "CDK_HOME": str(emulator.folder / "cdk-home")},
    )


def make_asset_bucket(s3: Any, region: str) -> None:  # noqa: ANN401  # boto3's own
    """Make the one thing of `cdk bootstrap` that a deploy by the CLI's own credentials needs."""
    name = f"cdk-{DefaultStackSynthesizer.DEFAULT_QUALIFIER}-assets-{ACCOUNT_ID}-{region}"
    # The one region that S3 does not want to be named.
    place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, **({} if region == "us-east-1" else place))
