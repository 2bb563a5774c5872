"""Where a rejected message goes: to the dead-letter queue, with the reason, seen at once."""

from typing import TYPE_CHECKING

from ses_suppression.ingest import Outcome

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_MAX_REASON = 1024


class DeadLetters:
    """A dead-letter queue.

    Args:
        client: a boto3 SQS client.
        queue_url: the queue.
    """

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def __call__(self, outcome: Outcome) -> None:
        """Put the message there: its body as it came, the reason as message attribute `Reason`."""
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=outcome.message.body,
            MessageAttributes={
                "Reason": {"DataType": "String", "StringValue": outcome.reason[:_MAX_REASON]},
                "MessageId": {"DataType": "String", "StringValue": outcome.message.id},
            },
        )
