"""`docs/deployment.md`: every block is what the app takes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from stacks.config import Config
from tests.infrastructure.test_stack import resources

PAGE = (Path(__file__).parent.parent.parent / "docs" / "deployment.md").read_text()
ENVIRONMENTS = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
(KEY_POLICY,) = re.findall(r"^```json key-policy\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_shows_environments() -> None:
    assert len(ENVIRONMENTS) == 4


@pytest.mark.parametrize("text", ENVIRONMENTS)
def test_an_environment_of_the_page_is_accepted(text: str) -> None:
    context = {"env": "prod", "environments": {"prod": json.loads(text)}}
    assert Config.from_context(context).environment == "prod"


def test_the_policy_for_a_key_of_ones_own_says_what_the_stacks_key_says(
    template: Template,
) -> None:
    (key,) = resources(template, "AWS::KMS::Key").values()
    own = key["Properties"]["KeyPolicy"]["Statement"]
    assert [gist(statement) for statement in json.loads(KEY_POLICY)] == [
        gist(statement) for statement in own
    ]


def gist(statement: dict[str, Any]) -> Any:
    """Give a statement without the account, the environment and the order."""
    (principal,) = statement["Principal"].items()
    actions = statement["Action"]
    return (
        statement["Effect"],
        principal if principal[0] == "Service" else principal[0],
        sorted(actions) if isinstance(actions, list) else actions,
        statement["Resource"],
        {kind: list(keys) for kind, keys in statement.get("Condition", {}).items()},
    )
