"""The ingest function against what a user would otherwise write, at a table 5 ms away."""

import io
import itertools
import os
import statistics
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics

from benchmarks import feedback, patterns
from benchmarks.measure import ROUNDS, Goal, Result, Row, in_turns, show, taken
from benchmarks.servers import ACCESS, Stub, running_stub
from lambdas.ingest import CLIENT, IngestFunction
from ses_suppression.core.notification import Bounce, Feedback
from ses_suppression.core.policy import Policy
from ses_suppression.deployment import METRIC_NAMESPACE
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore
from ses_suppression.store.items import to_item
from ses_suppression.store.protocol import chunks

DELAY_MS = 5
EVENTS = {1: 100, 10: 200, 100: 300}
BACK_END = f"a stub table on loopback that answers after {DELAY_MS} ms"
_FIRST = 10**9
OURS = "ours"


class Context:
    """As Lambda gives it."""

    aws_request_id = "request"
    function_name = "benchmark"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Give half a minute."""
        return 30_000


@contextmanager
def quiet() -> Iterator[None]:
    """Write logs and metrics as in AWS, to nobody."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        yield


def ingest_function(
    stub: Stub, kind: type[Feedback], service: str, log: "Sink | None" = None
) -> IngestFunction:
    """Build the real function, as `from_env` does."""
    metrics = Metrics(namespace=METRIC_NAMESPACE, service=service)
    metrics.set_default_dimensions(environment="bench")
    return IngestFunction(
        store=DynamoDBStore(stub.client(CLIENT), "suppressions"),
        policy=Policy(),
        account_ids=frozenset({"123456789012"}),
        reject=_fail,
        kind=kind,
        fingerprint_key="key",
        logger=Logger(service=service, stream=log or Sink()),
        metrics=metrics,
        environment="bench",
    )


class Sink(io.StringIO):
    """Takes a log, and counts its bytes."""

    bytes = 0

    def write(self, text: str) -> int:
        """Count them."""
        self.bytes += len(text.encode())
        return len(text)


def _fail(outcome: Any) -> None:
    raise RuntimeError(f"rejected: {outcome.reason}")


@dataclass
class Contestant:
    """A handler, and what it took."""

    handle: patterns.Handler
    stub: Stub
    events: int
    batch: int
    numbers: Iterator[int]
    cpu: list[float]
    counts: Mapping[str, int]

    def measure(self) -> float:
        """Handle events about new addresses; give events a second."""
        numbers = list(itertools.islice(self.numbers, self.events))
        batches = [
            feedback.sqs_event(
                [feedback.bounce(f"customer-{number}@example.com", number) for number in part],
                first=part[0],
            )
            for part in chunks(numbers, self.batch)
        ]
        self.stub.counts()
        took = taken(lambda: [self.handle(event, Context()) for event in batches])
        self.counts = self.stub.counts()
        self.cpu.append(took.cpu / self.events)
        return self.events / took.wall

    def row(self, name: str, values: tuple[float, ...]) -> Row:
        """Tell it."""
        cpu = statistics.median(self.cpu[1:])  # the first round is for warmth
        return Row(
            name=name,
            values=values,
            more={
                "CPU, µs an event": cpu * 1e6,
                "requests an event": self.counts["requests"] / self.events,
                "write units": self.counts.get("write_units", 0) / self.events,
                "read units": self.counts.get("read_half_units", 0) / 2 / self.events,
            },
        )


def limit(stub: Stub) -> patterns.Handler:
    """One boto3 `put_item` of the item that ours writes; only its key is made anew."""
    store, client = DynamoDBStore(stub.client(), "suppressions"), stub.client()
    ours = ingest_function(stub, Bounce, "limit")
    with quiet():
        ours(feedback.sqs_event([feedback.bounce("model@example.com", 0)]), Context())
    record = store.load(["model@example.com"], consistent=True, deadline=Deadline(10)).records
    item = to_item(record["model@example.com"], "0" * 32)
    numbers = itertools.count(_FIRST)

    def handler(event: Mapping[str, Any], _context: object) -> None:
        for _ in event["Records"]:
            key = {"address": {"S": f"limit-{next(numbers)}@example.com"}}
            client.put_item(TableName="suppressions", Item=item | key)

    return handler


