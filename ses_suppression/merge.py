"""How evidence is collected: a union without order, and a limit that commutes with it.

`merge(merge(a, b), c)` is `merge(a, merge(b, c))`, in any order and with any repetition, also when
the limits bite: what is kept is a function of the set of all evidence that was ever seen.
(Precondition: copies of one event agree on its time and rule. SES's do; only where the time of
receipt had to stand in for an event's own may two copies differ, and only above a limit.)
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable

from ses_suppression.classification import rule_of
from ses_suppression.evidence import OPERATOR_KINDS, Evidence, Kind, in_time, united
from ses_suppression.policy import MOST_TRANSIENT_BOUNCES
from ses_suppression.rules import Rule

KEPT_DAYS = {Rule.TRANSIENT_BOUNCE: MOST_TRANSIENT_BOUNCES, Rule.BLOCK: 5, Rule.ROUTING_FAILURE: 5}
"""Of these rules the newest of each UTC day is kept, for the newest so many of those days."""

KEPT_OF_AN_UNDO = 300
"""Of the voids of one undo the newest so many are kept: all that it needs, done and taken back."""

KEPT = {
    Rule.DELIVERY: 5,
    Rule.COMPLAINT: 30,
    Rule.UNSUBSCRIBED: 30,
    Rule.TENANT_LIST_BOUNCE: 30,
    Rule.TENANT_LIST_COMPLAINT: 30,
}
"""Of these rules so many are kept, the newest, whatever their stream or tenant: of two copies of an
event the one that comes through the identity has none, and its class has to be the event's own.
(Of `unsubscribed`: the bounces. SES's Subscription event comes through one channel alone, and tells
of many topics: it is kept on each stream, whether it meets `unsubscribed` or `subscribed`.)"""

KEPT_OF_ANY_OTHER = 5
"""Of every other rule so many are kept, the newest; of operators' actions and of subscriptions, on
each stream."""

_KEPT_BY_STREAM = OPERATOR_KINDS | {Kind.SUBSCRIPTION}


def merge(known: Iterable[Evidence], new: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Unite evidence, oldest first, within the limits of what is kept."""
    return trim(united([*known, *new]).values())


def trim(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Keep the newest of each class, oldest first. The class depends on the evidence alone."""
    newest_first = sorted(evidence, key=in_time, reverse=True)
    seen: defaultdict[Hashable, int] = defaultdict(int)
    kept: list[Evidence] = []
    for piece in newest_first:
        rule = rule_of(piece)
        if rule in KEPT_DAYS:
            day = (rule, piece.at.date())
            seen[day] += 1
            if seen[day] > 1:
                continue
            group: Hashable = rule
            limit = KEPT_DAYS[rule]
        elif rule is Rule.VOID:
            group, limit = (rule, piece.undo), KEPT_OF_AN_UNDO
        elif rule in KEPT and piece.kind is not Kind.SUBSCRIPTION:
            group, limit = rule, KEPT[rule]
        else:
            stream = piece.stream if piece.kind in _KEPT_BY_STREAM else None
            group, limit = (rule, stream), KEPT_OF_ANY_OTHER
        seen[group] += 1
        if seen[group] <= limit:
            kept.append(piece)
    return tuple(reversed(kept))
