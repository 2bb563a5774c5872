"""The account at SES: may it send, to whom, and does all of its mail report here?"""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from ses_suppression.cli.finding import Finding, State
from ses_suppression.cli.session import Session
from ses_suppression.core.address import domain_of
from ses_suppression.ses_account.health import (
    Obstacle,
    identity_obstacles,
    missing_right,
    of_account,
)


def account(session: Session) -> Iterator[Finding]:
    """Look at what SES says of the account in this region."""
    try:
        found = session.client("sesv2").get_account()
    except ClientError as error:
        yield _finding(missing_right(error, "account", "ses:GetAccount"))
        return
    findings = [_finding(obstacle) for obstacle in of_account(found)]
    if not any(finding.check == "account" for finding in findings):
        yield Finding("account", State.OK, "SES says that it is healthy")
    yield from findings
    reasons = found.get("SuppressionAttributes", {}).get("SuppressedReasons", [])
    yield Finding(
        "account-level list",
        State.OK,
        f"SES itself suppresses after {' and '.join(map(str.lower, reasons))}"
        if reasons
        else "SES itself suppresses nobody",
    )


def _finding(obstacle: Obstacle) -> Finding:
    state = State.FAILED if obstacle.stops_sending else State.WARNING
    return Finding(obstacle.where, state, obstacle.what, obstacle.advice)


def verification(session: Session, identities: list[str]) -> Iterator[Finding]:
    """Name each identity that SES does not send for yet."""
    for identity in identities:
        yield from map(_finding, identity_obstacles(session.client("sesv2"), identity))


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
    pages = session.client("sesv2").get_paginator("list_multi_region_endpoints").paginate()
    try:
        endpoints = [one for page in pages for one in page.get("MultiRegionEndpoints", [])]
    except ClientError as error:
        yield _finding(
            missing_right(error, "multi-region endpoints", "ses:ListMultiRegionEndpoints")
        )
        return
    for endpoint in endpoints:
        for region in endpoint.get("Regions", []):
            if not session.has_stack_in(region):
                yield Finding(
                    f"multi-region endpoint {endpoint['EndpointName']}",
                    State.FAILED,
                    f"it sends from {region} too, where there is no stack: that feedback is lost",
                    f"deploy an environment in {region}: see docs/deployment.md#a-second-region",
                )
