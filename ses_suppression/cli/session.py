"""Where a command finds the table, the policy and the rest of AWS: the options before its name."""

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ses_suppression.cli.output import Output
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.policy import Policy
from ses_suppression.deployment import StackOutput, Variable, stack_name
from ses_suppression.errors import InvalidPolicyError, MissingSettingError
from ses_suppression.ses_account.account_list import AccountLevelList
from ses_suppression.ses_account.environment import Environment, Stack
from ses_suppression.store.dynamodb import CONNECTIONS, DynamoDBStore

# An operator waits gladly for an answer that a sender would not wait for.
_PATIENCE = Config(
    connect_timeout=3,
    read_timeout=20,
    max_pool_connections=CONNECTIONS,
    retries={"mode": "standard", "total_max_attempts": 4},
)


class NoSuchStackError(MissingSettingError):
    """The environment is not deployed where the command looked. The message says where that was."""


@dataclass
class Session:
    """What the global options say, and what follows from them. AWS is asked when it is needed."""

    out: Output
    environment: str | None = None
    table: str | None = None
    incomplete: bool = False  # something of the table could not be read: the answer is not whole
    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    _clients: dict[tuple[str, str | None], Any] = field(default_factory=dict)

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401  # boto3's own
        """Return the boto3 client of a service; it is made once."""
        if (service, region) not in self._clients:
            session: Any = self._boto3
            try:
                self._clients[service, region] = session.client(
                    service, region_name=region, endpoint_url=self.endpoint_url, config=_PATIENCE
                )
            except ValueError as error:
                raise MissingSettingError(f"--region, --endpoint-url: {error}") from None
        return self._clients[service, region]

    @property
    def place(self) -> str:
        """Where AWS is asked, for messages."""
        where = self._boto3.region_name or "no region"
        return f"{where}, profile {self.profile}" if self.profile else where

    @cached_property
    def stack(self) -> Stack:
        """The stack of the environment.

        Raises:
            MissingSettingError: no environment is named, or it is not deployed there.
        """
        if not self.environment:
            raise MissingSettingError(
                f"name the environment: --env prod, or {Variable.ENVIRONMENT}"
            )
        name = stack_name(self.environment)
        try:
            (found,) = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            raise NoSuchStackError(
                f"there is no stack {name} in {self.place}: check --env, --region and --profile"
            ) from None
        return Stack.of_answer(found)

    @property
    def deployed(self) -> Environment:
        """The environment, with the means to look at it."""
        return Environment(
            self.environment or "", self.stack, self.table_name, self.store, self.client, self.now
        )

    @cached_property
    def table_name(self) -> str:
        """The table: `--table`, else that of the environment's stack, else the variable's."""
        if self.table:
            return self.table
        if not self.environment:
            table_name = os.environ.get(Variable.TABLE_NAME)
            if table_name:
                return table_name
            raise MissingSettingError(
                f"name the environment (--env prod, or {Variable.ENVIRONMENT}), or the table "
                f"(--table, or {Variable.TABLE_NAME})"
            )
        return self.stack.output(StackOutput.TABLE_NAME)

    @cached_property
    def policy(self) -> Policy:
        """The policy by which the functions decide: the stack's, else that in the environment."""
        if self.environment:
            return Policy.from_json(
                self.stack.output(StackOutput.POLICY), source=StackOutput.POLICY
            )
        if Variable.POLICY not in os.environ:
            self.out.warn(
                "the default policy decides here; with --env the stack's does, or set "
                f"{Variable.POLICY}"
            )
        return Policy.from_environ(os.environ)

    @cached_property
    def fingerprint_key(self) -> str:
        """The key with which the functions write fingerprints."""
        return os.environ.get(Variable.FINGERPRINT_KEY) or self.stack.fingerprint_key

    @cached_property
    def store(self) -> DynamoDBStore:
        """The table."""
        return DynamoDBStore.of_table(
            self.table_name, lambda region: self.client("dynamodb", region)
        )

    @cached_property
    def account_level_list(self) -> AccountLevelList:
        """SES's own list."""
        return AccountLevelList(self.client("sesv2"))

    @cached_property
    def caller(self) -> str:
        """Who asks: the ARN that STS knows."""
        arn: str = self.client("sts").get_caller_identity()["Arn"]
        return arn

    @cached_property
    def suppressions(self) -> SuppressionList:
        """The list, as an app sees it, with an operator's patience."""
        return SuppressionList(self.store, check_seconds=60, screen_seconds=60)

    @property
    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC)

    @cached_property
    def _boto3(self) -> "boto3.Session":
        return boto3.Session(profile_name=self.profile, region_name=self.region)


def policy_of_file(content: bytes) -> Policy:
    """Read a policy from a JSON file: the object that `cdk.json` has under `policy`.

    Raises:
        InvalidPolicyError: it is not UTF-8, not JSON, or no policy.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise InvalidPolicyError("the policy file is not UTF-8") from None
    return Policy.from_json(text, source="the policy file")
