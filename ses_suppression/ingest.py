"""From messages to verdicts: what the Lambda functions do with a batch, and what a replay does.

It works per address, over the whole batch: ten bounces of one address are one read and one write.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import UnionType

from ses_suppression.core.address import domain_of
from ses_suppression.core.classification import rule_of
from ses_suppression.core.evidence import Attribution, Evidence, Kind, attribute
from ses_suppression.core.notification import Bounce, Feedback, NotFeedback, parse
from ses_suppression.core.policy import Policy
from ses_suppression.core.providers import provider_of
from ses_suppression.core.record import Record, refusal, update
from ses_suppression.core.rules import Rule
from ses_suppression.errors import (
    ConflictError,
    InvalidNotificationError,
    SESSuppressionError,
    StoreUnavailableError,
)
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Store


@dataclass(slots=True, kw_only=True)
class Message:
    """One message. `received_at` is when the queue got it, UTC: never this machine's clock."""

    id: str
    body: str
    received_at: datetime


class Status(StrEnum):
    """The four ways in which a message ends. None of them loses it."""

    APPLIED = "applied"
    ACKNOWLEDGED = "acknowledged"
    RETRIED = "retried"
    REJECTED = "rejected"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How a message ended.

    Attributes:
        message: the message.
        status: applied; acknowledged (it says nothing about an address); to be retried; or
            rejected.
        reason: why, for all but applied; without an address in it.
        rules: the rules that its evidence met, by address, each once.
        providers: the receiving provider of each of `rules`, in their order.
        unattributed: how many recipients could not be attributed to a destination of the mail.
    """

    message: Message
    status: Status
    reason: str = ""
    rules: tuple[tuple[str, Rule], ...] = ()
    providers: tuple[str, ...] = ()
    unattributed: int = 0


@dataclass(slots=True, kw_only=True)
class _Read:
    message: Message
    attribution: Attribution
    acknowledged_as: str = ""
    reporting_mta: str | None = None


def ingest(
    messages: Iterable[Message],
    *,
    store: Store,
    policy: Policy,
    deadline: Deadline,
    account_ids: frozenset[str] = frozenset(),
    kind: type[Feedback] | UnionType | None = None,
) -> list[Outcome]:
    """Apply a batch of messages to the store.

    Args:
        messages: in any order, with any repetition.
        store: where the records are.
        policy: the thresholds of the verdict.
        deadline: after it nothing new is begun; what is not done by then is to be retried.
        account_ids: the sending accounts whose feedback is taken; empty: every account's.
        kind: the kinds of feedback that are taken, such as `Complaint | Subscription`; None: every
            kind.

    Returns:
        One outcome for each message, in their order.
    """
    reads = [_read(message, policy, account_ids, kind) for message in messages]
    new: defaultdict[str, list[Evidence]] = defaultdict(list)
    for read in reads:
        for address, evidence in read.attribution.evidence:
            new[address].append(evidence)
    applied = apply(new, store=store, policy=policy, deadline=deadline)
    return [_outcome(read, applied.failures) for read in reads]


def _read(
    message: Message,
    policy: Policy,
    account_ids: frozenset[str],
    kind: type[Feedback] | UnionType | None,
) -> _Read:
    try:
        notification = parse(message.body)
        if isinstance(notification, NotFeedback):
            return _Read(
                message=message,
                attribution=Attribution(evidence=()),
                acknowledged_as=notification.what,
            )
        _check_account(notification, account_ids)
        _check_kind(notification, kind)
        attribution = attribute(
            notification, received_at=message.received_at, stream_tag=policy.stream_tag
        )
    except InvalidNotificationError as error:
        return _Read(message=message, attribution=Attribution(evidence=(), broken=(error,)))
    return _Read(
        message=message,
        attribution=attribution,
        acknowledged_as="feedback that names nobody",
        reporting_mta=notification.reporting_mta if isinstance(notification, Bounce) else None,
    )


def _check_account(feedback: Feedback, account_ids: frozenset[str]) -> None:
    account_id = feedback.mail.sending_account_id
    if account_ids and account_id is not None and account_id not in account_ids:
        raise InvalidNotificationError("mail.sendingAccountId", "another account's")


def _check_kind(feedback: Feedback, kind: type[Feedback] | UnionType | None) -> None:
    """Refuse another kind: topics were set the wrong way round, or somebody else publishes."""
    if kind is not None and not isinstance(feedback, kind):
        raise InvalidNotificationError(
            "", f"a {type(feedback).__name__} in the queue of another kind"
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of evidence.

    Attributes:
        changed: the records that were written, by address; a repeat changes nothing.
        failures: why evidence could not be added, by address; nothing is known about it then.
    """

    changed: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, SESSuppressionError] = field(default_factory=dict)


