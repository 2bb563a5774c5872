from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.integration.tables import TABLE_NAME, create_table


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS in this process."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield


@pytest.fixture
def client(aws: None) -> Any:
    """A DynamoDB client, with the table as the stack makes it."""
    del aws
    dynamodb = boto3.client("dynamodb")
    create_table(dynamodb, TABLE_NAME)
    return dynamodb
