"""`docs/deployment.md` and `docs/webhook.md`: every block is what the app takes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stacks.config import Config
from tests.infrastructure.templates import resources, synthesized

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "deployment.md").read_text()
PAGES = PAGE + (DOCS / "webhook.md").read_text()
ENVIRONMENTS = re.findall(r"^ *```json\n(.*?)^ *```", PAGES, re.MULTILINE | re.DOTALL)
(KEY_POLICY,) = re.findall(r"^```json key-policy\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_pages_show_environments() -> None:
    assert len(ENVIRONMENTS) == 5


@pytest.mark.parametrize("text", ENVIRONMENTS)
def test_an_environment_of_the_page_is_accepted(text: str) -> None:
    context = {"env": "prod", "environments": {"prod": json.loads(text)}}
    assert Config.from_context(context).environment == "prod"


def test_the_policy_for_a_key_of_ones_own_says_what_the_stacks_key_says() -> None:
    (key,) = resources(synthesized(), "AWS::KMS::Key").values()
    assert written_out(json.loads(KEY_POLICY)) == written_out(
        key["Properties"]["KeyPolicy"]["Statement"]
    )


ENVIRONMENT = {
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::AccountId": "111122223333",
}


def written_out(value: Any) -> Any:
    """Give a part of a policy as the page writes it, with actions in order."""
    match value:
        case {"Ref": name}:
            return ENVIRONMENT[name]
        case {"Fn::Join": [separator, parts]}:
            return separator.join(written_out(part) for part in parts).replace("-dev", "-prod")
        case dict():
            return {key: written_out(part) for key, part in value.items()}
        case list():
            return sorted(
                (written_out(part) for part in value),
                key=lambda part: json.dumps(part, sort_keys=True),
            )
        case _:
            return value
