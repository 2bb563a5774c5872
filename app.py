#!/usr/bin/env python3
"""The CDK app: `cdk deploy -c env=<name>` deploys one environment of `cdk.json`."""

import os
import sys

from aws_cdk import App, CliCredentialsStackSynthesizer

from stacks.checks import check
from stacks.config import Config, ConfigError
from stacks.suppression_stack import SuppressionStack


def main() -> None:
    """Synthesize the environment that the context names."""
    app = App()
    try:
        config = Config.from_context(app.node.get_all_context())
    except ConfigError as error:
        sys.exit(f"cdk.json: {error}")
    SuppressionStack(
        app,
        f"ses-suppression-{config.environment}",
        config=config,
        account=os.environ.get("CDK_DEFAULT_ACCOUNT"),
        # An emulator knows no bootstrap roles: there the CLI's own credentials deploy.
        synthesizer=CliCredentialsStackSynthesizer() if config.synthesizer == "cli" else None,
    )
    check(app)
    app.synth()


if __name__ == "__main__":
    main()
