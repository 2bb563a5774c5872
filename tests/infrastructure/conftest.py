import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from stacks.checks import check
from stacks.config import Config
from stacks.suppression_stack import SuppressionStack


def synthesized(**values: Any) -> Template:
    """Give the template of an environment, without building its bundle."""
    environments = {"dev": {"region": "eu-west-1", **values}}
    config = Config.from_context({"env": "dev", "environments": environments})
    # The feature flags of cdk.json: `App` does not read it, and the template depends on them.
    flags = json.loads((Path(__file__).parent.parent.parent / "cdk.json").read_text())["context"]
    app = App(context={**flags, "aws:cdk:bundling-stacks": []})
    check(app)
    return Template.from_stack(SuppressionStack(app, "ses-suppression-dev", config=config))


@pytest.fixture(scope="session")
def template() -> Template:
    return synthesized(identities=["example.com", "mail.example.net"])
