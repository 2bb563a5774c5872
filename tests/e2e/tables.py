"""Tables of a test's own, filled at once."""

import uuid
from collections.abc import Iterable
from itertools import islice
from typing import Any

from ses_suppression.core.record import Record
from ses_suppression.store.items import to_item
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.integration.tables import create_table

_ITEMS_A_REQUEST = 25


def operator_of_table(stack: Stack, records: Iterable[Record]) -> Operator:
    """Make a table with these records, and give an operator who works on it."""
    dynamodb = stack.emulator.client("dynamodb")
    name = f"table-{uuid.uuid4().hex[:8]}"
    create_table(dynamodb, name)
    remaining = iter(records)
    while batch := list(islice(remaining, _ITEMS_A_REQUEST)):
        requests: Any = [
            {"PutRequest": {"Item": to_item(record, uuid.uuid4().hex)}} for record in batch
        ]
        dynamodb.batch_write_item(RequestItems={name: requests})
    return Operator(stack, ("--env", "dev", "--table", name))
