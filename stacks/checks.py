"""cdk-nag's AwsSolutions pack over the whole app, and what it is told, with a reason each."""

from typing import cast

from aws_cdk import Acknowledgment, App, Validations
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def check(app: App) -> None:
    """Let every synth fail on a finding that is not acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(construct: IConstruct | iam.IPrincipal, rule: str, *, reason: str) -> None:
    """Say why a finding of the pack is none.

    Args:
        construct: where it is found, or what that is part of; a principal that is a construct.
        rule: as the pack names it, such as `SQS3`.
        reason: for whoever reviews the template.
    """
    Validations.of(cast("IConstruct", construct)).acknowledge(
        Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    )
