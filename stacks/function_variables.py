"""What the ingest functions are told by environment variables, and how much room that takes."""

import json

from ses_suppression.deployment import Variable
from stacks.config import Config
from stacks.config_values import ConfigError

MOST_BYTES = 4096
"""Of all variables of a function as JSON, where a quote in a value counts twice ("Lambda quotas",
developer guide, and what Lambda says when it refuses them)."""

_STAND_INS = {
    # CloudFormation makes names of the stack's, the resource's and some random letters.
    "table": "t" * 100,
    "account": "1" * 12,
    "fingerprint_key": "k" * 36,
}
_LONGEST_QUEUE_NAME = 80


def ingest_variables(
    config: Config, *, table: str, account: str, fingerprint_key: str
) -> dict[str, str]:
    """Give the variables of an ingest function, but for its dead-letter queue.

    Args:
        config: of the environment.
        table: the table's name, or its ARN.
        account: the id of the stack's account.
        fingerprint_key: makes addresses unreadable in logs.
    """
    return {
        Variable.TABLE_NAME: table,
        Variable.POLICY: json.dumps(config.policy, sort_keys=True),
        Variable.SENDING_ACCOUNT_IDS: ",".join([account, *config.sending_account_ids]),
        Variable.FINGERPRINT_KEY: fingerprint_key,
        Variable.ENVIRONMENT: config.environment,
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def bytes_of_variables(config: Config) -> int:
    """Give how many bytes the variables of an ingest function take, from above.

    What is known only when the stack stands is taken at its longest.
    """
    names = _STAND_INS | ({"table": config.table} if config.table else {})
    queue = f"https://sqs.{config.region}.amazonaws.com/{names['account']}/"
    variables = ingest_variables(config, **names)
    variables[Variable.DEAD_LETTER_QUEUE_URL] = queue + "q" * _LONGEST_QUEUE_NAME
    return len(json.dumps(variables, separators=(",", ":")).encode())


def check_variables(config: Config) -> None:
    """Refuse more than a function takes: the deployment would fail after the table was made.

    Raises:
        ConfigError: the message names the limit.
    """
    size = bytes_of_variables(config)
    if size > MOST_BYTES:
        path = f"environments.{config.environment}"
        raise ConfigError(
            f"{path}: the functions' variables take {size:,} bytes as Lambda counts them, more "
            f"than its limit of {MOST_BYTES:,}: shorten {path}.policy (never_suppress, for "
            f"example) or {path}.sending_account_ids"
        )
