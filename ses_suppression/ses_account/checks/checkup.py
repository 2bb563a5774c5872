"""All checks of an environment, in the order in which feedback comes."""

from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from ses_suppression.errors import SESSuppressionError
from ses_suppression.ses_account.checks import identities, path, sending
from ses_suppression.ses_account.environment import Environment
from ses_suppression.ses_account.health import Finding, Level

Check = Callable[[Environment], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    sending.check_sending,
    identities.check_own_settings,
    identities.check_configuration_set,
    identities.check_identities,
    sending.check_regions,
    path.check_subscriptions,
    path.check_queues,
    path.check_dead_letters,
    path.check_functions,
    path.check_given_back,
    path.check_table,
    path.check_time_to_live,
    path.check_key,
)


def run(environment: Environment, checks: Iterable[Check] = CHECKS) -> Iterator[Finding]:
    """Run checks one after the other; a check that AWS refuses is a finding itself."""
    for check in checks:
        try:
            yield from check(environment)
        except (ClientError, BotoCoreError, SESSuppressionError) as error:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            advice = "this could not be looked at"
            if _is_denied(error):
                advice += ": check the caller's policy"
            yield Finding(name, Level.FAILED, str(error), advice)


def _is_denied(error: Exception) -> bool:
    """Whether a right is missing; SNS calls it `AuthorizationError`."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return any(name in getattr(error, "code", code) for name in ("AccessDenied", "Authorization"))
