"""Would `make lint` notice what CloudFormation refuses?"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator  # type: ignore[import-untyped]

from docs.configuration import cdk_schema
from tests.infrastructure.lint import documented, findings
from tests.infrastructure.templates import synthesized

DOCUMENTED = list(documented())


def test_what_cloudformation_would_refuse_is_found_with_its_place() -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "long"}}
    (found,) = findings({"Resources": {"Queue": queue}}, "eu-west-1")
    assert found.startswith("E3012 Resources/Queue/Properties/DelaySeconds: ")
    fine = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 9}}
    assert findings({"Resources": {"Queue": fine}}, "eu-west-1") == []


def test_every_environment_that_a_page_shows_is_looked_at() -> None:
    places = [where for where, _ in documented()]
    assert places[:3] == ["cdk.json, dev", "cdk.json, prod", "docs/configuration.md"]
    assert sum(place.startswith("docs/deployment.md") for place in places) == 4


@pytest.mark.parametrize(
    "values", [values for _, values in DOCUMENTED], ids=[where for where, _ in DOCUMENTED]
)
def test_cdk_nag_finds_nothing_without_a_reason_in_a_documented_environment(
    values: Mapping[str, Any],
) -> None:
    synthesized(**values)  # it fails on a finding: see tests/infrastructure/test_stack.py


def test_the_schema_for_editors_takes_every_documented_environment_and_no_other() -> None:
    schema = StandardValidator(json.loads(cdk_schema()))

    def mistakes(values: Mapping[str, Any]) -> list[Any]:
        return list(schema.iter_errors({"context": {"environments": {"dev": values}}}))

    assert [place for place, values in documented() if mistakes(values)] == []
    for wrong in (
        {"regoin": "eu-west-1"},
        {"canary_minutes": 1},
        {"identities": ["A.example"]},
        {"policy": {"hold": 1}},
    ):
        assert len(mistakes({"region": "eu-west-1", **wrong})) == 1
