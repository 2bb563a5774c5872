"""The account that the run uses, and whether it may."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from aws_cdk import DefaultStackSynthesizer
from botocore.exceptions import ClientError

from local.emulator import LocalError
from ses_suppression.ses_account.health import DENIED, Level, read_account, read_identity
from stacks.config import Config

_BOOTSTRAP = f"/cdk-bootstrap/{DefaultStackSynthesizer.DEFAULT_QUALIFIER}/version"


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """How an identity's feedback is set: what the run has to bring back.

    Attributes:
        topics: by SES's kind.
        configuration_set: the default one.
        forwarding: whether SES mails bounces and complaints.
    """

    topics: dict[str, str]
    configuration_set: str | None
    forwarding: bool


@dataclass(frozen=True, slots=True)
class Account:
    """An account in a region, by the caller's credentials.

    Attributes:
        account_id: twelve digits.
        region: of every client.
        is_aws: whether it is AWS, and not an emulator.
        client: makes a boto3 client of a service, with the caller's credentials or others.
    """

    account_id: str
    region: str
    is_aws: bool
    client: Callable[..., Any]

    @classmethod
    def of_caller(cls, region: str) -> "Account":
        """Return the account that the environment's credentials belong to."""

        def client(service: Any, **credentials: Any) -> Any:
            return boto3.client(service, region_name=region, **credentials)

        account_id = client("sts").get_caller_identity()["Account"]
        return cls(account_id, region, "AWS_ENDPOINT_URL" not in os.environ, client)

    def identity(self, name: str) -> FeedbackSettings:
        """Read how an identity's feedback is set."""
        answer = self.client("ses").get_identity_notification_attributes(Identities=[name])
        found = answer["NotificationAttributes"].get(name, {})
        topics = {
            kind: found[f"{kind}Topic"]
            for kind in ("Bounce", "Complaint", "Delivery")
            if found.get(f"{kind}Topic")
        }
        answer = self.client("sesv2").get_email_identity(EmailIdentity=name)
        return FeedbackSettings(
            topics, answer.get("ConfigurationSetName") or None, answer["FeedbackForwardingStatus"]
        )


def refuse_unless_confirmed(account: Account, confirmed: str) -> None:
    """Refuse an account that is not the one that was confirmed.

    Raises:
        LocalError: it is another.
    """
    if account.account_id != confirmed:
        raise LocalError(
            f"CONFIRM={confirmed}: the credentials are of the account {account.account_id}; "
            "nothing was started"
        )


def refuse_unless_ready(account: Account, config: Config) -> None:
    """Refuse an account in which the run could not end well, before anything is made.

    Raises:
        LocalError: the message says why, and what to do.
    """
    name = config.identities[0].name
    _refuse_unless_sending(account)
    _refuse_unless_verified(account, name)
    identity = account.identity(name)
    used = [*identity.topics.values(), *filter(None, [identity.configuration_set])]
    if used:
        raise LocalError(
            f"{name} is in use in {account.region}: its feedback goes to {', '.join(used)}; "
            "name an environment whose identity publishes nowhere"
        )
    if account.is_aws:
        _refuse_unless_bootstrapped(account)


def _refuse_unless_sending(account: Account) -> None:
    try:
        found = account.client("sesv2").get_account()
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            return  # the run does not need it
        raise
    for finding in read_account(found):
        if finding.level is Level.FAILED:
            raise LocalError(f"{account.region}: {finding.found}; {finding.advice}")


def _refuse_unless_verified(account: Account, name: str) -> None:
    try:
        found = account.client("sesv2").get_email_identity(EmailIdentity=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        raise LocalError(
            f"SES does not know {name} in {account.region}: verify it there first"
        ) from None
    for finding in read_identity(name, found):
        raise LocalError(f"{finding.check} in {account.region}: {finding.found}; {finding.advice}")


def _refuse_unless_bootstrapped(account: Account) -> None:
    ssm = account.client("ssm")
    try:
        ssm.get_parameter(Name=_BOOTSTRAP)
    except ssm.exceptions.ParameterNotFound:
        raise LocalError(
            f"the account is not bootstrapped in {account.region}: "
            f"node_modules/.bin/cdk bootstrap aws://{account.account_id}/{account.region}"
        ) from None