def contestants(stub: Stub) -> dict[str, Callable[[], patterns.Handler]]:
    """Give who takes part; the first is the base."""
    resource: Any = boto3.resource("dynamodb", endpoint_url=stub.url, **ACCESS)
    table = resource.Table("suppressions")
    return {
        "(a) a `put_item` for each record": lambda: patterns.put_each(table),
        "(b) the idempotency layer of Powertools": lambda: patterns.with_idempotency(
            table, stub.client()
        ),
        "(c) a transaction with the event's id": lambda: patterns.with_event_id(stub.client()),
        "limit: one `put_item` of boto3, the same item": lambda: limit(stub),
        OURS: lambda: ingest_function(stub, Bounce, "bounces"),
    }


def compare(stub: Stub, batch: int) -> Result:
    """Measure batches of one size."""
    numbers = itertools.count()
    racing = {
        name: Contestant(make(), stub, EVENTS[batch], batch, numbers, [], {})
        for name, make in contestants(stub).items()
    }
    with quiet():
        measured = in_turns({name: one.measure for name, one in racing.items()}, rounds=ROUNDS)
    rows = {name: racing[name].row(name, values) for name, values in measured.items()}
    ours = rows[OURS]
    rows[OURS] = replace(ours, more={**ours.more, "bytes of log": log_bytes(stub)})
    return Result(
        name=f"ingest-{batch:03}",
        title=f"Ingest of bounces of new addresses, batches of {batch}",
        back_end=BACK_END,
        unit="events a second",
        rows=tuple(rows.values()),
        goals=_goals(rows, stub) if batch == max(EVENTS) else (),
    )


def _goals(rows: Mapping[str, Row], stub: Stub) -> tuple[Goal, ...]:
    first, *_, last, ours = rows.values()
    cpu = "CPU, µs an event"
    return (
        Goal(what="events a second, ours against (a)", reached=ours.against(first), goal=4.5),
        Goal(
            what="CPU an event, ours against the limit",
            reached=ours.more[cpu] / last.more[cpu],
            goal=1.35,
            at_most=True,
        ),
        Goal(
            what="requests for a new address",
            reached=ours.more["requests an event"],
            goal=1.1,
            at_most=True,
        ),
        Goal(what="writes for a repeat", reached=_writes_of_a_repeat(stub), goal=0, at_most=True),
    )


def _writes_of_a_repeat(stub: Stub) -> float:
    bodies = [feedback.bounce(f"again-{number}@example.com", number) for number in range(100)]
    event, handle = feedback.sqs_event(bodies), ingest_function(stub, Bounce, "again")
    with quiet():
        handle(event, Context())
        stub.counts()
        handle(event, Context())
    return stub.counts().get("writes", 0) / len(bodies)


def log_bytes(stub: Stub) -> float:
    """Give the bytes of log that a bounce of a new address makes, in a batch of a hundred."""
    bodies = [feedback.bounce(f"logged-{number}@example.com", number) for number in range(100)]
    metrics, log = Sink(), Sink()
    with redirect_stdout(metrics):
        # A logger keeps the stream that its name was first given.
        service = f"logged-{uuid.uuid4().hex}"
        ingest_function(stub, Bounce, service, log)(feedback.sqs_event(bodies), Context())
    return (log.bytes + metrics.bytes) / len(bodies)


def results() -> Iterator[Result]:
    """Measure each size of batch."""
    with running_stub(DELAY_MS) as stub:
        for batch in EVENTS:
            stub.empty()
            yield compare(stub, batch)


if __name__ == "__main__":
    show(results())
