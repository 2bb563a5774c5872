"""The picture of the stack, read off its template: whatever is not wired there is not drawn."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ses_suppression.deployment import NotificationType

TEMPLATE = Path(__file__).parent.parent / "tests" / "infrastructure" / "snapshot.json"

_SHAPES = {
    "AWS::SNS::Topic": ("([", "])"),
    "AWS::SQS::Queue": ("[/", "/]"),
    "AWS::Lambda::Function": ("[[", "]]"),
    "AWS::DynamoDB::GlobalTable": ("[(", ")]"),
    "AWS::Events::Rule": (">", "]"),
}
_KINDS = tuple(one.plural.capitalize() for one in NotificationType)


def diagram() -> Iterator[str]:
    """Give the lines of a Mermaid flow chart."""
    resources: Mapping[str, Any] = json.loads(TEMPLATE.read_text())["Resources"]
    names = {
        logical_id: _name(logical_id, resource["Type"])
        for logical_id, resource in resources.items()
        if resource["Type"] in _SHAPES
    }
    yield "```mermaid"
    yield "flowchart LR"
    yield "  SES((SES))"
    yield "  App((apps))"
    yield "  People((people))"
    for logical_id, name in sorted(names.items(), key=lambda item: item[1]):
        left, right = _SHAPES[resources[logical_id]["Type"]]
        yield f'  {logical_id}{left}"{name}"{right}'
    for one, label, other in sorted(set(_edges(resources))):
        yield f"  {one} -->|{label}| {other}" if label else f"  {one} --> {other}"
    yield "```"


def _name(logical_id: str, of_type: str) -> str:
    words = {
        "AWS::SNS::Topic": "topic",
        "AWS::SQS::Queue": "queue",
        "AWS::Lambda::Function": "function",
        "AWS::DynamoDB::GlobalTable": "suppression table",
        "AWS::Events::Rule": "schedule",
    }
    for part, what in (("DeadLetterQueue", "dead letters"), ("UndeliveredQueue", "undelivered")):
        if part in logical_id:
            return f"{logical_id.partition(part)[0].lower()}: {what}"
    owner = next(
        (
            kind
            for kind in (*_KINDS, "Canary", "Alarms", "IdentitySettings")
            if logical_id.startswith(kind)
        ),
        "",
    )
    return f"{owner.lower()} {words[of_type]}".strip()


def _edges(  # noqa: C901  # a case for each type of resource
    resources: Mapping[str, Any],
) -> Iterator[tuple[str, str, str]]:
    for logical_id, resource in resources.items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "Custom::SESIdentityNotifications":
                for kind, topic in properties["Topics"].items():
                    yield "SES", kind, _target(topic)
                yield _target(properties["ServiceToken"]), "sets topics", "SES"
            case "AWS::SNS::Subscription" if properties["Protocol"] == "sqs":
                yield _target(properties["TopicArn"]), "", _target(properties["Endpoint"])
                yield (
                    _target(properties["TopicArn"]),
                    "fails",
                    _target(properties["RedrivePolicy"]["deadLetterTargetArn"]),
                )
            case "AWS::SQS::Queue" if "RedrivePolicy" in properties:
                yield (
                    logical_id,
                    "20 times",
                    _target(properties["RedrivePolicy"]["deadLetterTargetArn"]),
                )
            case "AWS::Lambda::EventSourceMapping":
                yield _target(properties["EventSourceArn"]), "", _target(properties["FunctionName"])
            case "AWS::Events::Rule":
                for target in properties["Targets"]:
                    yield logical_id, "", _target(target["Arn"])
            case "AWS::CloudWatch::Alarm":
                yield _target(properties["AlarmActions"][0]), "calls", "People"
            case "AWS::IAM::ManagedPolicy":
                yield "App", "may I send?", _table(properties)
            case "AWS::IAM::Policy":
                yield from _rights(resources, properties)
            case _:
                pass


def _rights(
    resources: Mapping[str, Any], properties: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Give what a function may do to the table, its dead letters and SES, by its role's policy."""
    roles = {_target(role) for role in properties["Roles"]}
    (function,) = (
        logical_id
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function"
        and _target(resource["Properties"]["Role"]) in roles
    )
    for statement in properties["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            if action == "dynamodb:PutItem":
                yield function, "evidence and verdict", _target(statement["Resource"])
            elif action == "dynamodb:GetItem":
                yield function, "asks", _target(statement["Resource"])
            elif action == "sqs:SendMessage":
                yield function, "rejected", _target(statement["Resource"])
            elif action == "ses:SendEmail":
                yield function, "mails the simulator", "SES"


def _table(properties: Mapping[str, Any]) -> str:
    return next(
        _target(statement["Resource"])
        for statement in properties["PolicyDocument"]["Statement"]
        if "dynamodb:GetItem" in statement["Action"]
    )


def _target(reference: Any) -> str:  # noqa: ANN401  # a part of a template
    target: str = reference.get("Ref") or reference["Fn::GetAtt"][0]
    return target
