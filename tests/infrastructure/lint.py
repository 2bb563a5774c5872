"""`make lint`: what CloudFormation would refuse or warn of, in every documented configuration.

cfn-lint looks at each template with all its rules of errors and warnings, for the region of the
environment. One rule is left out: W3005 asks for less than the CDK writes. A resource that depends
on another, and refers to it as well, is no fault.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from docs.configuration import EXAMPLE
from stacks.bundle import ROOT
from tests.infrastructure.templates import synthesized

_LEFT_OUT = ["W3005"]
_SHOWN = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)


def documented() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give every environment that a page or `cdk.json` shows, with where it is shown."""
    for name, values in json.loads((ROOT / "cdk.json").read_text())["context"][
        "environments"
    ].items():
        yield f"cdk.json, {name}", values
    yield "docs/configuration.md", EXAMPLE
    for page in sorted((ROOT / "docs").glob("*.md")):
        for number, text in enumerate(_SHOWN.findall(page.read_text())):
            values = json.loads(text)
            if isinstance(values, dict) and "region" in values:
                yield f"docs/{page.name}, block {number + 1}", values


def findings(template: Mapping[str, Any], region: str) -> list[str]:
    """Give what cfn-lint says of a template."""
    matches = lint(
        json.dumps(template), config=ManualArgs(regions=[region], ignore_checks=_LEFT_OUT)
    )
    return [f"{one.rule.id} {'/'.join(map(str, one.path or []))}: {one.message}" for one in matches]


def main() -> None:
    """Look at all of them; the exit status is 1 when anything is found."""
    found = 0
    for where, values in documented():
        for line in findings(synthesized(**values).to_json(), values["region"]):
            found += 1
            sys.stdout.write(f"{where}: {line}\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
