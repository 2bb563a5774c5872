"""Where the feedback about an identity's mail goes, as plain data."""

from collections.abc import Mapping
from typing import Any

from ses_suppression.deployment import NotificationType

DEFAULT_SET = "default configuration set"
SETTINGS: tuple[str, ...] = (*NotificationType, DEFAULT_SET)

Destination = Mapping[str, str]
"""Where feedback goes, by `SETTINGS`: the topic of each notification type, and the name of the
default configuration set, which publishes by itself. What is not set has no key."""

FAILURES = frozenset({NotificationType.BOUNCE, NotificationType.COMPLAINT})


def read_topics(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Read the topics in an answer of `GetIdentityNotificationAttributes`."""
    topics = {kind.value: attributes.get(f"{kind}Topic") for kind in NotificationType}
    return {kind: topic for kind, topic in topics.items() if topic}


def reports_all(destination: Destination) -> bool:
    """Whether SES need not mail bounces and complaints any more.

    Of mail that no set reports, it mails them nevertheless: it does so wherever nothing else is set
    up ("FeedbackAttributes", SES API reference).
    """
    return DEFAULT_SET in destination or destination.keys() >= FAILURES


def keep_equal(destination: Destination, other: Destination) -> Destination:
    """Return what the other has with the same value."""
    return {setting: value for setting, value in destination.items() if other.get(setting) == value}


def leave_out(destination: Destination, other: Destination) -> Destination:
    """Return what has no setting in the other, whatever its value there."""
    return {setting: value for setting, value in destination.items() if setting not in other}


def find_foreign(current: Destination, wanted: Destination, previous: Destination) -> Destination:
    """Return what is set where something is wanted, and was not set by us."""
    ours = {*wanted.values(), *previous.values()}
    return {
        setting: value
        for setting, value in current.items()
        if setting in wanted and value not in ours
    }
