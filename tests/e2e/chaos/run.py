"""One chaos run: publish, let everything fail in turn, and compare the table with the model."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.deployment import configured, deploy
from local.emulator import running_emulator
from local.mailbox_simulator import verify_identities
from local.waiting import wait_for
from ses_suppression.deadline import Deadline
from ses_suppression.evidence import Kind
from ses_suppression.ingest import apply
from ses_suppression.record import Record
from ses_suppression.store import chunks
from tests.e2e.chaos.faults import PHASES, Faults, Phase, reach_the_table_by
from tests.e2e.chaos.feedback import DELIVERIES, POLICY, Action, Feedback, Post, feedback
from tests.e2e.chaos.naive import NAIVE_ACTION, deploy_naive, wrong_states
from tests.e2e.stack import Stack
from tests.fault_proxy import FaultProxy, running_fault_proxy

KINDS = ("Bounces", "Complaints", "Deliveries")
_BATCH = 10  # SNS's own limit
_PUBLISHERS = 4
_DENIED_SECONDS = 4.0
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
        killed: functions.
        retried: messages that a function gave back.
        wrong: addresses whose verdict or evidence is not that of the model.
        lost: rejected notifications that are on no dead-letter queue, and what else is there.
        seconds: how long it took.
    """

    seed: int
    notifications: int
    published: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    retried: int = 0
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        """Whether nothing is wrong and nothing is lost."""
        return not self.wrong and not self.lost


@contextmanager
def deployed(*, naive: bool = False) -> Iterator[tuple[Stack, FaultProxy]]:
    """Deploy the unmodified stack; only how soon a message comes again is shortened.

    And few functions run at a time: to start one costs more here than what it does.

    Args:
        naive: put the naive handler in place of the functions' code.
    """
    config = configured()
    with running_emulator(config.region) as emulator:
        verify_identities(emulator, config)
        stack = Stack(emulator, config, deploy(emulator))
        for kind in KINDS:
            emulator.client("sqs").set_queue_attributes(
                QueueUrl=stack.deployment.outputs[f"{kind}QueueUrl"],
                Attributes={"VisibilityTimeout": _VISIBILITY_SECONDS},
            )
        environment = emulator.environment
        with running_fault_proxy(emulator.endpoint_url, environment=environment) as proxy:
            _run_few_at_a_time(stack)
            if naive:
                deploy_naive(stack, KINDS)
            reach_the_table_by(stack, proxy, KINDS)
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
    naive: bool = False,
    phases: Sequence[Phase] = PHASES,
    kills: bool = True,
) -> Report:
    """Publish the feedback of a seed while everything fails in turn, and look what became of it.

    Args:
        stack: the deployed stack.
        proxy: between its functions and its table.
        seed: makes the same feedback again.
        notifications: how many, each once.
        addresses: how many they are about.
        naive: the naive handler is deployed.
        phases: what fails before the table, by turns.
        kills: whether functions are killed, and the right to write is taken for a while.
    """
    chance = random.Random(seed)
    happening = feedback(chance, notifications=notifications, addresses=addresses)
    report = Report(seed=seed, notifications=notifications)
    begun = time.monotonic()
    faults = Faults(stack, proxy, random.Random(seed), phases=phases, kills=kills)
    with faults.at_work():
        everything = happening.shuffled(chance)
        half = len(everything) // 2
        report.published += _publish(stack, everything[:half])
        if kills:
            with faults.table_denied(KINDS, NAIVE_ACTION if naive else "dynamodb:PutItem"):
                _settle(_DENIED_SECONDS)
        report.published += _publish(stack, everything[half:])
        _await_drained(stack, notifications)
    # A delivery that overtook its transient bounce was not kept: now it finds it.
    report.published += _publish(stack, happening.of(DELIVERIES))
    _await_drained(stack, notifications)
    report.injected, report.killed = proxy.injected(), faults.killed
    lines = [line for kind in KINDS for line in stack.log(kind)]
    report.retried = sum(int(sum(line.get("Retried", []))) for line in lines)
    expected = happening.expected()
    report.wrong = list(
        wrong_states(stack, happening, expected) if naive else _wrong(stack, expected, addresses)
    )
    report.lost = list(_lost(stack, happening))
    report.seconds = time.monotonic() - begun
    return report


def _publish(stack: Stack, everything: Sequence[Post | Action]) -> int:
    """Publish in the given order, several at a time; do what operators do in between."""
    sns = stack.emulator.client("sns")

    def do(part: Sequence[Post | Action]) -> int:
        for kind in KINDS:
            entries = [
                {"Id": str(number), "Message": post.body}
                for number, post in enumerate(part)
                if isinstance(post, Post) and post.kind == kind
            ]
            if entries:
                answer = sns.publish_batch(
                    TopicArn=stack.deployment.outputs[f"{kind}TopicArn"],
                    PublishBatchRequestEntries=entries,
                )
                assert not answer["Failed"]
        for action in part:
            if isinstance(action, Action):
                applied = apply(
                    {action.address: [action.evidence]},
                    store=stack.store,
                    policy=POLICY,
                    deadline=Deadline(60),
                )
                assert not applied.failures
        return sum(isinstance(one, Post) for one in part)

    with ThreadPoolExecutor(_PUBLISHERS) as pool:
        return sum(pool.map(do, chunks(everything, _BATCH)))


def _settle(seconds: float) -> None:
    """Let the functions meet a fault for a while: how long is the fault's own measure."""
    time.sleep(seconds)


def _await_drained(stack: Stack, notifications: int) -> None:
    for kind in KINDS:
        wait_for(
            f"an empty queue of {kind}",
            lambda kind=kind: stack.waiting(kind) == 0,  # type: ignore[misc]
            seconds=240
            + notifications / 20,  # 20 receives of what fails, three seconds apart, and more
        )


def _wrong(stack: Stack, expected: Mapping[str, Record], addresses: int) -> Iterator[str]:
    """Name each address of which the table does not hold what the model says."""
    names = sorted({*expected, *(f"customer-{number}@example.net" for number in range(addresses))})
    found = stack.store.load(names, consistent=True, deadline=Deadline(60))
    assert not found.failures
    for name in names:
        model, record = expected.get(name, Record(address=name)), found.records[name]
        if model.suppressions != record.suppressions:
            yield f"{name}: {dict(record.suppressions)}, not {dict(model.suppressions)}"
        elif _lasting(model) != _lasting(record):
            yield f"{name}: evidence {sorted(_lasting(record) ^ _lasting(model))} differs"


def _lasting(record: Record) -> set[str]:
    """Give the evidence but the deliveries, of which those that strike nothing out are not kept."""
    return {piece.id for piece in record.evidence if piece.kind is not Kind.DELIVERY}


def _lost(stack: Stack, happening: Feedback) -> Iterator[str]:
    """Compare what is on the dead-letter queues with what was to be rejected."""
    sqs = stack.emulator.client("sqs")
    for kind in KINDS:
        url = stack.deployment.outputs[f"{kind}DeadLetterQueueUrl"]
        letters = set(_take_all(sqs, url))
        rejected = {post.body for post in happening.rejected if post.kind == kind}
        for body in rejected - letters:
            yield f"{kind}: a rejected message is not among the dead letters: {body[:80]}"
        for body in letters - rejected:
            yield f"{kind}: a dead letter that was not to be rejected: {body[:80]}"


def _take_all(sqs: Any, url: str) -> Iterator[str]:
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            yield message["Body"]
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
