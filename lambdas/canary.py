"""The canary: lets a mail bounce, and says how long the verdict took to be in the table."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from ses_suppression.metrics import NAMESPACE
from ses_suppression.ses_account.canary import Canary
from ses_suppression.store.dynamodb import DynamoDBStore

SECONDS_TO_HAND_BACK = 5.0
"""So much of its time the function keeps for saying that nothing came."""

_CLIENT = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


def handler(event: Mapping[str, Any], context: Any) -> None:  # noqa: ANN401  # Lambda's own
    """Fly once, and tell a metric: `CanarySeconds`, and `CanaryFailed`, 0 or 1."""
    del event
    logger, metrics = Logger(service="canary"), Metrics(namespace=NAMESPACE, service="canary")
    metrics.set_default_dimensions(environment=os.environ["SUPPRESSION_ENVIRONMENT"])
    store = DynamoDBStore.of_table(
        os.environ["SUPPRESSION_TABLE_NAME"],
        lambda region: boto3.client("dynamodb", region_name=region, config=_CLIENT),
    )
    canary = Canary(boto3.client("ses", config=_CLIENT), store, os.environ["CANARY_SENDER"])
    seconds = context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_HAND_BACK
    took: float | None = None
    try:
        took = canary.fly(seconds)
    except Exception as error:  # noqa: BLE001  # whatever it is, the alarm has to hear of it
        # By its name alone: SES's texts hold addresses.
        logger.error("the mail was not sent", extra={"error": type(error).__name__})  # noqa: TRY400
    if took is None:
        logger.error("no verdict came", extra={"waited_seconds": seconds})
    else:
        metrics.add_metric(name="CanarySeconds", unit=MetricUnit.Seconds, value=took)
    metrics.add_metric(name="CanaryFailed", unit=MetricUnit.Count, value=int(took is None))
    metrics.flush_metrics()
