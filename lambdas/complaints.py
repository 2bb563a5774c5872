"""The function behind the complaints queue."""

from typing import Any

from lambdas.ingest import IngestFunction
from ses_suppression.deployment import NotificationType

_function = IngestFunction.from_env(NotificationType.COMPLAINT)


def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:  # noqa: ANN401  # Lambda's own
    """Apply a batch of messages; give those that SQS has to deliver again."""
    return _function(event, context)
