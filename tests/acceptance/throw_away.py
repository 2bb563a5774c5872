"""The throw-away environment: what it is made of, and what that costs."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from docs.cost import HOURS_A_MONTH, standing
from stacks.config import Config
from stacks.config_values import Feed
from tests.denials import ALLOWED
from tests.infrastructure.templates import synthesized

NAME = "acceptance"
STACK = f"ses-suppression-{NAME}"
THEIRS = f"{STACK}-theirs"
"""The configuration set that the run makes, to take it over."""

HOURS = 2
"""A run takes less."""

_DOLLARS_FOR_MAIL = 0.01  # under 30 mails at $0.10 for 1,000
_DASHBOARD = "CloudWatch: the dashboard"  # a month's whole price, for an account that has three


def values(config: Config, feed: Feed = Feed.IDENTITY, *, take_over: bool = False) -> Any:
    """Return the throw-away environment's entry in `cdk.json`.

    Args:
        config: the environment that was named: its region and its first identity are used.
        feed: how SES publishes feedback.
        take_over: replace another owner's default configuration set.
    """
    identity = {"name": config.identities[0].name, "take_over": take_over}
    return {
        "region": config.region,
        "feed": feed.value,
        "identities": [identity],
        "encrypt_logs": True,
        "log_retention_days": 1,
    }


def plan(config: Config) -> Iterator[str]:
    """Say what a run makes, what it changes, and what it costs at most, line by line."""
    template = synthesized(**values(config)).to_json()
    identity = config.identities[0].name
    yield f"It deploys the stack {STACK} in {config.region}, of the account that CONFIRM names:"
    types = Counter(resource["Type"] for resource in template["Resources"].values())
    for kind, number in sorted(types.items()):
        yield f"  {number:3} {kind}"
    yield f"    1 configuration set more, {THEIRS}"
    yield f"  {len(ALLOWED):3} roles, one at a time, to try what the stack's roles must not do"
    yield ""
    yield f"It changes the identity {identity}, and sets it back at the end:"
    yield "  its notification topics, its default configuration set, SES's e-mail forwarding"
    yield f"  Mail that anybody else sends from {identity} meanwhile is recorded in the throw-away"
    yield "  table. Name an environment with an unused identity."
    yield ""
    yield "It mails only SES's mailbox simulator, fewer than 30 times."
    yield ""
    yield f"It costs at most {dollars(template):.2f} dollars, when it takes {HOURS} hours:"
    for what, a_month in standing(template).items():
        yield f"  {_share(what, a_month):5.2f}  {what}"
    yield f"  {_DOLLARS_FOR_MAIL:5.2f}  SES: the mails"
    yield ""
    yield "It leaves only the stack's key, which AWS deletes seven days later, at no cost."


def dollars(template: Mapping[str, Any]) -> float:
    """Return what a run costs at most, for the template that is deployed."""
    shares = (_share(what, a_month) for what, a_month in standing(template).items())
    return sum(shares) + _DOLLARS_FOR_MAIL


def _share(what: str, a_month: float) -> float:
    return a_month if what == _DASHBOARD else a_month * HOURS / HOURS_A_MONTH
