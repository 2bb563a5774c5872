"""What a user would otherwise write: handlers of an SQS batch, as samples and libraries have them.

Each is given what it needs, and puts one item for each recipient; none of them decides anything.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from botocore.exceptions import ClientError

Handler = Callable[[Mapping[str, Any], Any], Any]


def recipients(body: str) -> list[tuple[str, dict[str, str]]]:
    """Give what a sample keeps of a bounce: address, and a few fields."""
    notification = json.loads(body)
    bounce = notification["bounce"]
    return [
        (
            recipient["emailAddress"],
            {
                "type": bounce["bounceType"],
                "sub_type": bounce["bounceSubType"],
                "timestamp": bounce["timestamp"],
                "feedback_id": bounce["feedbackId"],
                "diagnostic": recipient.get("diagnosticCode", ""),
            },
        )
        for recipient in bounce["bouncedRecipients"]
    ]


def put_each(table: Any) -> Handler:
    """One `put_item` of a `Table` resource for each record, one after the other."""

    def handler(event: Mapping[str, Any], _context: object) -> None:
        for record in event["Records"]:
            for address, fields in recipients(record["body"]):
                table.put_item(Item={"address": address, **fields})

    return handler


def with_idempotency(table: Any, client: Any) -> Handler:
    """The same behind Powertools' batch processor and its idempotency layer."""
    processor = BatchProcessor(event_type=EventType.SQS)
    layer = DynamoDBPersistenceLayer(table_name="idempotency", boto3_client=client)
    config = IdempotencyConfig(event_key_jmespath="messageId")

    @idempotent_function(  # type: ignore[untyped-decorator]
        data_keyword_argument="record", persistence_store=layer, config=config
    )
    def put(record: dict[str, Any]) -> None:
        for address, fields in recipients(record["body"]):
            table.put_item(Item={"address": address, **fields})

    def handler(event: Mapping[str, Any], context: Any) -> Any:
        config.register_lambda_context(context)
        return process_partial_response(
            event=dict(event),
            record_handler=lambda record: put(record=record.raw_event),
            processor=processor,
            context=context,
        )

    return handler


def with_event_id(client: Any) -> Handler:
    """Each event's id and its item in one transaction: a repeat is refused as a whole."""

    def put(key: str, values: Mapping[str, str], **condition: str) -> dict[str, Any]:
        item = {name: {"S": value} for name, value in {"address": key, **values}.items()}
        return {"Put": {"TableName": "suppressions", "Item": item, **condition}}

    def handler(event: Mapping[str, Any], _context: object) -> None:
        for record in event["Records"]:
            for address, fields in recipients(record["body"]):
                once = "attribute_not_exists(address)"
                marker = put(f"event#{fields['feedback_id']}", {}, ConditionExpression=once)
                try:
                    client.transact_write_items(TransactItems=[marker, put(address, fields)])
                except ClientError as error:
                    if error.response["Error"]["Code"] != "TransactionCanceledException":
                        raise

    return handler
