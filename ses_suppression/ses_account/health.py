"""Does SES send for this account? What stands in the way, and what to do about it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client

SENDING_RESOURCE_TYPE, SENDING_ATTRIBUTE = "Custom::SESSending", "Found"
"""The custom resource that reports the obstacles at a deploy, and its attribute with them."""

DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_RUNBOOK = "see docs/operations.md#the-rates"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something for which SES does not send, or does not send to everybody.

    Attributes:
        where: what was looked at.
        what: what was found.
        advice: what to do about it.
        stops_sending: SES sends nothing at all, or may soon stop.
    """

    where: str
    what: str
    advice: str
    stops_sending: bool = False


def obstacles(
    sesv2: "SESV2Client",
    identities: Sequence[str],
    *,
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[Obstacle]:
    """Look at the account and at each identity in a region.

    Args:
        sesv2: a boto3 SES client of the second version.
        identities: domains and addresses.
        is_over: whether the time for it has run out.

    Raises:
        botocore.exceptions.ClientError: SES refuses to answer about the account, for another
            reason than a missing right.
    """
    try:
        yield from of_account(sesv2.get_account())
    except ClientError as error:
        yield missing_right(error, "account", "ses:GetAccount")
    for number, identity in enumerate(identities):
        if is_over():
            unseen = len(identities) - number
            yield Obstacle("identities", f"{unseen} were not checked", "run ses-suppression doctor")
            return
        yield from identity_obstacles(sesv2, identity)


def identity_obstacles(sesv2: "SESV2Client", identity: str) -> Iterator[Obstacle]:
    """Look at one identity; what SES answers about it is no reason to leave others out."""
    where = f"identity {identity}"
    try:
        found = sesv2.get_email_identity(EmailIdentity=identity)
    except ClientError as error:
        match code := error.response["Error"]["Code"]:
            case "NotFoundException":
                yield Obstacle(
                    where, "SES does not know it in this region", "verify it, or set create: true"
                )
            case _ if code in DENIED:
                yield missing_right(error, where, "ses:GetEmailIdentity")
            case _:
                yield Obstacle(where, f"SES did not answer: {code}", "run ses-suppression doctor")
    else:
        yield from of_identity(identity, found)


def of_account(found: Mapping[str, Any]) -> Iterator[Obstacle]:
    """Read `GetAccount`'s answer ("GetAccount", SES API reference, version 2).

    >>> [one.what for one in of_account({"SendingEnabled": True, "ProductionAccessEnabled": False})]
    ["the account is in SES's sandbox: it mails verified addresses and the simulator only"]
    """
    match status := found.get("EnforcementStatus", "HEALTHY"):
        case "HEALTHY":
            pass
        case "PROBATION":
            yield Obstacle("account", "AWS reviews the account", _RUNBOOK, stops_sending=True)
        case "SHUTDOWN":
            yield Obstacle(
                "account",
                "AWS has paused the account's sending",
                f"answer AWS's support case; {_RUNBOOK}",
                stops_sending=True,
            )
        case _:
            yield Obstacle("account", f"SES says {status}", _RUNBOOK)
    if not found.get("SendingEnabled"):
        yield Obstacle(
            "sending",
            "SES sends nothing for this account in this region",
            f"{_RUNBOOK}, then aws sesv2 put-account-sending-attributes --sending-enabled",
            stops_sending=True,
        )
    if not found.get("ProductionAccessEnabled"):
        yield Obstacle(
            "production access",
            "the account is in SES's sandbox: it mails verified addresses and the simulator only",
            "ask for production access in SES's console, Account dashboard",
        )


def of_identity(name: str, found: Mapping[str, Any]) -> Iterator[Obstacle]:
    """Read `GetEmailIdentity`'s answer ("GetEmailIdentity", SES API reference, version 2).

    >>> [one.advice for one in of_identity("ann@shop.example", {"VerifiedForSendingStatus": False})]
    ["follow the link in SES's mail"]
    """
    if not found.get("VerifiedForSendingStatus"):
        yield Obstacle(
            f"identity {name}",
            "SES has not verified it, and sends nothing from it",
            "follow the link in SES's mail"
            if "@" in name
            else "add its three DKIM records to its zone: they are in SES's console",
        )


def missing_right(error: ClientError, where: str, right: str) -> Obstacle:
    """Return the obstacle that a missing right is; any other error is raised again."""
    if error.response["Error"]["Code"] not in DENIED:
        raise error
    return Obstacle(where, "access denied by SES", f"allow the caller {right}")
