"""The template of `prod`, kept in the repository so that a change of it is reviewed like code.

`make snapshot` writes it.
"""

import json
import re
from pathlib import Path

from tests.infrastructure.templates import synthesized

PATH = Path(__file__).parent / "snapshot.json"
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
CDK_JSON = Path(__file__).parent.parent.parent / "cdk.json"


def template_of_prod() -> str:
    """Give the template as it is synthesized now, without what changes with every line of code."""
    values = json.loads(CDK_JSON.read_text())["context"]["environments"]["prod"]
    template = synthesized(**values).to_json()
    return _HASH.sub("HASH", json.dumps(template, indent=1, sort_keys=True)) + "\n"


def main() -> None:
    """Write it."""
    PATH.write_text(template_of_prod())


if __name__ == "__main__":
    main()
