"""The canary: lets a mail bounce, and says how long the verdict took to be in the table."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from ses_suppression.deployment import CANARY_SERVICE, METRIC_NAMESPACE, Dimension, Metric, Variable
from ses_suppression.ses_account.canary import run_canary
from ses_suppression.store.dynamodb import DynamoDBStore

SECONDS_TO_HAND_BACK = 5.0
"""So much of its time the function keeps for saying that nothing came."""

_CLIENT = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


def handler(event: Mapping[str, Any], context: Any) -> None:  # noqa: ANN401  # Lambda's own
    """Run once, and write metrics: `CanarySeconds`, and `CanaryFailed`, 0 or 1."""
    del event
    logger = Logger(service=CANARY_SERVICE)
    metrics = Metrics(namespace=METRIC_NAMESPACE, service=CANARY_SERVICE)
    metrics.set_default_dimensions(**{Dimension.ENVIRONMENT: os.environ[Variable.ENVIRONMENT]})
    store = DynamoDBStore.of_table(
        os.environ[Variable.TABLE_NAME],
        lambda region: boto3.client("dynamodb", region_name=region, config=_CLIENT),
    )
    seconds = context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_HAND_BACK
    took: float | None = None
    try:
        ses, sender = boto3.client("ses", config=_CLIENT), os.environ[Variable.CANARY_SENDER]
        took = run_canary(ses, store, sender, seconds)
    except Exception as error:  # noqa: BLE001  # whatever it is, the alarm has to hear of it
        # By its name alone: SES's texts hold addresses.
        logger.error("the mail was not sent", extra={"error": type(error).__name__})  # noqa: TRY400
    if took is None:
        logger.error("no verdict came", extra={"waited_seconds": seconds})
    else:
        metrics.add_metric(name=Metric.CANARY_SECONDS, unit=MetricUnit.Seconds, value=took)
    metrics.add_metric(name=Metric.CANARY_FAILED, unit=MetricUnit.Count, value=int(took is None))
    metrics.flush_metrics()
