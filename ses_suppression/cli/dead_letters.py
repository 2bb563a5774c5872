"""Messages that could not be used: why, and what becomes of them."""

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from ses_suppression.cli.files import appending
from ses_suppression.cli.output import json_line
from ses_suppression.cli.parameters import Apply
from ses_suppression.cli.session import Session
from ses_suppression.deployment import NotificationType
from ses_suppression.operations.dead_letters import DeadLetter, DeadLetters

app = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    help="Messages that could not be used: why, and what becomes of them.",
)

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
    seen: list[dict[str, Any]] = []
    for letter in _open(session).receive(_read_kinds(session, kind), limit=limit):
        seen.append(_document(letter))
        if session.out.as_json:
            session.out.emit(seen[-1])
    if session.out.as_json:
        return
    rows = [(one["kind"], one["queue"], one["sent_at"], one["reason"]) for one in seen]
    session.out.table(["kind", "queue", "sent", "reason"], rows)
    if not seen:
        session.out.say("there are no dead letters")
    elif max(Counter(row[:2] for row in rows).values()) == limit:
        session.out.say(f"of each queue {limit} are shown; there may be more: --limit")


@app.command()
def redrive(context: typer.Context, kind: Kinds = None, apply: Apply = False) -> None:
    """Put the messages back into their queue, once the cause is fixed.

    A message that is rejected comes back with its reason.

    Example: `ses-suppression --env prod dead-letters redrive --kind bounces --apply`
    """
    session: Session = context.obj
    letters, counts = _open(session), Counter[str]()
    for letter in letters.receive(_read_kinds(session, kind)):
        counts[_kind(letter.notification_type)] += 1
        if apply:
            letters.redrive(letter)
    _say(session, counts, "redriven", applied=apply)


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
    letters, counts = _open(session), Counter[str]()
    with appending(to) if apply else nullcontext() as append:
        for letter in letters.receive(_read_kinds(session, kind)):
            counts[_kind(letter.notification_type)] += 1
            if append:
                append(json_line(_document(letter)))
                letters.delete(letter)
    _say(session, counts, "dropped", applied=apply)


def _open(session: Session) -> DeadLetters:
    return DeadLetters(session.client("sqs"), session.stack)


def _read_kinds(session: Session, kinds: list[str] | None) -> list[NotificationType]:
    known = {one.plural: one for one in session.stack.topics}
    for kind in kinds or ():
        if kind.lower() not in known:
            raise typer.BadParameter(f"--kind {kind.lower()}: there are {', '.join(known)}")
    return [known[kind] for kind in dict.fromkeys(kind.lower() for kind in kinds or known)]


def _kind(notification_type: NotificationType) -> str:
    return notification_type.plural.capitalize()


def _document(letter: DeadLetter) -> dict[str, Any]:
    return {
        "kind": _kind(letter.notification_type),
        "queue": letter.queue,
        "message_id": letter.message["MessageId"],
        "sent_at": letter.sent_at,
        "reason": letter.reason,
        "body": letter.body,
    }


def _say(session: Session, counts: Counter[str], what: str, *, applied: bool) -> None:
    if session.out.as_json:
        session.out.emit({"applied": applied, what: dict(counts)})
        return
    verb = what if applied else f"would be {what} (--apply does it)"
    session.out.say(f"{counts.total():,} messages {verb}")
    session.out.table(["kind", "messages"], counts.most_common())
