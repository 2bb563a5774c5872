"""What the three ingest functions share: an SQS batch in, the failures of the batch out."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import UnionType
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.dead_letters import DeadLetters
from lambdas.isolation import isolate
from lambdas.settings import Settings
from ses_suppression.core.address import fingerprint
from ses_suppression.core.notification import Bounce, Complaint, Delivery, Feedback, Subscription
from ses_suppression.core.policy import CONSEQUENCES, Policy, Suppress
from ses_suppression.core.rules import Rule
from ses_suppression.deployment import METRIC_NAMESPACE, Dimension, Metric, NotificationType
from ses_suppression.ingest import Message, Outcome, Status, ingest
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import CONNECTIONS, DynamoDBStore
from ses_suppression.store.protocol import Store

FEEDBACK: Mapping[NotificationType, type[Feedback] | UnionType] = {
    NotificationType.BOUNCE: Bounce,
    NotificationType.COMPLAINT: Complaint | Subscription,
    NotificationType.DELIVERY: Delivery,
}
"""What each topic carries, of either feed: see `NotificationType.event_types`."""

SECONDS_TO_HAND_BACK = 5.0
"""So much of its time a function keeps back: for one call at its slowest, and the answer to SQS."""

# Twice 1.7 seconds and a pause of at most one between them: less than what is kept back. What fails
# is given back to the queue, which has more patience than a function has.
CLIENT = Config(
    connect_timeout=0.5,
    read_timeout=1.2,
    max_pool_connections=CONNECTIONS,
    user_agent="ses-suppression",  # to write boto3's own anew is a sixth of a call's CPU
    parameter_validation=False,  # an eighth of a call's CPU; what is asked is made here alone
    retries={"mode": "standard", "total_max_attempts": 2},
)
"""How patient the functions' boto3 clients are."""


