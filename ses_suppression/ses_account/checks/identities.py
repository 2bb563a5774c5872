"""Does the feedback about all mail come here, by the identities or by the configuration set?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ses_suppression.core.address import domain_of
from ses_suppression.deployment import NotificationType
from ses_suppression.ses_account.destination import DEFAULT_SET, Destination, read_topics
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
    wanted = _wanted(stack)
    for identity in stack.identities:
        notifications.carry_out(notifications.plan(identity, wanted))


def _wanted(stack: Stack) -> Destination:
    if stack.configuration_set:
        return {DEFAULT_SET: stack.configuration_set}
    return {kind.value: topic for kind, topic in stack.topics.items()}


def check_publishing(environment: Environment) -> Iterator[Finding]:
    """Look at what publishes to the topics."""
    if name := environment.stack.configuration_set:
        yield from check_configuration_set(environment.client("sesv2"), name, environment.stack)
    else:
        attributes = _read_attributes(environment, _list_identities(environment))
        yield from compare_topics(attributes, environment.stack.topics)


def check_configuration_set(sesv2: Any, name: str, stack: Stack) -> Iterator[Finding]:  # noqa: ANN401  # boto3's own
    """Look at what the set publishes, and whether the identities' mail is sent with it."""
    check = "configuration set"
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
        for notification_type, topic in stack.topics.items()
        for event in notification_type.event_types
        if (event, topic) not in published
    ]
    if missing:
        found = f"{', '.join(missing)} events of {name} do not come here"
        yield Finding(check, Level.FAILED, found, DEPLOY)
    else:
        yield Finding(check, Level.OK, f"{name} publishes to all topics")
    for identity in stack.identities:
        yield _read_default(identity, sesv2.get_email_identity(EmailIdentity=identity), name)


def _read_default(identity: str, found: Mapping[str, Any], configuration_set: str) -> Finding:
    """Read whether the mail of an identity is sent with the set by default."""
    check, default = f"identity {identity}", found.get("ConfigurationSetName")
    if default != configuration_set:
        sent = f"its mail is sent with {default or 'no configuration set'} by default"
        return Finding(check, Level.FAILED, sent, _FIX)
    if found.get("FeedbackForwardingStatus"):
        return Finding(check, Level.WARNING, "SES forwards feedback by e-mail too", _FIX)
    return Finding(check, Level.OK, "its mail is sent with the set by default, forwarding is off")


def compare_topics(
    attributes: Mapping[str, Mapping[str, Any]], topics: Mapping[NotificationType, str]
) -> Iterator[Finding]:
    """Compare the identities' topics with the stack's; other owners' identities are left out.

    Args:
        attributes: of each identity, as `GetIdentityNotificationAttributes` answers.
        topics: of the stack.
    """
    without = [name for name, found in attributes.items() if not _reports(found)]
    connected = [
        (name, found)
        for name, found in attributes.items()
        if _reports(found) and {*read_topics(found).values()} & {*topics.values()}
    ]
    for name, found in connected:
        yield _compare(f"identity {name}", found, topics)
    if not connected:
        yield Finding(
            "identities",
            Level.FAILED,
            "no identity of this account publishes to the stack's topics",
            "name one in cdk.json and deploy",
        )
    if without:
        yield Finding(
            "identities without topics",
            Level.WARNING,
            _shorten(without),
            "mail from them reports nothing here: name them in cdk.json, or send from others",
        )


def _reports(found: Mapping[str, Any]) -> bool:
    return bool(found.get("BounceTopic") or found.get("ComplaintTopic"))


def _compare(
    check: str, found: Mapping[str, Any], topics: Mapping[NotificationType, str]
) -> Finding:
    current = read_topics(found)
    missing = [kind for kind, topic in topics.items() if current.get(kind) != topic]
    if missing:
        return Finding(
            check,
            Level.FAILED,
            f"{', '.join(missing)} notifications do not come here",
            f"{_FIX}: SES drops a topic that it could not publish to",
        )
    if found.get("ForwardingEnabled"):
        forwards = "SES forwards feedback by e-mail too: it turned that on after a failed publish"
        return Finding(check, Level.WARNING, forwards, _FIX)
    return Finding(check, Level.OK, "all topics are set, forwarding is off")


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
    if ours := environment.stack.configuration_set:
        found = environment.client("sesv2").get_email_identity(EmailIdentity=identity)
        return bool(found.get("ConfigurationSetName") == ours)
    found = _read_attributes(environment, [identity]).get(identity, {})
    return set(environment.stack.topics.values()) <= set(read_topics(found).values())


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
