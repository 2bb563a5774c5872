"""Dead letters are read once, and stay where they are unless they are moved."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ses_suppression.deployment import NotificationType
from ses_suppression.operations.dead_letters import DeadLetters
from ses_suppression.ses_account.environment import Stack

BOUNCE = NotificationType.BOUNCE
NAMES = ("QueueUrl", "DeadLetterQueueUrl", "UndeliveredQueueUrl")
STACK = Stack("ses-suppression-prod", {f"Bounces{name}": name for name in NAMES})


class Queues:
    """Queues of SQS that give each message twice while it is there."""

    def __init__(self, **bodies: list[str]) -> None:
        self.messages = {url: dict(enumerate(bodies.get(url, []))) for url in NAMES}
        self._waiting = {
            url: [number for number in found for _ in range(2)]
            for url, found in self.messages.items()
        }
        self.visible: list[str] = []
        self._receipts = 0

    def get_queue_attributes(self, **request: Any) -> Any:
        number = len(self.messages[request["QueueUrl"]])
        return {"Attributes": {"ApproximateNumberOfMessages": str(number)}}

    def receive_message(self, **request: Any) -> Any:
        waiting = self._waiting[request["QueueUrl"]]
        received = []
        for number in waiting[: request["MaxNumberOfMessages"]]:
            self._receipts += 1
            received.append(
                {
                    "MessageId": str(number),
                    "ReceiptHandle": f"{number}/{self._receipts}",
                    "Body": self.messages[request["QueueUrl"]][number],
                    "Attributes": {"SentTimestamp": "0"},
                }
            )
        del waiting[: request["MaxNumberOfMessages"]]
        return {"Messages": received}

    def change_message_visibility(self, **request: Any) -> None:
        if int(request["ReceiptHandle"][0]) not in self.messages[request["QueueUrl"]]:
            raise ClientError({"Error": {"Code": "InvalidParameterValue"}}, "Change")
        self.visible.append(request["ReceiptHandle"])

    def send_message(self, **request: Any) -> None:
        self.messages[request["QueueUrl"]][-1] = request["MessageBody"]

    def delete_message(self, **request: Any) -> None:
        del self.messages[request["QueueUrl"]][int(request["ReceiptHandle"][0])]


def letters(queues: Any) -> DeadLetters:
    return DeadLetters(queues, STACK)


@pytest.mark.parametrize(("limit", "number"), [(None, 3), (2, 2)])
def test_each_message_is_read_once_and_can_be_read_again_at_once(
    limit: int | None, number: int
) -> None:
    queues = Queues(DeadLetterQueueUrl=["a", "b", "c"])
    seen = [one.body for one in letters(queues).receive([BOUNCE], limit=limit)]
    assert seen == ["a", "b", "c"][:number]
    assert {receipt[0] for receipt in queues.visible} >= set("012"[:number])


def test_a_message_is_put_back_into_the_queue_of_its_function_and_deleted() -> None:
    queues = Queues(UndeliveredQueueUrl=["a"])
    opened = letters(queues)
    for letter in opened.receive([BOUNCE]):
        assert letter.queue == "undelivered"
        opened.redrive(letter)
    assert queues.messages == {
        "QueueUrl": {-1: "a"}, "DeadLetterQueueUrl": {}, "UndeliveredQueueUrl": {}
    }  # fmt: skip
    assert queues.visible == []


def test_the_reason_is_the_functions_else_the_parsers_else_the_queues() -> None:
    queues = Queues(DeadLetterQueueUrl=["no JSON"], UndeliveredQueueUrl=['{"Type": 1}'])
    dead, undelivered = letters(queues).receive([BOUNCE])
    assert "JSON" in dead.reason
    dead.message["MessageAttributes"] = {"Reason": {"StringValue": "as it was"}}
    assert dead.reason == "as it was"
    assert undelivered.reason
