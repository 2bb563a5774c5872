"""Templates of environments, and what a test reads in them."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from stacks.checks import check
from stacks.config import Config
from stacks.suppression_stack import SuppressionStack

KEY = "arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/suppressions"


def synthesized(**values: Any) -> Template:
    """Give the template of an environment, without building its bundle."""
    environments = {"dev": {"region": "eu-west-1", **values}}
    config = Config.from_context({"env": "dev", "environments": environments})
    # The feature flags of cdk.json: `App` does not read it, and the template depends on them.
    flags = json.loads((Path(__file__).parent.parent.parent / "cdk.json").read_text())["context"]
    app = App(context={**flags, "aws:cdk:bundling-stacks": []})
    check(app)
    return Template.from_stack(SuppressionStack(app, "ses-suppression-dev", config=config))


def resources(template: Template, of_type: str) -> dict[str, Any]:
    return dict(template.find_resources(of_type))
