"""The canary: mails SES's mailbox simulator, and says how long the verdict took to be in the table.

When SES stops publishing, nothing fails and nothing comes. This is what notices.
"""

import os
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from lambdas.ingest import NAMESPACE
from ses_suppression.address import SIMULATOR_DOMAIN
from ses_suppression.deadline import Deadline
from ses_suppression.store import DynamoDBStore, Store

if TYPE_CHECKING:
    from types_boto3_ses import SESClient

SECONDS_TO_HAND_BACK = 5.0
"""So much of its time the function keeps for saying that nothing came."""

_LOOK_EVERY = 1.0  # seconds
_CLIENT = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


class Canary:
    """One round trip: mail, bounce, notification, table.

    Args:
        ses: a boto3 SES client.
        store: the table.
        sender: an address of an identity whose notifications come here.
        clock: monotonic, in seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        ses: "SESClient",
        store: Store,
        sender: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ses = ses
        self._store = store
        self._sender = sender
        self._clock = clock
        self._sleep = sleep

    def fly(self, seconds: float) -> float | None:
        """Mail an address that bounces, and wait for its verdict.

        Args:
            seconds: how long to wait.

        Returns:
            How many seconds it took; None: it did not come.
        """
        address = f"bounce+{uuid.uuid4().hex}@{SIMULATOR_DOMAIN}"
        begun = self._clock()
        self._ses.send_email(
            Source=self._sender,
            Destination={"ToAddresses": [address]},
            Message={
                "Subject": {"Data": "ses-suppression canary"},
                "Body": {"Text": {"Data": "Does a bounce still come back?"}},
            },
        )
        while (waited := self._clock() - begun) < seconds:
            found = self._store.find_many([address], deadline=Deadline(_LOOK_EVERY))
            if found.verdicts.get(address):
                return waited
            self._sleep(_LOOK_EVERY)
        return None


def handler(event: Mapping[str, Any], context: Any) -> None:  # noqa: ANN401  # Lambda's own
    """Fly once, and tell a metric: `CanarySeconds`, and `CanaryFailed`, 0 or 1."""
    del event
    logger, metrics = Logger(service="canary"), Metrics(namespace=NAMESPACE, service="canary")
    metrics.set_default_dimensions(environment=os.environ["SUPPRESSION_ENVIRONMENT"])
    store = DynamoDBStore(
        boto3.client("dynamodb", config=_CLIENT), os.environ["SUPPRESSION_TABLE_NAME"]
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
