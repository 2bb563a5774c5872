"""What CloudFormation takes at most, so that more is refused before anything is made."""

import json
from collections.abc import Mapping
from typing import Any

from stacks.config_values import ConfigError

MOST_BYTES = 1_000_000
MOST_PARTS = {"Resources": 500, "Outputs": 200}
"""Of a template: "AWS CloudFormation quotas" (user guide)."""


def check_template(text: str, path: str) -> None:
    """Refuse a template that is larger than CloudFormation allows.

    Args:
        text: the template, as it is uploaded.
        path: of the environment in `cdk.json`.

    Raises:
        ConfigError: the message names the limit.
    """
    size = len(text.encode())
    if size > MOST_BYTES:
        raise ConfigError(
            f"{path}: the template takes {size:,} bytes, more than CloudFormation's limit of "
            f"{MOST_BYTES:,}: name fewer identities with create: true, or fewer and shorter tags"
        )
    template: Mapping[str, Any] = json.loads(text)
    for part, most in MOST_PARTS.items():
        number = len(template.get(part, {}))
        if number > most:
            raise ConfigError(
                f"{path}: the template has {number} {part}, more than CloudFormation's limit of "
                f"{most}: name fewer identities, and make another environment for the others"
            )