@dataclass(kw_only=True)
class IngestFunction:
    """An ingest function: applies a batch of messages, and tells SQS which to give again.

    Attributes:
        store, policy, account_ids: see `ses_suppression.ingest.ingest`.
        reject: puts a rejected message where people look at it.
        kind: the kinds of feedback of its queue.
        fingerprint_key: makes addresses unreadable in logs.
        logger, metrics: of Powertools.
        environment: the environment's name, a dimension of the metrics.
    """

    store: Store
    policy: Policy
    account_ids: frozenset[str]
    reject: Callable[[Outcome], None]
    kind: type[Feedback] | UnionType
    fingerprint_key: str
    logger: Logger
    metrics: Metrics
    environment: str

    @classmethod
    def from_env(cls, carries: NotificationType) -> "IngestFunction":
        """Build the ordinary one from the function's environment."""
        settings = Settings.from_env(os.environ)
        metrics = Metrics(namespace=METRIC_NAMESPACE, service=carries.plural)
        metrics.set_default_dimensions(**{Dimension.ENVIRONMENT: settings.environment})
        return cls(
            store=DynamoDBStore.of_table(
                settings.table_name,
                lambda region: boto3.client("dynamodb", region_name=region, config=CLIENT),
            ),
            policy=settings.policy,
            account_ids=settings.account_ids,
            kind=FEEDBACK[carries],
            reject=DeadLetters(boto3.client("sqs", config=CLIENT), settings.dead_letter_queue_url),
            fingerprint_key=settings.fingerprint_key,
            logger=Logger(service=carries.plural),
            metrics=metrics,
            environment=settings.environment,
        )

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:  # noqa: ANN401
        """Handle an event of SQS."""
        self.logger.append_keys(request_id=context.aws_request_id)
        deadline = Deadline(context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_HAND_BACK)
        records, handed_back = isolate(event["Records"])
        if handed_back:
            self.logger.warning("suspects are handed back", extra={"number": len(handed_back)})
        outcomes = ingest(
            [_message(record) for record in records],
            store=self.store,
            policy=self.policy,
            account_ids=self.account_ids,
            kind=self.kind,
            deadline=deadline,
        )
        failed = [outcome for outcome in outcomes if not self._settle(outcome, deadline)]
        given_back = [
            *(outcome.message.id for outcome in failed),
            *(record["messageId"] for record in handed_back),
        ]
        self._count(outcomes, handed_back=len(handed_back), given_back=len(given_back))
        return {"batchItemFailures": [{"itemIdentifier": one} for one in given_back]}

    def _settle(self, outcome: Outcome, deadline: Deadline) -> bool:
        """Log it, put it away if it is rejected; False: SQS has to give the message again."""
        match outcome.status:
            case Status.RETRIED:
                self.logger.error("not applied, to be retried", extra=self._details(outcome))
                return False
            case Status.REJECTED:
                self.logger.warning("rejected", extra=self._details(outcome))
                return bool(deadline.remaining) and self._put_away(outcome)
            case Status.ACKNOWLEDGED:
                self.logger.info("acknowledged", extra=self._details(outcome))
            case Status.APPLIED:
                # Deliveries are too many to log.
                if any(rule is not Rule.DELIVERY for _, rule in outcome.rules):
                    self.logger.info("applied", extra=self._details(outcome))
        return True

    def _details(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "message_id": outcome.message.id,
            "status": outcome.status,
            "reason": outcome.reason,
            "unattributed": outcome.unattributed,
            "recipients": [
                {"fingerprint": fingerprint(address, self.fingerprint_key), "rule": rule}
                for address, rule in outcome.rules
            ],
        }

    def _put_away(self, outcome: Outcome) -> bool:
        try:
            self.reject(outcome)
        except (ClientError, BotoCoreError) as error:
            # Not with its traceback: the SDK's texts are not ours to vouch for.
            self.logger.error(  # noqa: TRY400
                "the dead-letter queue did not take a rejected message, to be retried",
                extra={"message_id": outcome.message.id, "error": type(error).__name__},
            )
            return False
        return True

    def _count(self, outcomes: list[Outcome], *, handed_back: int, given_back: int) -> None:
        counts: Counter[str] = Counter({Metric.HANDED_BACK: handed_back})
        for outcome in outcomes:
            counts[Metric[outcome.status.name]] += 1
            counts[Metric.UNATTRIBUTED] += outcome.unattributed
            if outcome.status in _DECIDED:
                counts.update(rule for _, rule in outcome.rules)
        by_provider = _by_provider(outcomes)
        counts[Metric.SUPPRESSIONS] = sum(
            value for (name, _), value in by_provider.items() if name == Metric.SUPPRESSIONS
        )
        for name, value in counts.items():
            if value:
                self.metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        if counts.total():  # Powertools warns of an empty flush
            self.metrics.flush_metrics()
        for (name, provider), value in by_provider.items():
            self._count_apart(name, value, {Dimension.PROVIDER: provider})
        if given_back:
            # For the alarm: a table that takes nothing fails no function, and SQS leaves what it
            # has given three times out of the age of the oldest message.
            self._count_apart(Metric.GIVEN_BACK, given_back, {})

    def _count_apart(self, name: str, value: int, dimensions: Mapping[str, str]) -> None:
        """Write a metric of the environment, with other dimensions than the kind of feedback."""
        with single_metric(
            name=name, unit=MetricUnit.Count, value=value, namespace=METRIC_NAMESPACE
        ) as metric:
            for dimension, text in {Dimension.ENVIRONMENT: self.environment, **dimensions}.items():
                metric.add_dimension(dimension, text)


_DECIDED = frozenset({Status.APPLIED, Status.REJECTED})


def _by_provider(outcomes: Iterable[Outcome]) -> Counter[tuple[str, str]]:
    """Count suppressions, and faults of the sender, by the provider that refused the mail."""
    counts: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes:
        if outcome.status in _DECIDED:
            for (_, rule), provider in zip(outcome.rules, outcome.providers, strict=True):
                if isinstance(CONSEQUENCES[rule], Suppress):
                    counts[Metric.SUPPRESSIONS, provider] += 1
                elif rule is Rule.SENDER_FAULT:
                    counts[rule, provider] += 1
    return counts


def _message(record: Mapping[str, Any]) -> Message:
    sent = int(record["attributes"]["SentTimestamp"]) / 1000
    return Message(
        id=record["messageId"],
        body=record["body"],
        received_at=datetime.fromtimestamp(sent, tz=UTC),
    )
