"""Messages that could not be used, or not be delivered: read, put back, or deleted.

They are received, sent and deleted one by one, and not by SQS's own message-move task: that refuses
the queue behind an SNS subscription, and does not report why a message was refused. A message that
is sent twice, after an interruption, is applied once.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ses_suppression.core.notification import parse
from ses_suppression.deployment import ChannelOutput, NotificationType
from ses_suppression.errors import InvalidNotificationError
from ses_suppression.ses_account.environment import Stack

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_QUEUES = {
    "dead-letter": ChannelOutput.DEAD_LETTER_QUEUE_URL,  # rejected, or never applied
    "undelivered": ChannelOutput.UNDELIVERED_QUEUE_URL,  # never delivered to the queue
}
_UNSEEN_SECONDS = 120
_MESSAGES_A_REQUEST = 10


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A received message.

    Attributes:
        notification_type: of the channel whose queue it is on.
        queue: `dead-letter` or `undelivered`.
        queue_url: that queue.
        message: as `ReceiveMessage` answers.
    """

    notification_type: NotificationType
    queue: str
    queue_url: str
    message: Any

    @property
    def body(self) -> str:
        """The body, as it came."""
        return str(self.message["Body"])

    @property
    def sent_at(self) -> datetime:
        """When it was sent to the queue, UTC."""
        return datetime.fromtimestamp(int(self.message["Attributes"]["SentTimestamp"]) / 1000, UTC)

    @property
    def reason(self) -> str:
        """Why it is here: the function's reason, else the parser's."""
        given = self.message.get("MessageAttributes", {}).get("Reason", {}).get("StringValue")
        if given:
            return str(given)
        try:
            parse(self.body)
        except InvalidNotificationError as error:
            return str(error)
        if self.queue == "undelivered":
            return "SNS could not deliver it to the queue"
        return "it could not be applied, 20 times; the function's log says why"


class DeadLetters:
    """The dead letters of a stack.

    Args:
        sqs: a boto3 SQS client.
        stack: the stack.
    """

    def __init__(self, sqs: "SQSClient", stack: Stack) -> None:
        self._sqs = sqs
        self._stack = stack
        self._in_flight: dict[str, str] = {}  # receipt -> URL of its queue

    def receive(
        self, notification_types: Sequence[NotificationType], *, limit: int | None = None
    ) -> Iterator[DeadLetter]:
        """Yield what is on the queues now, each message once.

        Afterwards all that is still there can be received again at once.

        Args:
            notification_types: whose queues are read.
            limit: at most so many of each queue; None: all.
        """
        try:
            for notification_type in notification_types:
                for queue, output in _QUEUES.items():
                    url = self._stack.channel(output, notification_type)
                    for message in self._receive(url, limit):
                        yield DeadLetter(notification_type, queue, url, message)
        finally:
            while self._in_flight:
                self._make_visible(*self._in_flight.popitem())

    def redrive(self, letter: DeadLetter) -> None:
        """Put a message back into the queue of its function."""
        url = self._stack.channel(ChannelOutput.QUEUE_URL, letter.notification_type)
        self._sqs.send_message(QueueUrl=url, MessageBody=letter.body)
        self.delete(letter)

    def delete(self, letter: DeadLetter) -> None:
        """Delete a message."""
        receipt = letter.message["ReceiptHandle"]
        self._sqs.delete_message(QueueUrl=letter.queue_url, ReceiptHandle=receipt)
        self._in_flight.pop(receipt, None)

    def _receive(self, url: str, limit: int | None) -> Iterator[Any]:
        """Receive as many as there are now: a message that comes back is not received again."""
        name: Any = "ApproximateNumberOfMessages"
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        there = int(answer["Attributes"][name])
        left = there if limit is None else min(limit, there)
        seen: set[str] = set()
        while left > 0:
            messages = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(left, _MESSAGES_A_REQUEST),
                VisibilityTimeout=_UNSEEN_SECONDS,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
                AttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            if not messages:
                return
            for message in messages:
                self._in_flight[message["ReceiptHandle"]] = url
                if message["MessageId"] not in seen:  # SQS may give one twice
                    seen.add(message["MessageId"])
                    left -= 1
                    yield message

    def _make_visible(self, receipt: str, url: str) -> None:
        with suppress(ClientError):  # it is visible already, or gone
            self._sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0
            )
