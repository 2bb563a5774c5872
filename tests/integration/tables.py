"""Tables in moto, and what a test does with them."""

from collections.abc import Mapping
from typing import Any

from ses_suppression.core.record import Record
from ses_suppression.errors import SESSuppressionError
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore

TABLE_NAME = "suppressions"


def save(store: DynamoDBStore, *records: Record) -> Mapping[str, SESSuppressionError]:
    return store.save(records, deadline=Deadline(5))


def create_table(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "address", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "address", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
