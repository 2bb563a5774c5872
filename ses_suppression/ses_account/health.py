"""Does SES send for this account and its identities? What was found, and what to do about it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client

SENDING_RESOURCE_TYPE, SENDING_ATTRIBUTE = "Custom::SESSending", "Found"
"""The custom resource that reports the findings at a deploy, and its attribute with them."""

DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_RUNBOOK = "see docs/operations.md#the-rates"


class Level(StrEnum):
    """How serious a finding is: `failed` means that mail or feedback is lost, or soon will be."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        check: what was looked at.
        level: how serious it is.
        found: what was found.
        advice: what to do about it; empty where there is nothing to do.
    """

    check: str
    level: Level
    found: str
    advice: str = ""


def check_account(sesv2: "SESV2Client") -> Iterator[Finding]:
    """Look at what SES says of the account in this region.

    Raises:
        botocore.exceptions.ClientError: SES refuses to answer, for another reason than a missing
            right.
    """
    try:
        found = sesv2.get_account()
    except ClientError as error:
        yield missing_right(error, "account", "ses:GetAccount")
    else:
        yield from read_account(found)


def check_identity(sesv2: "SESV2Client", identity: str) -> Iterator[Finding]:
    """Find what keeps SES from sending for one identity. An error is a finding too."""
    check = f"identity {identity}"
    try:
        found = sesv2.get_email_identity(EmailIdentity=identity)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED:
            yield missing_right(error, check, "ses:GetEmailIdentity")
        elif code == "NotFoundException":
            unknown = "SES does not know it in this region"
            yield Finding(check, Level.FAILED, unknown, "verify it, or set create: true")
        else:
            unanswered = f"SES did not answer: {code}"
            yield Finding(check, Level.WARNING, unanswered, "run ses-suppression doctor")
    else:
        yield from read_identity(identity, found)


def read_account(found: Mapping[str, Any]) -> Iterator[Finding]:
    """Read `GetAccount`'s answer ("GetAccount", SES API reference, version 2).

    >>> answer = {"SendingEnabled": True, "ProductionAccessEnabled": False}
    >>> [one.check for one in read_account(answer) if one.level is not Level.OK]
    ['production access']
    """
    match status := found.get("EnforcementStatus", "HEALTHY"):
        case "HEALTHY":
            yield Finding("account", Level.OK, "SES says that it is healthy")
        case "PROBATION":
            yield Finding("account", Level.FAILED, "AWS reviews the account", _RUNBOOK)
        case "SHUTDOWN":
            paused, advice = "AWS has paused the account's sending", "answer AWS's support case"
            yield Finding("account", Level.FAILED, paused, f"{advice}; {_RUNBOOK}")
        case _:
            yield Finding("account", Level.WARNING, f"SES says {status}", _RUNBOOK)
    if not found.get("SendingEnabled"):
        yield Finding(
            "sending",
            Level.FAILED,
            "SES sends nothing for this account in this region",
            f"{_RUNBOOK}, then aws sesv2 put-account-sending-attributes --sending-enabled",
        )
    if not found.get("ProductionAccessEnabled"):
        yield Finding(
            "production access",
            Level.WARNING,
            "the account is in SES's sandbox: it mails verified addresses and the simulator only",
            "ask for production access in SES's console, Account dashboard",
        )
    reasons = found.get("SuppressionAttributes", {}).get("SuppressedReasons", [])
    after = f"after {' and '.join(map(str.lower, reasons))}" if reasons else "nobody"
    yield Finding("account-level list", Level.OK, f"SES itself suppresses {after}")


def read_identity(name: str, found: Mapping[str, Any]) -> Iterator[Finding]:
    """Read `GetEmailIdentity`'s answer ("GetEmailIdentity", SES API reference, version 2).

    >>> answer = {"VerifiedForSendingStatus": False}
    >>> [one.advice for one in read_identity("ann@shop.example", answer)]
    ["follow the link in SES's mail"]
    """
    if not found.get("VerifiedForSendingStatus"):
        yield Finding(
            f"identity {name}",
            Level.FAILED,
            "SES has not verified it, and sends nothing from it",
            "follow the link in SES's mail"
            if "@" in name
            else "add its three DKIM records to its zone: they are in SES's console",
        )


def missing_right(error: ClientError, check: str, right: str) -> Finding:
    """Return the finding of a missing right; any other error is raised again."""
    if error.response["Error"]["Code"] not in DENIED:
        raise error
    return Finding(check, Level.WARNING, "access denied by SES", f"allow the caller {right}")
