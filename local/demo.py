"""The demonstration: from `cdk deploy` to a mail that is held back."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from local.cdk import Deployment
from local.deployment import deploy, read_config
from local.emulator import Emulator, running_emulator
from local.mailbox_simulator import (
    SIMULATOR,
    automatic_reply,
    publish,
    send_mail,
    sender_of,
    verify_identities,
    waiting_messages,
)
from local.waiting import wait_for
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.classification import rule_of
from ses_suppression.core.record import Record
from ses_suppression.core.rules import Rule
from ses_suppression.core.suppression import Suppression
from ses_suppression.deployment import ChannelOutput, NotificationType
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore

_VERDICT_SECONDS = 30.0

_HAPPENED = {
    Rule.HARD_BOUNCE: "bounced: no such mailbox",
    Rule.SES_LIST: "not sent: on SES's own suppression list",
    Rule.COMPLAINT: "delivered, then marked as spam",
    Rule.AUTOMATIC_REPLY: "delivered; an automatic reply came back",
}


_DELIVERED = f"success@{SIMULATOR}"  # a delivery alone is not worth a write
_NAMES = ("bounce", "bounce+label", "suppressionlist", "complaint", "ooto")
_RECIPIENTS = (_DELIVERED, *(f"{name}@{SIMULATOR}" for name in _NAMES))


@dataclass(frozen=True, slots=True)
class _Seen:
    recipient: str
    happened: str
    seconds: float


def run_demo(console: Console) -> None:
    """Start, deploy, send, show, and stop everything again.

    Raises:
        LocalError: a step failed.
    """
    config = read_config()
    sender = sender_of(config)
    names = ", ".join(identity.name for identity in config.identities)
    with ExitStack() as running:
        with _step(console, "start an AWS emulator on loopback, IAM evaluated, TLS on"):
            emulator = running.enter_context(running_emulator(config.region))
        with _step(console, f"verify {names}, cdk deploy"):
            verify_identities(emulator, config)
            deployment = deploy(emulator)
        with _step(console, "mail the mailbox simulator, wait for the verdicts"):
            seen = _send_and_wait(emulator, sender, deployment)
        suppressions = SuppressionList(_store(emulator, deployment))
        verdicts = {recipient: suppressions.check(recipient) for recipient in _RECIPIENTS}
        console.print(_show_feedback(seen, verdicts))
        console.print(_send_again(emulator, sender, verdicts))
    console.print("Everything that was started is stopped again.")


@contextmanager
def _step(console: Console, what: str) -> Iterator[None]:
    begun = time.monotonic()
    with console.status(f"{what} …"):
        yield
    console.print(f"[green]✓[/green] {what} [dim]({time.monotonic() - begun:.1f} s)[/dim]")


def _store(emulator: Emulator, deployment: Deployment) -> DynamoDBStore:
    return DynamoDBStore.of_table(
        deployment.table_name,
        lambda region: emulator.client("dynamodb", region_name=region or emulator.region),
    )


def _send_and_wait(emulator: Emulator, sender: str, deployment: Deployment) -> list[_Seen]:
    sent: dict[str, float] = {}
    for recipient in _RECIPIENTS:
        sent[recipient] = time.monotonic()
        message_id = send_mail(emulator, sender, recipient)
        if recipient.startswith("ooto@"):
            reply = automatic_reply(recipient, message_id)
            publish(emulator, deployment, NotificationType.BOUNCE, reply)
    store = _store(emulator, deployment)
    seen: dict[str, _Seen] = {}

    def see(recipient: str, happened: str) -> None:
        if recipient not in seen:
            seen[recipient] = _Seen(recipient, happened, time.monotonic() - sent[recipient])

    def all_seen() -> bool:
        loaded = store.load(list(sent), consistent=True, deadline=Deadline(_VERDICT_SECONDS))
        for recipient, record in loaded.records.items():
            if record.evidence:
                see(recipient, _describe(record))
        return seen.keys() >= sent.keys() - {_DELIVERED}

    wait_for("the verdicts", all_seen, seconds=_VERDICT_SECONDS)
    queue = deployment.outputs[ChannelOutput.QUEUE_URL.of(NotificationType.DELIVERY)]
    wait_for(
        "the deliveries to be taken",
        lambda: waiting_messages(emulator, queue) == 0,
        seconds=_VERDICT_SECONDS,
    )
    see(_DELIVERED, "delivered: nothing to remember")
    return [seen[recipient] for recipient in _RECIPIENTS]


def _describe(record: Record) -> str:
    rule = rule_of(record.evidence[-1])
    return _HAPPENED.get(rule, rule.value)


def _show_feedback(seen: list[_Seen], verdicts: dict[str, Suppression | None]) -> Table:
    table = Table(title="What happened, and the verdict", title_justify="left")
    table.add_column("address", no_wrap=True)
    table.add_column("what happened")
    table.add_column("verdict")
    table.add_column("took", justify="right", no_wrap=True)
    for row in seen:
        table.add_row(
            row.recipient,
            row.happened,
            _describe_verdict(verdicts[row.recipient]),
            f"{row.seconds:.1f} s",
        )
    return table


def _describe_verdict(suppression: Suppression | None) -> str:
    if suppression is None:
        return "[green]may be mailed[/green]"
    until = f"until {suppression.until:%d %b %H:%M} UTC" if suppression.until else "without end"
    return f"[red]suppressed: {suppression.reason}[/red], {until}"


def _send_again(emulator: Emulator, sender: str, verdicts: dict[str, Suppression | None]) -> Table:
    table = Table(title="A second send, asking first", title_justify="left")
    table.add_column("address", no_wrap=True)
    table.add_column("the app")
    for recipient, suppression in verdicts.items():
        if suppression is None:
            send_mail(emulator, sender, recipient)
            table.add_row(recipient, "[green]sent[/green]")
        else:
            table.add_row(recipient, f"[red]held back[/red]: {suppression.reason}")
    return table
