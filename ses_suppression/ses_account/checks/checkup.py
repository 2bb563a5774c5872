"""All checks of an environment, in the order in which feedback comes."""

from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from ses_suppression.errors import SESSuppressionError
from ses_suppression.ses_account.checks.identities import check_own_settings, check_publishing
from ses_suppression.ses_account.checks.path import (
    check_dead_letters,
    check_functions,
    check_given_back,
    check_key,
    check_queues,
    check_subscriptions,
    check_table,
    check_time_to_live,
)
from ses_suppression.ses_account.checks.sending import (
    check_account,
    check_regions,
    check_verification,
)
from ses_suppression.ses_account.environment import Environment
from ses_suppression.ses_account.health import Finding, Level

Check = Callable[[Environment], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    check_account,
    check_verification,
    check_own_settings,
    check_publishing,
    check_regions,
    check_subscriptions,
    check_queues,
    check_dead_letters,
    check_functions,
    check_given_back,
    check_table,
    check_time_to_live,
    check_key,
)


def run(environment: Environment, checks: Iterable[Check] = CHECKS) -> Iterator[Finding]:
    """Run checks one after the other; a check that AWS refuses is a finding itself."""
    for check in checks:
        try:
            yield from check(environment)
        except (ClientError, BotoCoreError, SESSuppressionError) as error:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            advice = "this could not be looked at: check the caller's policy"
            yield Finding(name, Level.FAILED, str(error), advice)
