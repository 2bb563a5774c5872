"""One address, as the table holds it: what happened, and what follows from it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from ses_suppression.core.decision import decide, expires_at
from ses_suppression.core.evidence import OPERATOR_KINDS, Evidence
from ses_suppression.core.policy import Policy
from ses_suppression.core.retention import STREAMS, merge, size_of, streams_of
from ses_suppression.core.suppression import Suppression, Verdict
from ses_suppression.errors import InvalidActionError


@dataclass(slots=True, kw_only=True)
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
    suppressions: Verdict = field(default_factory=dict)
    revision: str | None = None
    expires_at: int | None = None

    def active(self, moment: datetime) -> list[Suppression]:
        """Return the suppressions that hold mail back at a moment."""
        return [one for one in self.suppressions.values() if one.holds_at(moment)]


ROOM_FOR_OPERATORS = 120_000
"""Bytes of evidence. Above it operators' actions are refused, so that feedback finds room."""


def refusal(record: Record, new: Iterable[Evidence]) -> InvalidActionError | None:
    """Say why there is no room for an operator's action; None: there is.

    Feedback always finds room, and so does what is there already.
    """
    known = {piece.id for piece in record.evidence}
    actions = [piece for piece in new if piece.kind in OPERATOR_KINDS and piece.id not in known]
    if not actions:
        return None
    streams = streams_of(record.evidence)
    if len(streams | streams_of(actions)) > max(STREAMS, len(streams)):
        return InvalidActionError(
            f"stream: the address has entries on {len(streams)} streams, {STREAMS} is the most; "
            "leave the stream out to mean every stream"
        )
    if size_of([*record.evidence, *actions]) > ROOM_FOR_OPERATORS:
        return InvalidActionError(
            f"the address has {len(record.evidence)} entries, and no room for more words of "
            "operators. What is there stays in force; to hold it back all the same, put it on "
            "SES's account-level list"
        )
    return None


def without_reports_of(address: str, record: Record) -> Record | None:
    """Return the record of another address without this one in its `reported_as`; None: as it is.

    After forwarding, the evidence about the mailed address names the one that bounced.
    """
    # A report that is no address is kept as its text, and may hold one.
    named = re.compile(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)", re.IGNORECASE)
    evidence = tuple(
        replace(piece, reported_as=None) if named.search(piece.reported_as or "") else piece
        for piece in record.evidence
    )
    return None if evidence == record.evidence else replace(record, evidence=evidence)


def update(record: Record, new: Iterable[Evidence], policy: Policy) -> Record | None:
    """Add evidence to a record and decide again.

    Returns:
        The changed record, or None when nothing changes: a repeat costs no write, nor does a
        delivery to an address of which no transient bounce is known, which is nearly every one.
    """
    evidence = merge(record.evidence, new)
    if not evidence and not record.evidence:
        return None
    decision = decide(record.address, evidence, policy)
    change = Record(
        address=record.address,
        evidence=evidence,
        suppressions=decision.suppressions,
        revision=record.revision,
        expires_at=expires_at(record.address, decision, policy) if evidence else None,
    )
    return None if change == record else change
