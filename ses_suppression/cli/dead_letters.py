"""Messages that nobody could use: why, and what becomes of them.

They are received, sent and deleted one by one, and not by SQS's own message-move task: that refuses
the queue behind an SNS subscription, and cannot say what a message was refused for. What is sent
twice, because this stopped in between, is applied once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from ses_suppression.cli.files import appending
from ses_suppression.cli.output import json_line
from ses_suppression.cli.parameters import Apply
from ses_suppression.cli.session import Session
from ses_suppression.core.notification import parse
from ses_suppression.errors import InvalidNotificationError

app = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    help="Messages that nobody could use: why, and what becomes of them.",
)

_UNSEEN_SECONDS = 120
_MESSAGES_A_REQUEST = 10


class Queue(StrEnum):
    """Where dead letters are: rejected or never applied, or never delivered to the queue."""

    DEAD_LETTER = "DeadLetterQueueUrl"
    UNDELIVERED = "UndeliveredQueueUrl"


@dataclass(frozen=True, slots=True)
class _Letter:
    kind: str
    queue: Queue
    queue_url: str
    message: dict[str, Any]

    @property
    def reason(self) -> str:
        """Why it is here: the function's word, else what the parser says now."""
        said = self.message.get("MessageAttributes", {}).get("Reason", {}).get("StringValue")
        if said:
            return str(said)
        try:
            parse(self.message["Body"])
        except InvalidNotificationError as error:
            return str(error)
        if self.queue is Queue.UNDELIVERED:
            return "SNS could not deliver it to the queue"
        return "it could not be applied, 20 times; the function's log says why"

    def document(self) -> dict[str, Any]:
        """Give it as plain data."""
        sent_at = int(self.message["Attributes"]["SentTimestamp"]) / 1000
        return {
            "kind": self.kind,
            "queue": "undelivered" if self.queue is Queue.UNDELIVERED else "dead-letter",
            "message_id": self.message["MessageId"],
            "sent_at": datetime.fromtimestamp(sent_at, UTC),
            "reason": self.reason,
            "body": self.message["Body"],
        }


Kinds = Annotated[
    list[str] | None, typer.Option("--kind", help="bounces, complaints or deliveries; else all.")
]


@app.command()
def show(
    context: typer.Context,
    kind: Kinds = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each queue.")] = 20,
) -> None:
    """Show the messages, with the reason why each is there. It leaves them where they are.

    Example: `ses-suppression --env prod dead-letters show`
    """
    session: Session = context.obj
    seen: list[_Letter] = []
    try:
        for letter in _letters(session, kind, limit=limit):
            seen.append(letter)
            if session.out.as_json:
                session.out.emit(letter.document())
    finally:
        _make_visible(session, seen)
    if session.out.as_json:
        return
    session.out.table(
        ["kind", "queue", "sent", "reason"],
        [
            (one["kind"], one["queue"], one["sent_at"], one["reason"])
            for one in (letter.document() for letter in seen)
        ],
    )
    if not seen:
        session.out.say("there are no dead letters")
    elif max(Counter((one.kind, one.queue) for one in seen).values()) == limit:
        session.out.say(f"of each queue {limit} are shown; there may be more: --limit")


@app.command()
def redrive(context: typer.Context, kind: Kinds = None, apply: Apply = False) -> None:
    """Put the messages back into their queue, once the cause is mended.

    A message that is rejected comes back with its reason.

    Example: `ses-suppression --env prod dead-letters redrive --kind bounces --apply`
    """
    session: Session = context.obj
    counts: Counter[str] = Counter()
    sqs = session.client("sqs")
    for letter in _taken(session, kind, apply=apply):
        counts[letter.kind] += 1
        if apply:
            sqs.send_message(
                QueueUrl=session.stack.output(f"{letter.kind}QueueUrl"),
                MessageBody=letter.message["Body"],
            )
            _delete(session, letter)
    _tell(session, counts, "redriven", applied=apply)


@app.command()
def drop(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="The file that keeps a copy: JSON lines.")],
    kind: Kinds = None,
    apply: Apply = False,
) -> None:
    """Delete the messages, after a copy of each is in a file.

    Example: `ses-suppression --env prod dead-letters drop --to dead-letters.jsonl --apply`
    """
    session: Session = context.obj
    counts: Counter[str] = Counter()
    with appending(to) if apply else nullcontext() as append:
        for letter in _taken(session, kind, apply=apply):
            counts[letter.kind] += 1
            if append:
                append(json_line(letter.document()))
                _delete(session, letter)
    _tell(session, counts, "dropped", applied=apply)


def _taken(session: Session, kinds: list[str] | None, *, apply: bool) -> Iterator[_Letter]:
    """Give all letters; those that are not to be changed can be seen again afterwards."""
    seen: list[_Letter] = []
    try:
        for letter in _letters(session, kinds):
            if not apply:
                seen.append(letter)
            yield letter
    finally:
        _make_visible(session, seen)


def _letters(
    session: Session, kinds: list[str] | None, *, limit: int | None = None
) -> Iterator[_Letter]:
    known = [one.plural.capitalize() for one in session.stack.topics]
    wanted = list(dict.fromkeys(kind.capitalize() for kind in kinds or known))
    for kind in wanted:
        if kind not in known:
            raise typer.BadParameter(f"--kind {kind.lower()}: there are {', '.join(known).lower()}")
    for kind in wanted:
        for queue in Queue:
            url = session.stack.output(f"{kind}{queue.value}")
            yield from _received(session, kind, queue, url, limit)


def _received(
    session: Session, kind: str, queue: Queue, url: str, limit: int | None
) -> Iterator[_Letter]:
    """Receive what is in a queue now: what comes back while this runs is not taken again."""
    sqs = session.client("sqs")
    attributes = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    there = int(attributes["Attributes"]["ApproximateNumberOfMessages"])
    left = there if limit is None else min(limit, there)
    seen: set[str] = set()
    again: list[_Letter] = []
    try:
        while left > 0:
            messages = sqs.receive_message(
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
                letter = _Letter(kind, queue, url, message)
                if message["MessageId"] in seen:
                    again.append(letter)  # SQS may give one twice
                    continue
                seen.add(message["MessageId"])
                left -= 1
                yield letter
    finally:
        _make_visible(session, again)


def _make_visible(session: Session, letters: Iterable[_Letter]) -> None:
    """Let others see messages at once, and not only after a while."""
    sqs = session.client("sqs")
    for letter in letters:
        with suppress(ClientError):  # it is visible already, or gone
            sqs.change_message_visibility(
                QueueUrl=letter.queue_url,
                ReceiptHandle=letter.message["ReceiptHandle"],
                VisibilityTimeout=0,
            )


def _delete(session: Session, letter: _Letter) -> None:
    session.client("sqs").delete_message(
        QueueUrl=letter.queue_url, ReceiptHandle=letter.message["ReceiptHandle"]
    )


def _tell(session: Session, counts: Counter[str], what: str, *, applied: bool) -> None:
    if session.out.as_json:
        session.out.emit({"applied": applied, what: dict(counts)})
        return
    verb = what if applied else f"would be {what} (--apply does it)"
    session.out.say(f"{counts.total():,} messages {verb}")
    session.out.table(["kind", "messages"], counts.most_common())
