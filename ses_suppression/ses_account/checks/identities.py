"""Does the feedback about all mail come here, by the identities or by the configuration set?"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ses_suppression.core.address import domain_of
from ses_suppression.ses_account.destination import (
    DEFAULT_SET,
    FAILURES,
    Destination,
    keep_equal,
    leave_out,
    read_topics,
)
from ses_suppression.ses_account.environment import Environment, Stack
from ses_suppression.ses_account.health import Finding, Level
from ses_suppression.ses_account.identity_feedback import IdentityNotifications
from ses_suppression.store.protocol import chunks

DEPLOY = "cdk deploy --revert-drift"
"""CloudFormation compares templates, not what is there, unless `--revert-drift` is given."""

_FIX = "doctor --fix"
_IDENTITIES_A_REQUEST = 100
_SHOWN = 5


def fix_identities(stack: Stack, notifications: IdentityNotifications) -> None:
    """Set the feedback of the configured identities as a deploy sets it.

    Args:
        stack: of the environment.
        notifications: of SES.

    Raises:
        RefusedError: SES does not know an identity, or somebody else's settings are there.
    """
    for identity in stack.identities:
        notifications.carry_out(notifications.plan(identity, stack.destination))


def check_configuration_set(environment: Environment) -> Iterator[Finding]:
    """Look at what the set publishes, where the feed is the set."""
    check, stack, sesv2 = "configuration set", environment.stack, environment.client("sesv2")
    name = stack.configuration_set
    if name is None:
        return
    try:
        answer = sesv2.get_configuration_set_event_destinations(ConfigurationSetName=name)
    except sesv2.exceptions.NotFoundException:
        yield Finding(check, Level.FAILED, f"{name} is gone", DEPLOY)
        return
    published = {
        (event.lower(), destination.get("SnsDestination", {}).get("TopicArn"))
        for destination in answer["EventDestinations"]
        if destination["Enabled"]
        for event in destination["MatchingEventTypes"]
    }
    missing = [
        event.capitalize()
        for kind, topic in stack.topics.items()
        for event in kind.event_types
        if (event, topic) not in published
    ]
    if missing:
        found = f"{', '.join(missing)} events of {name} do not come here"
        yield Finding(check, Level.FAILED, found, DEPLOY)
    else:
        yield Finding(check, Level.OK, f"{name} publishes to all topics")


def check_identities(environment: Environment) -> Iterator[Finding]:
    """Look whether the identities report here. Other owners' identities are left out."""
    stack = environment.stack
    if stack.configuration_set:
        for name in stack.identities:
            yield _compare(name, *_read_default(environment, name), stack.destination)
        return
    attributes = _read_attributes(environment, _list_identities(environment))
    current = {name: read_topics(found) for name, found in attributes.items()}
    ours = [
        name for name, topics in current.items() if {*topics.values()} & {*stack.topics.values()}
    ]
    for name in ours:
        forwarding = attributes[name]["ForwardingEnabled"]
        yield _compare(name, current[name], forwarding, stack.destination)
    if not ours:
        found = "no identity of this account publishes to the stack's topics"
        yield Finding("identities", Level.FAILED, found, "name one in cdk.json and deploy")
    if without := [name for name, topics in current.items() if not topics.keys() & FAILURES]:
        yield Finding(
            "identities without topics",
            Level.WARNING,
            _shorten(without),
            "mail from them reports nothing here: name them in cdk.json, or send from others",
        )


def _compare(name: str, current: Destination, forwarding: bool, wanted: Destination) -> Finding:  # noqa: FBT001
    check, missing = f"identity {name}", leave_out(wanted, keep_equal(wanted, current))
    if DEFAULT_SET in missing:
        default = current.get(DEFAULT_SET, "no configuration set")
        return Finding(check, Level.FAILED, f"its mail is sent with {default} by default", _FIX)
    if missing:
        found = f"{', '.join(missing)} notifications do not come here"
        advice = f"{_FIX}: SES drops a topic that it could not publish to"
        return Finding(check, Level.FAILED, found, advice)
    if forwarding:
        found = "SES forwards feedback by e-mail too: it does so after a failed publish"
        return Finding(check, Level.WARNING, found, _FIX)
    return Finding(check, Level.OK, "its feedback comes here, forwarding is off")


def check_own_settings(environment: Environment) -> Iterator[Finding]:
    """Find the addresses under a configured domain whose own settings report elsewhere."""
    own = addresses_apart(environment.stack.identities, _list_identities(environment))
    elsewhere = [name for name in own if not _reports_here(environment, name)]
    if elsewhere:
        yield Finding(
            "addresses with settings of their own",
            Level.WARNING,
            _shorten(elsewhere),
            "SES asks their settings, not their domain's: name them in cdk.json, or delete them",
        )


def addresses_apart(identities: Sequence[str], every: Iterable[str]) -> list[str]:
    """Return the addresses that are verified by themselves under a configured domain.

    Mail from them reports by their own settings, not by the domain's ("Configuring Amazon SNS
    notifications for Amazon SES", developer guide).

    Args:
        identities: that are configured.
        every: all that SES knows.

    >>> addresses_apart(["shop.example"], ["shop.example", "ann@news.shop.example", "x@y.example"])
    ['ann@news.shop.example']
    """
    domains = tuple(f".{name}" for name in identities if "@" not in name)
    return [
        name
        for name in every
        if "@" in name and name not in identities and f".{domain_of(name)}".endswith(domains)
    ]


def _reports_here(environment: Environment, identity: str) -> bool:
    wanted = environment.stack.destination
    if DEFAULT_SET in wanted:
        current, _ = _read_default(environment, identity)
    else:
        current = read_topics(_read_attributes(environment, [identity]).get(identity, {}))
    return keep_equal(wanted, current) == wanted


def _read_default(environment: Environment, identity: str) -> tuple[Destination, bool]:
    """Read the default configuration set of an identity, and whether SES forwards its feedback."""
    found = environment.client("sesv2").get_email_identity(EmailIdentity=identity)
    default = found.get("ConfigurationSetName")
    return {DEFAULT_SET: default} if default else {}, bool(found.get("FeedbackForwardingStatus"))


def _list_identities(environment: Environment) -> list[str]:
    pages = environment.client("ses").get_paginator("list_identities").paginate()
    return [identity for page in pages for identity in page["Identities"]]


def _read_attributes(environment: Environment, identities: Sequence[str]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for some in chunks(identities, _IDENTITIES_A_REQUEST):
        answer = environment.client("ses").get_identity_notification_attributes(Identities=some)
        attributes.update(answer["NotificationAttributes"])
    return attributes


def _shorten(names: list[str]) -> str:
    return ", ".join(sorted(names)[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
