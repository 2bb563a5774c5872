"""One address, as the table holds it: what happened, and what follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ses_suppression.decision import Decision, Effect, decide, expires_at
from ses_suppression.evidence import Evidence
from ses_suppression.merge import merge
from ses_suppression.policy import Policy
from ses_suppression.rules import Rule
from ses_suppression.suppression import Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known about one address.

    Attributes:
        address: normalised; the table's key.
        evidence: what happened, oldest first.
        suppressions: the verdict: stream -> suppression.
        revision: what the record is locked by while it is changed; None: it is not in the table.
        expires_at: when DynamoDB may delete it, in epoch seconds; None: never.
    """

    address: str
    evidence: tuple[Evidence, ...] = ()
    suppressions: Mapping[str, Suppression] = field(default_factory=dict)
    revision: str | None = None
    expires_at: int | None = None


def updated(record: Record, new: Iterable[Evidence], policy: Policy) -> Record | None:
    """Add evidence to a record and decide again.

    Returns:
        The changed record, or None when nothing changes: a repeat costs no write. Nor does a
        delivery that strikes nothing out, which is nearly every delivery.
    """
    evidence = merge(record.evidence, new)
    decision = decide(record.address, evidence, policy)
    idle = _idle_deliveries(record, decision)
    if idle:
        evidence = tuple(piece for piece in evidence if piece.id not in idle)
        decision = decide(record.address, evidence, policy)
    change = Record(
        address=record.address,
        evidence=evidence,
        suppressions=decision.suppressions,
        revision=record.revision,
        expires_at=expires_at(record.address, decision, policy) if evidence else None,
    )
    return None if change == record else change


def _idle_deliveries(record: Record, decision: Decision) -> set[str]:
    """Name the new deliveries that strike nothing out: they are not worth a write."""
    known = {piece.id for piece in record.evidence}
    return {
        step.evidence.id
        for step in decision.steps
        if step.rule is Rule.DELIVERY and step.effect is not Effect.LIFTS
    } - known
