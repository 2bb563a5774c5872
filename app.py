#!/usr/bin/env python3
"""The CDK app: `cdk deploy -c env=<name>` deploys one environment of `cdk.json`."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, CliCredentialsStackSynthesizer

from ses_suppression.deployment import stack_name
from stacks.checks import check
from stacks.config import Config
from stacks.config_values import ConfigError
from stacks.suppression_stack import SuppressionStack
from stacks.template_limits import check_template


def main() -> None:
    """Synthesize the environment that the context names."""
    app = App()
    account = os.environ.get("CDK_DEFAULT_ACCOUNT")
    try:
        config = Config.from_context(_context(app), account=account)
    except ConfigError as error:
        sys.exit(f"cdk.json: {error}")
    SuppressionStack(
        app,
        stack_name(config.environment),
        config=config,
        account=account,
        # An emulator knows no bootstrap roles: there the CLI's own credentials deploy.
        synthesizer=CliCredentialsStackSynthesizer() if config.synthesizer == "cli" else None,
    )
    check(app)
    for stack in app.synth().stacks:
        try:
            check_template(
                Path(stack.template_full_path).read_text(), f"environments.{config.environment}"
            )
        except ConfigError as error:
            sys.exit(f"cdk.json: {error}")


def _context(app: App) -> Mapping[str, Any]:
    """Read the environments from the file: on the way through the CDK every null is lost."""
    try:
        settings = json.loads(Path("cdk.json").read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"it cannot be read: {error}") from None
    environments = settings.get("context", {}).get("environments")
    of_command_line = {name: app.node.try_get_context(name) for name in ("env", "synthesizer")}
    return {"environments": environments, **of_command_line}


if __name__ == "__main__":
    main()
