"""One address, as the table holds it: what happened, and what follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import field

from ses_suppression.decision import Effect, decide, expires_at
from ses_suppression.evidence import Evidence, Kind, united
from ses_suppression.merge import KEPT, trim
from ses_suppression.policy import Policy
from ses_suppression.rules import Rule
from ses_suppression.suppression import Suppression
from ses_suppression.value import value


@value
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
        delivery that neither strikes out a bounce nor shows one to be an automatic reply, which is
        nearly every delivery.
    """
    new = list(new)
    if not record.evidence and new and all(piece.kind is Kind.DELIVERY for piece in new):
        return None  # there is nothing that it could do
    evidence = _kept(record, new, policy)
    decision = decide(record.address, evidence, policy)
    change = Record(
        address=record.address,
        evidence=evidence,
        suppressions=decision.suppressions,
        revision=record.revision,
        expires_at=expires_at(record.address, decision, policy) if evidence else None,
    )
    return None if change == record else change


def _kept(record: Record, new: list[Evidence], policy: Policy) -> tuple[Evidence, ...]:
    """Unite what is known with what is new, without deliveries that do nothing.

    New ones are left out at once. Known ones stay, since to drop them would be a write, until there
    are more than are kept: then they would take the place of one that does something.
    """
    known = {piece.id for piece in record.evidence}
    union = united([*record.evidence, *new]).values()
    deliveries = [piece for piece in union if piece.kind is Kind.DELIVERY]
    if known.issuperset(piece.id for piece in deliveries):
        return trim(union)
    others = trim(piece for piece in union if piece.kind is not Kind.DELIVERY)
    steps = decide(record.address, [*others, *deliveries], policy).steps
    useful = {step.evidence.id for step in steps if step.effect is Effect.LIFTS}
    stay = [piece for piece in deliveries if piece.id in useful | known]
    if len(stay) > KEPT[Rule.DELIVERY]:
        stay = [piece for piece in stay if piece.id in useful]
    return trim([*others, *stay])
