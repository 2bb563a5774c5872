"""What a removal of the stack leaves, and what there is in the account."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from tests.acceptance.account import Account
from tests.acceptance.throw_away import STACK
from tests.denials import DENIALS, remove_role

DAYS = 7
"""The waiting period before AWS deletes a key: the shortest that KMS offers."""


def tables(account: Account) -> list[str]:
    """Return the tables of the throw-away stack: CloudFormation names them after it."""
    names = _names(account.client("dynamodb"), "list_tables", "TableNames")
    return [name for name in names if is_table_of_run(name)]


def is_table_of_run(name: str) -> bool:
    """Whether a table is of the throw-away stack, not of an environment like `acceptance-eu`.

    >>> is_table_of_run("ses-suppression-acceptance-SuppressionTable33D2C7DC-1A2B3C")
    True
    >>> is_table_of_run("ses-suppression-acceptance-eu-SuppressionTable33D2C7DC-1A2B3C")
    False
    """
    return re.match(rf"{STACK}-SuppressionTable[0-9A-F]{{8}}-", name) is not None


def remove_table(account: Account, name: str) -> None:
    """Delete a table, which outlives its stack, and schedule its key for deletion."""
    dynamodb, kms = account.client("dynamodb"), account.client("kms")
    table = dynamodb.describe_table(TableName=name)["Table"]
    key = table.get("SSEDescription", {}).get("KMSMasterKeyArn")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    if key:  # first: without the table nothing names it any more
        with suppress(kms.exceptions.KMSInvalidStateException):  # scheduled already
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=DAYS)
    dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name)


def remove_roles(account: Account) -> None:
    """Remove the roles of a run that was killed while it tried what they must not do."""
    iam = account.client("iam")
    for name in list(_names(iam, "list_roles", "Roles", "RoleName")):
        if name.startswith(f"{STACK}-{DENIALS}-"):
            remove_role(iam, name)


def everything(account: Account) -> Iterator[str]:
    """Return the ids of the account's resources that can be listed by name."""
    client = account.client
    yield from _names(client("dynamodb"), "list_tables", "TableNames")
    yield from _names(client("sqs"), "list_queues", "QueueUrls")
    yield from _names(client("sns"), "list_topics", "Topics", "TopicArn")
    yield from _names(client("lambda"), "list_functions", "Functions", "FunctionName")
    yield from _names(client("logs"), "describe_log_groups", "logGroups", "logGroupName")
    yield from _names(client("cloudwatch"), "describe_alarms", "MetricAlarms", "AlarmName")
    yield from _names(client("cloudwatch"), "list_dashboards", "DashboardEntries", "DashboardName")
    yield from _names(client("iam"), "list_roles", "Roles", "RoleName")
    yield from _names(client("iam"), "list_policies", "Policies", "Arn", Scope="Local")
    yield from _names(client("events"), "list_rules", "Rules", "Name")
    yield from _names(client("ssm"), "describe_parameters", "Parameters", "Name")
    yield from _names(client("sesv2"), "list_configuration_sets", "ConfigurationSets", paged=False)


def _names(
    client: Any, call: str, key: str, name: str | None = None, *, paged: bool = True, **options: str
) -> Iterator[str]:
    pages = (
        client.get_paginator(call).paginate(**options)
        if paged
        else _pages_by_token(getattr(client, call))
    )
    for page in pages:
        for one in page.get(key, []):
            yield one[name] if name else one


def _pages_by_token(call: Any) -> Iterator[Any]:
    """Return the pages of a call that boto3 has no paginator for."""
    token: dict[str, str] = {}
    while True:
        page = call(**token)
        yield page
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}
