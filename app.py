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
    try:
        _synthesize(App(), os.environ.get("CDK_DEFAULT_ACCOUNT"))
    except ConfigError as error:
        sys.exit(f"cdk.json: {error}")


def _synthesize(app: App, account: str | None) -> None:
    config = Config.from_context(_context(app), account=account)
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
        template = Path(stack.template_full_path).read_text()
        check_template(template, f"environments.{config.environment}")


def _context(app: App) -> Mapping[str, Any]:
    """Read the environments from the file: on the way through the CDK every null is lost."""
    try:
        environments = json.loads(Path("cdk.json").read_text())["context"]["environments"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"context.environments cannot be read: {error!r}") from None
    options = {name: app.node.try_get_context(name) for name in ("env", "synthesizer")}
    return {"environments": environments, **options}


if __name__ == "__main__":
    main()
