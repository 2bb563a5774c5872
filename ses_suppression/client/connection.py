"""The DynamoDB client of a sender, who cannot wait."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from ses_suppression.client.lookup import REQUESTS

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# boto3's own time-outs are a minute with five tries: a sender would hang. Of its modes this is the
# one whose pause before a second try at DynamoDB is 50 milliseconds, and not up to a second.
_SEND_PATH = Config(
    connect_timeout=0.3,
    read_timeout=0.5,
    max_pool_connections=REQUESTS,
    retries={"mode": "legacy", "total_max_attempts": 2},
)
# To the other side of the world and back takes 0.3 seconds, and a new connection three such ways.
_SEND_PATH_ABROAD = _SEND_PATH.merge(Config(connect_timeout=1.2, read_timeout=1.5))


def make_client(region: str | None) -> "DynamoDBClient":
    """Return a client for a table in another region; None: in the caller's own."""
    config = _SEND_PATH_ABROAD if region else _SEND_PATH
    return boto3.client("dynamodb", region_name=region, config=config)
