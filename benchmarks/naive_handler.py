"""The handler that the common recipes give: it counts, one `update_item` for each recipient.

It is no part of the project: the chaos run deploys it in place of ours (`make chaos NAIVE=1`) and
says how many states it leaves wrong. A run that found nothing wrong with it would prove nothing.
"""

import json
import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["SUPPRESSION_TABLE_NAME"])


def handler(event: dict[str, Any], _context: object) -> None:
    """Count what each record of the batch says."""
    for record in event["Records"]:
        notification = json.loads(record["body"])
        match notification.get("notificationType") or notification["eventType"]:
            case "Bounce":
                bounce = notification["bounce"]
                for recipient in bounce["bouncedRecipients"]:
                    count(recipient["emailAddress"], bounce["bounceType"])
            case "Complaint":
                for recipient in notification["complaint"]["complainedRecipients"]:
                    count(recipient["emailAddress"], "Complaint")


def count(address: str, what: str) -> None:
    """Add one."""
    table.update_item(
        Key={"address": address},
        UpdateExpression="ADD #what :one",
        ExpressionAttributeNames={"#what": what},
        ExpressionAttributeValues={":one": 1},
    )
