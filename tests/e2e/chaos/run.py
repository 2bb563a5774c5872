"""One chaos run: publish, let everything fail in turn, and compare the table with the model."""

import json
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from local.cdk import ROOT
from local.deployment import deploy, read_config
from local.emulator import LocalError, running_emulator
from local.mailbox_simulator import verify_identities, waiting_messages
from ses_suppression.core.evidence import Evidence, Kind
from ses_suppression.core.record import Record, update
from ses_suppression.ingest import apply
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Loaded, chunks
from tests.e2e.chaos.commands import NAMES, Commands
from tests.e2e.chaos.faults import (
    PHASES,
    Faults,
    Phase,
    killed_in_mid_batch,
    reach_the_table_by,
    table_denied,
)
from tests.e2e.chaos.feedback import (
    BOUNCES,
    COMPLAINTS,
    DELIVERIES,
    KINDS,
    POLICY,
    SETTINGS,
    Action,
    Feedback,
    Post,
    feedback,
    is_import,
    reason_of,
)
from tests.e2e.project import project_with
from tests.e2e.stack import Stack
from tests.fault_proxy import FaultProxy, running_fault_proxy

_BATCH = 10  # SNS's own limit
_PUBLISHERS = 4
_VISIBILITY_SECONDS = "3"
_CONCURRENCY = 3


