"""The account at SES: may it send, to whom, and does all of its mail report here?"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ses_suppression.address import domain_of
from ses_suppression.cli.finding import Finding, State
from ses_suppression.cli.session import Session

_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_RUNBOOK = "see docs/operations.md#the-rates"


def account(session: Session) -> Iterator[Finding]:
    """Look at what SES says of the account in this region."""
    try:
        found = session.client("sesv2").get_account()
    except ClientError as error:
        yield _refused(error, "account", "ses:GetAccount")
        return
    yield _enforcement(found)
    if not found.get("SendingEnabled"):
        yield Finding(
            "sending",
            State.FAILED,
            "SES sends nothing for this account in this region",
            f"{_RUNBOOK}, then aws sesv2 put-account-sending-attributes --sending-enabled",
        )
    if not found.get("ProductionAccessEnabled"):
        yield Finding(
            "production access",
            State.WARNING,
            "the account is in SES's sandbox: it mails verified addresses and the simulator only",
            "ask for production access in SES's console, Account dashboard",
        )
    reasons = found.get("SuppressionAttributes", {}).get("SuppressedReasons", [])
    yield Finding(
        "account-level list",
        State.OK,
        f"SES itself suppresses after {' and '.join(map(str.lower, reasons))}"
        if reasons
        else "SES itself suppresses nobody",
    )


def _refused(error: ClientError, check: str, right: str) -> Finding:
    """Return the finding for a missing right; any other error is raised again."""
    if error.response["Error"]["Code"] not in _DENIED:
        raise error
    return Finding(check, State.WARNING, "access denied by SES", f"allow the caller {right}")


def _enforcement(found: Mapping[str, Any]) -> Finding:
    status = found.get("EnforcementStatus", "HEALTHY")
    match status:
        case "HEALTHY":
            return Finding("account", State.OK, "SES says that it is healthy")
        case "PROBATION":
            return Finding("account", State.FAILED, "AWS reviews the account", _RUNBOOK)
        case "SHUTDOWN":
            return Finding(
                "account",
                State.FAILED,
                "AWS has paused the account's sending",
                f"answer AWS's support case; {_RUNBOOK}",
            )
        case _:
            return Finding("account", State.WARNING, f"SES says {status}", _RUNBOOK)


def verification(session: Session, identities: list[str]) -> Iterator[Finding]:
    """Name each identity that SES does not send for yet."""
    for identity in identities:
        found = session.client("sesv2").get_email_identity(EmailIdentity=identity)
        if not found.get("VerifiedForSendingStatus"):
            yield Finding(
                f"identity {identity}",
                State.WARNING,
                "SES has not verified it, and sends nothing from it",
                "follow the link in SES's mail"
                if "@" in identity
                else "add its three DKIM records to its zone: they are in SES's console",
            )


def addresses_apart(identities: list[str], every: list[str]) -> list[str]:
    """Give the addresses that are verified by themselves under a configured domain.

    Mail from them reports by their own settings, not by the domain's ("Configuring Amazon SNS
    notifications for Amazon SES", developer guide).

    Args:
        identities: that are configured.
        every: all that SES knows.

    >>> addresses_apart(["shop.example"], ["shop.example", "ann@news.shop.example", "x@y.example"])
    ['ann@news.shop.example']
    """
    domains = tuple(name for name in identities if "@" not in name)
    return [
        name
        for name in every
        if "@" in name
        and name not in identities
        and any(
            domain_of(name) == domain or domain_of(name).endswith(f".{domain}")
            for domain in domains
        )
    ]


def regions(session: Session) -> Iterator[Finding]:
    """Name each region of a multi-region endpoint that has no stack of this environment."""
    try:
        found = session.client("sesv2").list_multi_region_endpoints()
    except ClientError as error:
        yield _refused(error, "multi-region endpoints", "ses:ListMultiRegionEndpoints")
        return
    for endpoint in found.get("MultiRegionEndpoints", []):
        for region in endpoint.get("Regions", []):
            if not session.has_stack_in(region):
                yield Finding(
                    f"multi-region endpoint {endpoint['EndpointName']}",
                    State.FAILED,
                    f"it sends from {region} too, where there is no stack: that feedback is lost",
                    f"deploy an environment in {region}: see docs/deployment.md#a-second-region",
                )
