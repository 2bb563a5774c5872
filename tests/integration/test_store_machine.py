"""Store and ingest as a machine: whatever happens to it, the table holds the fold of all events.

Not among the events: deliveries, of which those that strike nothing out are not kept
(`docs/architecture.md`); the chaos run has them.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from moto import mock_aws

from ses_suppression.core.actions import reactivate, suppress, void
from ses_suppression.core.evidence import Evidence, attribute
from ses_suppression.core.notification import Bounce, Complaint, parse
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.ingest import Message, Status, apply, ingest
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore
from tests.builders import bounce_notification, complaint_notification
from tests.integration.servers import ACCESS
from tests.integration.tables import TABLE_NAME, create_table

POLICY = Policy()
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a smaller example takes minutes
ADDRESSES = ("a@example.com", "b@example.com")
KINDS: dict[str, Callable[..., str]] = {
    "hard": lambda address, **more: bounce_notification(
        address, status="5.1.1", action="failed", **more
    ),
    "block": lambda address, **more: bounce_notification(
        address, status="5.7.1", action="failed", **more
    ),
    "transient": lambda address, **more: bounce_notification(
        address, bounce_type="Transient", sub_type="MailboxFull", status="4.2.2", **more
    ),
    "complaint": lambda address, **more: complaint_notification(
        address, complaintFeedbackType="abuse", **more
    ),
}


def of_both(kind: str, **more: Any) -> str:
    """Make one message about both addresses."""
    document = json.loads(KINDS[kind](ADDRESSES[0], **more))
    (recipients,) = (
        document[part][name]
        for part, name in (("bounce", "bouncedRecipients"), ("complaint", "complainedRecipients"))
        if part in document
    )
    recipients.append({**recipients[0], "emailAddress": ADDRESSES[1]})
    document["mail"]["destination"] = list(ADDRESSES)
    return json.dumps(document)


class FaultyClient:
    """A DynamoDB client of which one call fails, or one write meets another writer."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._before: Callable[[], None] | None = None
        self._after: Callable[[], None] | None = None
        self._address: str | None = None
        self._read: Callable[[Mapping[str, Any]], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    @contextmanager
    def fault(
        self,
        *,
        before: Callable[[], None] | None = None,
        after: Callable[[], None] | None = None,
        address: str | None = None,
    ) -> Iterator[None]:
        """Let something happen before or after the next write, if there is one.

        Args:
            before, after: what happens.
            address: only to a write of this one.
        """
        self._before, self._after, self._address = before, after, address
        try:
            yield
        finally:
            self._before = self._after = None

    @contextmanager
    def next_read(self, answer: Callable[[Mapping[str, Any]], Any]) -> Iterator[None]:
        """Answer the next read so."""
        self._read = answer
        yield
        assert self._read is None, "nothing was read"

    def batch_get_item(self, **arguments: Any) -> Any:
        answer, self._read = self._read, None
        return answer(arguments) if answer else self._client.batch_get_item(**arguments)

    @property
    def is_armed(self) -> bool:
        """Whether nothing has been written since."""
        return bool(self._before or self._after)

    def put_item(self, **arguments: Any) -> Any:
        if self._address not in {None, arguments["Item"]["address"]["S"]}:
            return self._client.put_item(**arguments)
        before, after = self._before, self._after
        self._before = self._after = None
        if before:
            before()
        answer = self._client.put_item(**arguments)
        if after:
            after()
        return answer


def _throttled(_request: object = None) -> None:
    raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")


def _unprocessed(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}


def _answer_lost() -> None:
    raise ReadTimeoutError(endpoint_url="https://dynamodb")


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._aws = mock_aws()
        self._aws.start()
        table = boto3.client("dynamodb", **ACCESS)
        create_table(table, TABLE_NAME)
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self.client = FaultyClient(table)
        self.store = DynamoDBStore(self.client, TABLE_NAME, clock=lambda: self.now)  # type: ignore[arg-type]
        self.other = DynamoDBStore(table, TABLE_NAME, clock=lambda: self.now)
        self.known: dict[str, list[Evidence]] = {address: [] for address in ADDRESSES}
        self.sent: list[str] = []
        self.numbers = itertools.count()

    def teardown(self) -> None:
        self._aws.stop()

    # What the table has to hold.

    def expected(self, address: str) -> Record:
        record = Record(address=address)
        record = update(record, self.known[address], POLICY) or record
        expired = record.expires_at is not None and record.expires_at <= self.now.timestamp()
        return Record(address=address) if expired else record

    def learn(self, address: str, evidence: Evidence) -> None:
        """Take evidence as known; a record that has expired begins anew."""
        if not self.expected(address).evidence:
            self.known[address] = []
        self.known[address].append(evidence)

    def learn_message(self, body: str) -> None:
        for address, evidence in self.evidence_of(body):
            self.learn(address, evidence)

    # What happens.

    def message(self, kind: str, address: str | None, hours_ago: int) -> str:
        """Make a message that nobody has seen; about both addresses if none is given."""
        number = next(self.numbers)
        identifiers: dict[str, Any] = {
            "at": self.now - timedelta(hours=hours_ago),
            "feedback_id": f"feedback-{number}",
            "mail_id": f"mail-{number}",
        }
        body = KINDS[kind](address, **identifiers) if address else of_both(kind, **identifiers)
        self.sent.append(body)
        return body

    def ingest(self, store: DynamoDBStore, *bodies: str) -> list[Status]:
        messages = [
            Message(id=str(number), body=body, received_at=self.now)
            for number, body in enumerate(bodies)
        ]
        outcomes = ingest(messages, store=store, policy=POLICY, deadline=Deadline(30))
        return [outcome.status for outcome in outcomes]

    kinds = st.sampled_from(sorted(KINDS))
    addresses = st.sampled_from(ADDRESSES)
    hours = st.integers(0, 24 * 60)

    @rule(kind=kinds, address=addresses | st.none(), hours_ago=hours)
    def deliver(self, kind: str, address: str | None, hours_ago: int) -> None:
        body = self.message(kind, address, hours_ago)
        assert self.ingest(self.store, body) == [Status.APPLIED]
        self.learn_message(body)

    @rule(data=st.data(), number=st.integers(1, 5))
    @precondition(lambda self: self.sent)
    def redeliver_some_in_any_order_and_number(self, data: st.DataObject, number: int) -> None:
        bodies = [data.draw(st.sampled_from(self.sent)) for _ in range(number)]
        assert set(self.ingest(self.store, *bodies)) == {Status.APPLIED}
        before = {address: self.expected(address).evidence for address in ADDRESSES}
        for address in ADDRESSES:
            if not before[address]:
                self.known[address] = []
        for body in bodies:
            for address, evidence in self.evidence_of(body):
                self.known[address].append(evidence)

    def evidence_of(self, body: str) -> tuple[tuple[str, Evidence], ...]:
        notification = parse(body)
        assert isinstance(notification, Bounce | Complaint)
        return attribute(notification, received_at=self.now, stream_tag=None).evidence

    @rule(kind=kinds, address=addresses, hours_ago=hours)
    def fail_before_the_write(self, kind: str, address: str, hours_ago: int) -> None:
        body = self.message(kind, address, hours_ago)
        with self.client.fault(before=_throttled):
            (status,) = self.ingest(self.store, body)
            wrote = not self.client.is_armed
        assert status is (Status.RETRIED if wrote else Status.APPLIED)
        if not wrote:  # it changes nothing
            self.learn_message(body)

    @rule(kind=kinds, address=addresses, hours_ago=hours)
    def lose_the_answer_after_the_write(self, kind: str, address: str, hours_ago: int) -> None:
        body = self.message(kind, address, hours_ago)
        with self.client.fault(after=_answer_lost):
            (status,) = self.ingest(self.store, body)
            wrote = not self.client.is_armed
        assert status is (Status.RETRIED if wrote else Status.APPLIED)
        self.learn_message(body)

    @rule(kind=kinds, failing=addresses, hours_ago=hours)
    def fail_one_write_of_a_message_about_both(
        self, kind: str, failing: str, hours_ago: int
    ) -> None:
        body = self.message(kind, None, hours_ago)
        with self.client.fault(before=_throttled, address=failing):
            (status,) = self.ingest(self.store, body)
            wrote = not self.client.is_armed
        assert status is (Status.RETRIED if wrote else Status.APPLIED)
        for address, evidence in self.evidence_of(body):
            if address != failing or not wrote:
                self.learn(address, evidence)

    @rule(kind=kinds, address=addresses | st.none(), hours_ago=hours)
    def fail_the_read(self, kind: str, address: str | None, hours_ago: int) -> None:
        body = self.message(kind, address, hours_ago)
        with self.client.next_read(_throttled):
            assert self.ingest(self.store, body) == [Status.RETRIED]

    @rule(kind=kinds, address=addresses | st.none(), hours_ago=hours)
    def leave_keys_unprocessed(self, kind: str, address: str | None, hours_ago: int) -> None:
        body = self.message(kind, address, hours_ago)
        with self.client.next_read(_unprocessed):
            assert self.ingest(self.store, body) == [Status.APPLIED]
        self.learn_message(body)

    @rule(kind=kinds, address=addresses, hours_ago=hours, is_lifted=st.booleans())
    def race_a_person(self, kind: str, address: str, hours_ago: int, *, is_lifted: bool) -> None:
        body = self.message(kind, address, hours_ago)
        who: dict[str, Any] = {"by": "ann", "note": "in between", "at": self.now}
        evidence = reactivate(**who, consent=True) if is_lifted else suppress(**who)
        with self.client.fault(before=lambda: self.apply(self.other, address, evidence)):
            assert self.ingest(self.store, body) == [Status.APPLIED]
            raced = not self.client.is_armed
        if raced:
            self.learn(address, evidence)
        self.learn_message(body)

    @rule(kind=kinds, address=addresses, hours_ago=hours)
    def race_an_erasure(self, kind: str, address: str, hours_ago: int) -> None:
        body = self.message(kind, address, hours_ago)
        with self.client.fault(before=lambda: self.other.erase(address)):
            assert self.ingest(self.store, body) == [Status.APPLIED]
            raced = not self.client.is_armed
        if raced:
            self.known[address] = []
        self.learn_message(body)

    @rule(kind=kinds, address=addresses, hours_ago=hours, days=st.integers(1, 500))
    def expire_between_read_and_write(
        self, kind: str, address: str, hours_ago: int, days: int
    ) -> None:
        body = self.message(kind, address, hours_ago)
        learned = self.evidence_of(body)
        known = list(self.expected(address).evidence) and self.known[address]
        with self.client.fault(before=lambda: self.time_passes(days)):
            assert self.ingest(self.store, body) == [Status.APPLIED]
        self.known[address] = [*known, *(evidence for _, evidence in learned)]

    @rule(kind=kinds, other_kind=kinds, address=addresses, hours_ago=hours)
    def race_two_writers(self, kind: str, other_kind: str, address: str, hours_ago: int) -> None:
        body = self.message(kind, address, hours_ago)
        others = self.message(other_kind, address, hours_ago)
        with self.client.fault(before=lambda: self.assert_applied_by_the_other(others)):
            assert self.ingest(self.store, body) == [Status.APPLIED]
            raced = not self.client.is_armed
        if raced:
            self.learn_message(others)
        self.learn_message(body)

    def assert_applied_by_the_other(self, body: str) -> None:
        assert self.ingest(self.other, body) == [Status.APPLIED]

    @rule(address=addresses, hours_ago=hours)
    def reactivate(self, address: str, hours_ago: int) -> None:
        at = self.now - timedelta(hours=hours_ago)
        self.act(address, reactivate(consent=True, by="ann", note="agreed", at=at))

    @rule(address=addresses, days=st.integers(1, 30) | st.none())
    def suppress(self, address: str, days: int | None) -> None:
        until = self.now + timedelta(days=days) if days else None
        self.act(address, suppress(by="ann", note="asked", at=self.now, until=until))

    @rule(data=st.data(), address=addresses)
    @precondition(lambda self: any(self.known.values()))
    def void(self, data: st.DataObject, address: str) -> None:
        ids = [piece.id for piece in self.known[address]] or ["feedback-0"]
        voided = data.draw(st.sampled_from(ids))
        evidence = void(evidence_id=voided, undo="u", by="ann", note="incident", at=self.now)
        self.act(address, evidence)

    def act(self, address: str, evidence: Evidence) -> None:
        self.apply(self.store, address, evidence)
        self.learn(address, evidence)

    def apply(self, store: DynamoDBStore, address: str, evidence: Evidence) -> None:
        applied = apply({address: [evidence]}, store=store, policy=POLICY, deadline=Deadline(30))
        assert applied.failures == {}

    @rule(address=addresses)
    def erase(self, address: str) -> None:
        self.store.erase(address)
        self.known[address] = []

    @rule(days=st.integers(1, 500))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def the_table_is_the_fold_of_all_events(self) -> None:
        loaded = self.store.load(ADDRESSES, consistent=True, deadline=Deadline(30))
        for address in ADDRESSES:
            record, model = loaded.records[address], self.expected(address)
            assert record.evidence == model.evidence
            assert record.suppressions == model.suppressions
            assert record.expires_at == model.expires_at


def _settings(examples: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=20, deadline=None, phases=PHASES)


def test_the_table_is_the_fold_of_all_events_whatever_happens() -> None:
    run_state_machine_as_test(StoreMachine, settings=_settings(8))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_table_is_the_fold_of_all_events_whatever_happens_300_times() -> None:
    run_state_machine_as_test(StoreMachine, settings=_settings(300))
