"""One address, as the table holds it: what happened, and what follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ses_suppression.classification import rule_of
from ses_suppression.decision import Suppression, decide, expires_at
from ses_suppression.evidence import Evidence, Kind
from ses_suppression.merge import merge
from ses_suppression.policy import Policy
from ses_suppression.rules import Rule


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
        The changed record, or None when nothing changes: a repeat costs no write. A delivery alone
        changes nothing for an address that never had a transient bounce, which is nearly every
        address.
    """
    new = tuple(new)
    evidence = merge(record.evidence, new)
    if not any(rule_of(piece) is Rule.TRANSIENT_BOUNCE for piece in evidence):
        evidence = tuple(piece for piece in evidence if piece.kind is not Kind.DELIVERY)
    decision = decide(record.address, evidence, policy)
    if evidence == record.evidence and decision.suppressions == record.suppressions:
        return None
    return Record(
        address=record.address,
        evidence=evidence,
        suppressions=decision.suppressions,
        revision=record.revision,
        expires_at=expires_at(record.address, decision, policy),
    )