def apply(
    new: Mapping[str, Sequence[Evidence]], *, store: Store, policy: Policy, deadline: Deadline
) -> Applied:
    """Add evidence to records: load, merge, decide, save; what lost a race is read again.

    Args:
        new: the evidence of each address, normalised; in any order, with any repetition. Without
            evidence, what is known is decided upon again.
        store: where the records are.
        policy: the thresholds of the verdict.
        deadline: after it nothing new is begun.
    """
    applied = Applied()
    pending: Sequence[str] = list(new)
    kinds = {piece.kind for evidence in new.values() for piece in evidence}
    consistent = kinds != {Kind.DELIVERY}  # one may be looked up late: at worst it lifts nothing
    attempt = 0
    while pending:
        loaded = store.load(pending, consistent=consistent, deadline=deadline)
        applied.failures.update(loaded.failures)
        for address in pending:
            if address not in loaded.records and address not in loaded.failures:
                applied.failures[address] = StoreUnavailableError(
                    "NotAnswered", "the store did not answer for this key"
                )
        refusals = {
            address: error
            for address, record in loaded.records.items()
            if (error := refusal(record, new[address]))
        }
        applied.failures.update(refusals)
        changes = {
            address: change
            for address, record in loaded.records.items()
            if address not in refusals and (change := update(record, new[address], policy))
        }
        refused = store.save(changes.values(), deadline=deadline)
        lost = {
            address: error for address, error in refused.items() if isinstance(error, ConflictError)
        }
        for address, change in changes.items():
            if address not in refused:
                applied.changed[address] = change
            elif address not in lost:
                applied.failures[address] = refused[address]
        if lost and not deadline.pause(attempt):
            applied.failures.update(lost)
            break
        pending, consistent = list(lost), True
        attempt += 1
    return applied


def _outcome(read: _Read, failures: dict[str, SESSuppressionError]) -> Outcome:
    attribution = read.attribution
    failed = [failures[address] for address, _ in attribution.evidence if address in failures]
    if failed:
        status, reason = Status.RETRIED, _code(failed[0])
    elif attribution.broken:
        status, reason = Status.REJECTED, "; ".join(map(str, attribution.broken[:_REASONS]))
    elif not attribution.evidence:
        status, reason = Status.ACKNOWLEDGED, read.acknowledged_as
    else:
        status, reason = Status.APPLIED, ""
    # Once for each rule of an address: SES's Subscription event repeats every topic.
    provider_of_rule = {
        (address, rule_of(evidence)): provider_of(
            domain_of(address), diagnostic=evidence.diagnostic, reporting_mta=read.reporting_mta
        )
        for address, evidence in attribution.evidence
    }
    return Outcome(
        message=read.message,
        status=status,
        reason=reason,
        rules=tuple(provider_of_rule),
        providers=tuple(provider_of_rule.values()),
        unattributed=len(attribution.unattributed),
    )


_REASONS = 5  # of a thousand broken recipients, the first few tell enough


def _code(error: SESSuppressionError) -> str:
    return error.code if isinstance(error, StoreUnavailableError) else type(error).__name__
