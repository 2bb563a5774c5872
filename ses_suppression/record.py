"""One address, as the table holds it: what happened, and what follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ses_suppression.decision import Effect, decide, expires_at
from ses_suppression.evidence import Evidence, Kind, united
from ses_suppression.merge import merge
from ses_suppression.policy import Policy
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
    new = list(new)
    if not record.evidence and new and all(piece.kind is Kind.DELIVERY for piece in new):
        return None  # nearly every delivery: there is nothing to strike out
    # Before what is kept is limited: one that is idle would take the place of one that is not.
    evidence = merge(record.evidence, _without_idle_deliveries(record, new, policy))
    decision = decide(record.address, evidence, policy)
    change = Record(
        address=record.address,
        evidence=evidence,
        suppressions=decision.suppressions,
        revision=record.revision,
        expires_at=expires_at(record.address, decision, policy) if evidence else None,
    )
    return None if change == record else change


def _without_idle_deliveries(
    record: Record, new: list[Evidence], policy: Policy
) -> Iterable[Evidence]:
    """Leave out the new deliveries that change nothing else: they are not worth a write."""
    deliveries = {piece.id for piece in new if piece.kind is Kind.DELIVERY}
    deliveries -= {piece.id for piece in record.evidence}
    if not deliveries:
        return new
    decision = decide(record.address, united([*record.evidence, *new]).values(), policy)
    idle = deliveries - {step.evidence.id for step in decision.steps if step.effect is Effect.LIFTS}
    return [piece for piece in new if piece.id not in idle]
