"""Parsing and deciding, against a bare `json.loads` and against pydantic models of the same fields.

And a batch of deliveries, of which nearly all concern addresses that nothing is known about. CPU
time, so nobody who answers is waited for.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from json import loads
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from benchmarks import feedback
from benchmarks.ingest import Context, ingest_function, quiet
from benchmarks.measure import Goal, Result, Row, cpu_seconds, in_turns, show, taken
from benchmarks.servers import Stub, running_stub
from ses_suppression.core.evidence import attribute
from ses_suppression.core.notification import Bounce, Delivery, NotFeedback, parse
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update

NOW = datetime(2026, 11, 24, tzinfo=UTC)
POLICY = Policy(stream_tag="stream")
CALLS = 2_000
DELIVERIES = 1_000
WHOLE, ONE_BY_ONE = "ours, the whole function, one batch", "ours, one at a time"
KNOWN = 100  # one in so many concerns an address with transient bounces


class Recipient(BaseModel):
    """A bounced recipient."""

    emailAddress: str
    action: str | None = None
    status: str | None = None
    diagnosticCode: str | None = None


class BounceModel(BaseModel):
    """The bounce of a notification."""

    bounceType: str
    bounceSubType: str
    bouncedRecipients: list[Recipient]
    timestamp: AwareDatetime
    feedbackId: str


class DeliveryModel(BaseModel):
    """The delivery of a notification."""

    timestamp: AwareDatetime
    recipients: list[str]


class MailModel(BaseModel):
    """The mail that a notification is about."""

    timestamp: AwareDatetime
    sourceArn: str
    sendingAccountId: str
    messageId: str
    destination: list[str]
    tags: dict[str, list[str]] = Field(default_factory=dict)


class Notification(BaseModel):
    """What we read of a notification."""

    notificationType: str | None = None
    eventType: str | None = None
    bounce: BounceModel | None = None
    delivery: DeliveryModel | None = None
    mail: MailModel


def decide_on(body: str) -> None:
    """Do what an ingest function does with a message, but for the table."""
    notification = parse(body)
    if isinstance(notification, NotFeedback):
        raise RuntimeError(notification.what)  # noqa: TRY004  # it is feedback
    attribution = attribute(notification, received_at=NOW, stream_tag=POLICY.stream_tag)
    for address, evidence in attribution.evidence:
        update(Record(address=address), [evidence], POLICY)


def compare(name: str, title: str, body: str) -> Result:
    """Compare what can be done with one body."""
    runs: dict[str, Callable[[], object]] = {
        "limit: `json.loads`": lambda: loads(body),
        "pydantic models of the same fields": lambda: Notification.model_validate_json(body),
        "ours, `parse` alone": lambda: parse(body),
        "ours, parse and decide": lambda: decide_on(body),
    }
    measured = in_turns(
        {
            what: (lambda run=run: cpu_seconds(run, number=CALLS) * 1e6)  # type: ignore[misc]
            for what, run in runs.items()
        },
        rounds=15,
    )
    rows = tuple(Row(name=what, values=values) for what, values in measured.items())
    goals = (
        Goal(
            what="parse and decide against `json.loads`",
            reached=rows[-1].against(rows[0]),
            goal=6,
            at_most=True,
        ),
    )
    return Result(
        name=name,
        title=f"{title}, {len(body):,} bytes",
        back_end="none",
        unit="µs of CPU",
        rows=rows,
        goals=goals,
    )


def deliveries(stub: Stub, *, event: bool) -> Result:
    """Compare a batch of deliveries with what its parsing alone takes."""
    handle = ingest_function(stub, Delivery, "deliveries")
    bounces = ingest_function(stub, Bounce, "transient")
    known = [f"known-{number}@example.com" for number in range(DELIVERIES // KNOWN)]
    bodies = [
        feedback.delivery(
            known[number // KNOWN] if number % KNOWN == 0 else f"customer-{number}@example.com",
            number,
            event=event,
        )
        for number in range(DELIVERIES)
    ]
    at_once = [feedback.sqs_event(bodies)]
    one_by_one = [feedback.sqs_event([body], first=number) for number, body in enumerate(bodies)]

    def transient() -> None:
        """Give the known addresses a transient bounce again: each delivery voids one."""
        stub.empty()
        made = [feedback.transient(address, number) for number, address in enumerate(known)]
        bounces(feedback.sqs_event(made), Context())

    def ours(what: str, events: list[dict[str, Any]]) -> float:
        transient()
        stub.counts()
        took = taken(lambda: [handle(one, Context()) for one in events])
        counts[what] = stub.counts()
        return took.cpu / DELIVERIES * 1e6

    counts: dict[str, dict[str, int]] = {}
    runs: dict[str, Callable[[], float]] = {
        "`json.loads` of each": lambda: (
            cpu_seconds(_all(loads, bodies), number=1) / DELIVERIES * 1e6
        ),
        "limit: `parse` of each": lambda: (
            cpu_seconds(_all(parse, bodies), number=1) / DELIVERIES * 1e6
        ),
        WHOLE: lambda: ours(WHOLE, at_once),
        ONE_BY_ONE: lambda: ours(ONE_BY_ONE, one_by_one),
    }
    with quiet():
        measured = in_turns(runs)
    rows = {
        what: Row(name=what, values=values, more=_requests(counts.get(what)))
        for what, values in measured.items()
    }
    return Result(
        name=f"deliveries-{'event' if event else 'identity'}",
        title=(
            f"{DELIVERIES:,} deliveries, one in {KNOWN} of an address with a transient bounce, "
            f"{len(bodies[-1]):,} bytes each"
        ),
        back_end="a stub table on loopback that answers at once",
        unit="µs of CPU a delivery",
        rows=tuple(rows.values()),
        goals=(
            Goal(
                what="a delivery, its share of the look-up included, against `json.loads`",
                reached=rows[WHOLE].against(next(iter(rows.values()))),
                goal=3,
                at_most=True,
            ),
        ),
    )


def _requests(counts: dict[str, int] | None) -> dict[str, float]:
    if not counts:
        return {}
    return {
        "requests a delivery": counts["requests"] / DELIVERIES,
        "read units": counts["read_half_units"] / 2 / DELIVERIES,
        "write units": counts["write_units"] / DELIVERIES,
    }


def _all(function: Callable[[str], Any], bodies: list[str]) -> Callable[[], None]:
    def run() -> None:
        for body in bodies:
            function(body)

    return run


def results() -> Iterator[Result]:
    """Measure an identity's notification, an event with headers and tags, and deliveries."""
    jane = "jane@example.com"
    yield compare("parse-identity", "A bounce of an identity", feedback.bounce(jane, 1))
    yield compare(
        "parse-event",
        "A bounce of a configuration set, with headers and tags",
        feedback.bounce(jane, 1, event=True),
    )
    with running_stub(0) as stub:
        yield deliveries(stub, event=False)
        yield deliveries(stub, event=True)


if __name__ == "__main__":
    show(results())