@dataclass(kw_only=True)
class Report:
    """What happened in a run, and what is wrong afterwards.

    Attributes:
        seed: makes the same feedback again.
        notifications: how many there were, each once.
        published: with their copies.
        injected: faults before the table, by kind.
        killed: batches whose function was killed.
        commands: what operators' commands changed while all arrived, by command.
        retried: messages that a function gave back.
        suppressed: addresses that the model holds back.
        wrong: addresses whose verdict or evidence is not that of the model, and commands that
            said what they must not.
        lost: rejected notifications that are on no dead-letter queue as often as they were
            published, with their reason; and what else is there.
    """

    seed: int
    notifications: int
    published: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    suppressed: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong and nothing is lost."""
        return not self.wrong and not self.lost

    @property
    def has_failed(self) -> bool:
        """Whether every kind of fault has struck: else it is no wonder that nothing is wrong."""
        struck = all(self.injected[kind] for kind in ("error", "latency", "reset", "response"))
        return struck and self.killed > 0 and self.suppressed > 0

    @property
    def has_raced(self) -> bool:
        """Whether every command has changed something while feedback arrived."""
        return all(self.commands[name] for name in NAMES)


def wrong_records(scan: Iterable[Loaded], expected: Mapping[str, Record]) -> Iterator[str]:
    """Name each address of which a table does not hold what the model says."""
    found: dict[str, Record] = {}
    for loaded in scan:
        assert not loaded.failures
        found.update(loaded.records)
    for name in sorted({*expected, *found}):
        nothing = Record(address=name)
        model, record = expected.get(name, nothing), found.get(name, nothing)
        if model.suppressions != record.suppressions:
            yield f"{name}: {dict(record.suppressions)}, not {dict(model.suppressions)}"
        elif _lasting(model) != _lasting(record):
            yield f"{name}: evidence {_lasting(record) ^ _lasting(model)} differs"
        elif update(record, (), POLICY):
            yield f"{name}: what follows from its evidence is not what is stored"


def _lasting(record: Record) -> set[Evidence]:
    """Give the evidence but the deliveries, of which those that void nothing are not kept."""
    return {piece for piece in record.evidence if piece.kind is not Kind.DELIVERY}


@dataclass(frozen=True, kw_only=True)
class Handler:
    """Whose code runs behind the queues, and what is to be asked of it.

    Attributes:
        rights: what it cannot do without, by kind: taken away for a while.
        reason_of: the reason with which a notification has to be rejected; None: with any or none.
        knows_operators: whether its table takes what operators do.
        has_to_drain: whether its queues have to become empty: else it is judged a minute later.
        wrong: names each address that it left wrong.
        install: puts it in place of the functions' code.
    """

    rights: Mapping[str, str]
    wrong: Callable[[Stack, Feedback, Mapping[str, Record]], Iterator[str]]
    reason_of: Callable[[Post], str] | None = None
    knows_operators: bool = True
    has_to_drain: bool = True
    install: Callable[[Stack], None] = lambda _stack: None


OURS = Handler(
    rights={
        BOUNCES: "dynamodb:PutItem",
        COMPLAINTS: "dynamodb:PutItem",
        DELIVERIES: "dynamodb:BatchGetItem",
    },
    wrong=lambda stack, _, expected: wrong_records(stack.store.scan(), expected),
    reason_of=reason_of,
)


@contextmanager
def deployed(handler: Handler = OURS) -> Iterator[tuple[Stack, FaultProxy]]:
    """Deploy the unmodified stack; only how soon a message comes again is shortened.

    And few functions run at a time: to start one costs more here than what it does.
    """
    dev = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]["dev"]
    with ExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory()))
        project = project_with(folder, dev={**dev, "feed": "configuration-set", "policy": SETTINGS})
        config = read_config(project=project)
        emulator = opened.enter_context(running_emulator(config.region))
        verify_identities(emulator, config)
        stack = Stack(emulator, config, deploy(emulator, project=project))
        for kind in KINDS:
            emulator.client("sqs").set_queue_attributes(
                QueueUrl=stack.deployment.outputs[f"{kind}QueueUrl"],
                Attributes={"VisibilityTimeout": _VISIBILITY_SECONDS},
            )
        proxy = opened.enter_context(
            running_fault_proxy(emulator.endpoint_url, environment=emulator.environment)
        )
        _run_few_at_a_time(stack)
        handler.install(stack)
        reach_the_table_by(stack, proxy)
        yield stack, proxy


def _run_few_at_a_time(stack: Stack) -> None:
    lambda_ = stack.emulator.client("lambda")
    for mapping in lambda_.list_event_source_mappings()["EventSourceMappings"]:
        lambda_.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": _CONCURRENCY}
        )


def run(
    stack: Stack,
    proxy: FaultProxy,
    *,
    seed: int,
    notifications: int,
    addresses: int,
    handler: Handler = OURS,
    phases: Sequence[Phase] = PHASES,
    kills: bool = True,
) -> Report:
    """Publish the feedback of a seed while everything fails in turn, and look what became of it.

    Args:
        stack: the deployed stack.
        proxy: between its functions and its table.
        seed: makes the same feedback again; all of it is dated before today.
        notifications: how many, each once.
        addresses: how many they are about.
        handler: what is deployed.
        phases: what fails before the table, by turns.
        kills: whether functions are killed, and rights are taken for a while.
    """
    chance = random.Random(seed)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    happening = feedback(chance, notifications=notifications, addresses=addresses, now=midnight)
    if not handler.knows_operators:
        happening = happening.without(lambda one: isinstance(one, Action))
    flood = _Flood(stack, handler, notifications)
    with TemporaryDirectory() as folder:
        commands = (
            Commands(stack, proxy, happening, midnight=midnight, folder=Path(folder))
            if handler.knows_operators
            else None
        )
        with Faults(stack, proxy, seed=seed, phases=phases, kills=kills).at_work():
            with commands.at_work() if commands else nullcontext():
                flood.publish_all(happening, chance, denied=handler.rights if kills else {})
                flood.drain()
            if commands:
                flood.publish(happening.about(commands.erased))
                flood.drain()
            # A delivery that overtook its transient bounce was not kept: now it finds it.
            flood.publish(happening.of(DELIVERIES))
            flood.drain()
        if commands:
            commands.settle()
    wrong: list[str] = []
    if commands:
        records = [one for loaded in stack.store.scan() for one in loaded.records.values()]
        wrong += [*commands.wrong, *commands.wrong_undos(records)]
        happening = happening.and_also(commands.actions(records))
    expected = happening.expected()
    lines = [line for kind in KINDS for line in stack.log(kind)]
    return Report(
        seed=seed,
        notifications=notifications,
        published=flood.copies.total(),
        injected=proxy.injected(),
        killed=killed_in_mid_batch(stack),
        commands=commands.written if commands else Counter(),
        retried=sum(int(sum(line.get("Retried", []))) for line in lines),
        suppressed=sum(bool(record.suppressions) for record in expected.values()),
        wrong=wrong + list(handler.wrong(stack, happening, expected)),
        lost=[
            *flood.undrained,
            *_lost(stack, happening, flood.copies, reason_of=handler.reason_of),
        ],
    )


@dataclass
class _Flood:
    """What is published, and waited for.

    Attributes:
        stack: whose topics and queues.
        handler: what is deployed.
        notifications: how many, each once: the more, the longer it waits.
        copies: how often each was published.
        undrained: the queues that did not become empty.
    """

    stack: Stack
    handler: Handler
    notifications: int
    copies: Counter[Post] = field(default_factory=Counter)
    undrained: list[str] = field(default_factory=list)

    def publish_all(
        self, happening: Feedback, chance: random.Random, *, denied: Mapping[str, str]
    ) -> None:
        """Publish everything but the imports; in the middle some rights are taken, by kind."""
        by_hand = happening.without(is_import).shuffled(chance)
        # Few enough that the denial ends before anything has been received twenty times.
        half, few = len(by_hand) // 2, min(len(by_hand) // 10, 500)
        self.publish(by_hand[:half])
        with table_denied(self.stack, denied):
            self.publish(by_hand[half : half + few])
        self.publish(by_hand[half + few :])

    def publish(self, everything: Sequence[Post | Action]) -> None:
        """Publish in the given order, several at a time; do what operators do in between."""
        sns = self.stack.emulator.client("sns")
        with ThreadPoolExecutor(_PUBLISHERS) as pool:
            list(pool.map(partial(self._do, sns), chunks(everything, _BATCH)))
        self.copies.update(one for one in everything if isinstance(one, Post))

    def _do(self, sns: Any, part: Sequence[Post | Action]) -> None:
        for kind in KINDS:
            entries = [
                {"Id": str(number), "Message": post.body}
                for number, post in enumerate(part)
                if isinstance(post, Post) and post.kind == kind
            ]
            if entries:
                answer = sns.publish_batch(
                    TopicArn=self.stack.deployment.outputs[f"{kind}TopicArn"],
                    PublishBatchRequestEntries=entries,
                )
                assert not answer["Failed"]
        for action in part:
            if isinstance(action, Action):
                applied = apply(
                    {action.address: [action.evidence]},
                    store=self.stack.store,
                    policy=POLICY,
                    deadline=Deadline(60),
                )
                assert not applied.failures

    def drain(self) -> None:
        """Wait until the queues are empty; note one that is not, of a handler that need not."""
        # Twenty receives of what fails, three seconds apart, and more.
        seconds = 240 + self.notifications / 20 if self.handler.has_to_drain else 60
        for kind in KINDS:
            try:
                self.stack.await_drained(kind, seconds=seconds)
            except LocalError as error:
                if self.handler.has_to_drain:
                    raise
                self.undrained.append(f"{kind}: {error}")


def _lost(
    stack: Stack,
    happening: Feedback,
    copies: Counter[Post],
    *,
    reason_of: Callable[[Post], str] | None,
) -> Iterator[str]:
    letters: Counter[tuple[Post, str]] = Counter()
    for kind in KINDS:
        undelivered = stack.deployment.outputs[f"{kind}UndeliveredQueueUrl"]
        if waiting_messages(stack.emulator, undelivered):
            yield f"{kind}: SNS could not deliver"
        url = stack.deployment.outputs[f"{kind}DeadLetterQueueUrl"]
        for letter in _take_all(stack.emulator.client("sqs"), url):
            reason = letter.get("MessageAttributes", {}).get("Reason", {}).get("StringValue", "")
            letters[Post(kind, letter["Body"]), reason] += 1
    yield from wrong_letters(letters, happening.rejected, copies, reason_of=reason_of)


def wrong_letters(
    letters: Mapping[tuple[Post, str], int],
    rejected: Collection[Post],
    copies: Mapping[Post, int],
    *,
    reason_of: Callable[[Post], str] | None,
) -> Iterator[str]:
    """Name each notification of which there are too few dead letters, or any wrong one.

    There may be more than were published: a function that is killed puts one there again.

    Args:
        letters: how many, by notification and reason.
        rejected: what was to be rejected.
        copies: how often each was published.
        reason_of: why; None: for any reason, or none.
    """
    found: Counter[Post] = Counter()
    for (post, reason), number in letters.items():
        found[post] += number
        if post not in rejected:
            yield f"a dead letter that was not to be rejected, {reason!r}: {post}"
        elif reason_of and reason != reason_of(post):
            yield f"a dead letter because {reason!r}, not {reason_of(post)!r}: {post}"
    for post in rejected:
        if found[post] < copies[post]:
            yield f"{found[post]} dead letters, {copies[post]} were published: {post}"


def _take_all(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            yield message
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
