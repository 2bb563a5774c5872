"""What the stack tells the functions, read and validated once, when a function starts."""

from collections.abc import Mapping
from dataclasses import dataclass

from ses_suppression.core.policy import Policy
from ses_suppression.deployment import Variable
from ses_suppression.errors import MissingSettingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment variables of an ingest function.

    Attributes:
        table_name: `SUPPRESSION_TABLE_NAME`; an ARN where the table is in another region.
        dead_letter_queue_url: `DEAD_LETTER_QUEUE_URL`, where rejected messages are put.
        fingerprint_key: `FINGERPRINT_KEY`, with which addresses are made unreadable in logs.
        account_ids: `SENDING_ACCOUNT_IDS`, separated by commas: whose feedback is taken.
        environment: `SUPPRESSION_ENVIRONMENT`, a dimension of the metrics.
        policy: `SUPPRESSION_POLICY`, a JSON object; without it, the defaults.
    """

    table_name: str
    dead_letter_queue_url: str
    fingerprint_key: str
    account_ids: frozenset[str]
    environment: str
    policy: Policy

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises:
            MissingSettingError, InvalidPolicyError: the function cannot start; its messages stay in
                the queue.
        """
        policy = Policy.from_environ(environ)
        return cls(
            table_name=_require(environ, Variable.TABLE_NAME),
            dead_letter_queue_url=_require(environ, Variable.DEAD_LETTER_QUEUE_URL),
            fingerprint_key=_require(environ, Variable.FINGERPRINT_KEY),
            account_ids=frozenset(_require(environ, Variable.SENDING_ACCOUNT_IDS).split(",")),
            environment=_require(environ, Variable.ENVIRONMENT),
            policy=policy,
        )


def _require(environ: Mapping[str, str], name: Variable) -> str:
    value = environ.get(name)
    if not value:
        raise MissingSettingError(f"the environment variable {name} is not set")
    return value
