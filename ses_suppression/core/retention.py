"""How evidence is collected: a union without order, and limits that commute with it.

`merge(merge(a, b), c)` is `merge(a, merge(b, c))`, in any order and with any repetition, also when
limits are reached: what is kept is a function of the set of all evidence that was ever seen, and
what was left out once stays out. Two rules make it so. A class of evidence is what a piece would
do, never time alone, so that no piece takes the place of one that does something else. And of each
class the first or last few by some order are kept, and the union of such choices.

What holds mail back without being kept leaves a tally of its class: what it did, from when to when.
A tally holds mail back like its pieces, so that no limit of a class releases an address.

Three things depend on the order: which deliveries are kept, what an item above `LARGEST` still
tells apart, and the holds of tenants beyond `TENANTS`, which end after days. Decision 19 says what
that changes.

(Precondition: copies of one event agree on its time and rule. SES's do.)
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from heapq import nlargest, nsmallest
from typing import Any

from ses_suppression.core.classification import may_be_automatic_reply, rule_of
from ses_suppression.core.evidence import (
    EVERY_STREAM,
    OPERATOR_KINDS,
    Evidence,
    Kind,
    began,
    digest,
    happened_at,
    in_order_of_mail,
    in_time,
    mailed_at,
    unite,
)
from ses_suppression.core.policy import CONSEQUENCES, DAYS_KEPT, Suppress
from ses_suppression.core.rules import Rule
from ses_suppression.core.under_way import UnderWay, may_have_been_accepted

OLDEST, NEWEST, LAST_MAILED, LONGEST = 1, 8, 2, 2
"""How many pieces are kept of a class that holds mail back: the first, the last, those whose mail
was sent last, those that end last. The rest leaves a tally."""

COMPLAINTS = 20
"""How many complaints are kept on a stream, and how many that take one back: the last."""

IN_FULL = 5
"""For how many of the newest days the words of a reply are kept, where a rule counts once a day."""

RECORDED = 5
"""How many pieces are kept of a class that holds nothing back: the last."""

UNDOS, OF_AN_UNDO = 10, 300
"""How many undos are kept, the newest, and how many voids of each, the last."""

STREAMS = 100
"""The most streams on which an address is held back. On more, every stream is held back."""

TENANTS, OF_A_TENANT = 15, 5
"""The most tenants of SES whose holds are kept, those with the newest hold, and how many pieces of
each, the last, without their words. Such a hold ends after days, and SES says so again."""

FEW = 60
"""This number of pieces is never too large, so their size is not computed."""

LARGEST = 160_000
"""The most bytes of evidence in an item. Above it, every stream is held back and operators' words
are shortened. DynamoDB takes 400 KB and charges a write unit for each KB."""

SHORTENED = 24
"""How many characters `by` and `note` keep then."""

DELIVERIES = 100
"""How many deliveries are kept: the last."""

DELIVERIES_FOR = timedelta(days=7)
"""How long after the last bounce every delivery is kept."""

WEEKS = 8
"""For how many weeks after that the first delivery of a week is kept."""


def merge(known: Iterable[Evidence], new: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Unite evidence, oldest first, within the limits of what is kept."""
    return trim(unite([*known, *new]).values())


def trim(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Keep of each class what decides, and a tally of what else held mail back; oldest first."""
    pieces = _within_streams(list(evidence))
    kept = _chosen(pieces)
    if len(kept) > FEW and size_of(kept) > LARGEST:
        kept = _chosen([_shorten(piece) for piece in _on_every_stream(pieces)])
    return tuple(sorted(kept, key=in_time))


def streams_of(evidence: Iterable[Evidence]) -> set[str]:
    """Return the streams on which something holds mail back, or lifts that."""
    streams = {piece.stream for piece in evidence if piece.stream and _is_by_stream(piece)}
    return streams - {EVERY_STREAM}


def size_of(evidence: Iterable[Evidence]) -> int:
    """Estimate, from above, how many bytes evidence takes in an item."""
    return sum(_BYTES_A_PIECE + _bytes_of_words(piece) for piece in evidence)


# Its names, times and what has few letters: ten fields and four times.
_BYTES_A_PIECE = 300


def _bytes_of_words(piece: Evidence) -> int:
    words = (
        f"{piece.id}{piece.mail_id}{piece.identity}{piece.stream}{piece.tenant}{piece.voids}"
        f"{piece.reported_as}{piece.diagnostic}{piece.by}{piece.note}"
    )
    return len(words) if words.isascii() else len(words.encode())


def _chosen(evidence: Iterable[Evidence]) -> list[Evidence]:
    classes: defaultdict[Hashable, list[Evidence]] = defaultdict(list)
    for piece in evidence:
        classes[_class_of(piece)].append(piece)
    deliveries = classes.pop(Rule.DELIVERY, [])
    kept = [piece for members in classes.values() for piece in _kept_of(members)]
    kept = _within_tenants(kept)
    if deliveries:
        kept += _useful(deliveries, [piece for piece in kept if _counts_as_transient(piece)])
    return kept


def _within_tenants(kept: list[Evidence]) -> list[Evidence]:
    """Leave out the tenants whose holds are the oldest: they end after some days."""
    newest: dict[str, datetime] = {}
    for piece in kept:
        if piece.tenant and rule_of(piece) in _BY_TENANT:
            newest[piece.tenant] = max(newest.get(piece.tenant, piece.at), piece.at)
    if len(newest) <= TENANTS:
        return kept
    stay = set(nlargest(TENANTS, newest, key=lambda tenant: (newest[tenant], tenant)))
    return [
        piece
        for piece in kept
        if not piece.tenant or piece.tenant in stay or rule_of(piece) not in _BY_TENANT
    ]


def _is_by_stream(piece: Evidence) -> bool:
    rule = rule_of(piece)
    return rule in _BY_STREAM or rule is Rule.REACTIVATE


def _within_streams(evidence: list[Evidence]) -> list[Evidence]:
    """Make evidence on more streams than there is room for hold back every stream.

    The streams that stay are chosen by name alone, so the order of arrival changes nothing.
    """
    if len({piece.stream for piece in evidence}) <= STREAMS:
        return evidence
    streams = streams_of(evidence)
    if len(streams) <= STREAMS:
        return evidence
    return _on_every_stream(evidence, stay=set(sorted(streams, key=digest)[:STREAMS]))


def _on_every_stream(evidence: Iterable[Evidence], stay: Collection[str] = ()) -> list[Evidence]:
    """Make holds of a stream hold back every stream, and leave out what lifts a stream.

    Such a hold is on the stream `*`, not on none. A hold on none is of all mail, and who subscribes
    to all mail takes that back, but not what was about one stream.
    """
    found: list[Evidence] = []
    for piece in evidence:
        if piece.stream is None or piece.stream in stay or not _is_by_stream(piece):
            found.append(piece)
        elif rule_of(piece) not in {Rule.REACTIVATE, Rule.SUBSCRIBED}:
            found.append(replace(piece, stream=EVERY_STREAM))
    return found


def _shorten(piece: Evidence) -> Evidence:
    """Cut the words of an operator."""
    if piece.kind not in OPERATOR_KINDS:
        return piece
    return replace(
        piece, by=piece.by and piece.by[:SHORTENED], note=piece.note and piece.note[:SHORTENED]
    )


def _class_of(piece: Evidence) -> Hashable:
    """Return what a piece would do, as far as it is known without the others."""
    rule = rule_of(piece)
    if rule in {Rule.DELIVERY, Rule.VOID}:
        return rule
    if rule is Rule.TRANSIENT_BOUNCE:
        return rule, may_be_automatic_reply(piece)
    if rule is Rule.REACTIVATE:
        return rule, piece.stream, piece.consent
    if rule is Rule.UNSUBSCRIBED:
        # A bounce says so of all mail, whatever its stream (`decision._takes_back`).
        return rule, *_scope(piece).values(), piece.bounce_sub_type
    return rule, *_scope(piece).values(), piece.until is not None


def _scope(piece: Evidence) -> dict[str, Any]:
    """Return the fields that tell what a piece holds back, and what lifts it again."""
    rule = rule_of(piece)
    return {
        "stream": piece.stream if rule in _BY_STREAM else None,
        "tenant": piece.tenant if rule in _BY_TENANT else None,
        "reason": piece.reason,
        "certain": False if _is_uncertain(piece) else None,
        "subscribed": piece.subscribed,
    }


_BY_STREAM = frozenset(
    {Rule.COMPLAINT, Rule.NOT_SPAM, Rule.UNSUBSCRIBED, Rule.SUBSCRIBED, Rule.SUPPRESS, Rule.IMPORT}
)
_BY_TENANT = frozenset({Rule.TENANT_LIST_BOUNCE, Rule.TENANT_LIST_COMPLAINT})


def _kept_of(members: Sequence[Evidence]) -> list[Evidence]:
    """Choose from the members of one class."""
    rule = rule_of(members[0])
    if rule in DAYS_KEPT:
        return _days(members, DAYS_KEPT[rule])
    if rule is Rule.VOID:
        return _voids(members)
    if rule is Rule.NOT_SPAM:
        return nlargest(COMPLAINTS, members, key=in_time)
    is_nobodys = rule in _BY_TENANT and not members[0].tenant  # it holds nothing back
    if is_nobodys or not isinstance(CONSEQUENCES[rule], Suppress):
        return nlargest(RECORDED, members, key=in_time)
    return _holds(members)


def _voids(members: Sequence[Evidence]) -> list[Evidence]:
    """Keep the last word of the newest undos on each target. A lost void holds mail back again."""
    of_its_target: dict[Hashable, Evidence] = {}
    for piece in members:
        target = piece.undo, piece.voids
        of_its_target[target] = max(of_its_target.get(target, piece), piece, key=in_time)
    by_undo: defaultdict[str | None, list[Evidence]] = defaultdict(list)
    for piece in of_its_target.values():
        by_undo[piece.undo].append(piece)
    newest = nlargest(UNDOS, by_undo.values(), key=lambda voids: max(map(in_time, voids)))
    return [piece for voids in newest for piece in nlargest(OF_AN_UNDO, voids, key=in_time)]


def _days(members: Sequence[Evidence], limit: int) -> list[Evidence]:
    """Keep, for each of the newest UTC days, the first and last by mail, and the last by time.

    And the first and the last of those that tell when mail was under way that bounced.
    """
    by_day: defaultdict[date, list[Evidence]] = defaultdict(list)
    for piece in members:
        by_day[piece.at.date()].append(piece)
    kept: list[Evidence] = []
    for number, day in enumerate(sorted(by_day, reverse=True)[:limit]):
        of_it = by_day[day]
        ends = {
            min(of_it, key=in_order_of_mail),
            max(of_it, key=in_order_of_mail),
            max(of_it, key=in_time),
        }
        accepted = [piece for piece in of_it if may_have_been_accepted(piece)]
        if accepted:  # they tell when mail was under way
            ends |= {min(accepted, key=in_order_of_mail), max(accepted, key=in_time)}
        kept += ends if number < IN_FULL else map(_brief, ends)
    return kept


def _holds(members: Sequence[Evidence]) -> list[Evidence]:
    """Keep the first, the last and the longest; the rest leaves a tally."""
    rule = rule_of(members[0])
    pieces = [piece for piece in members if piece.kind is not Kind.TALLY]
    oldest, newest, last_mailed = OLDEST, NEWEST, LAST_MAILED
    if rule is Rule.COMPLAINT:
        newest = COMPLAINTS
    if rule in _BY_TENANT:
        oldest, newest, last_mailed = 0, OF_A_TENANT, 1
        pieces = list(map(_without_words, pieces))
    chosen = {
        piece.id: piece
        for choice in (
            nsmallest(oldest, pieces, key=in_time),
            nlargest(newest, pieces, key=in_time),
            nlargest(last_mailed, pieces, key=in_order_of_mail),
            nlargest(LONGEST, pieces, key=_end) if members[0].until else [],
        )
        for piece in choice
    }
    rest = [piece for piece in pieces if piece.id not in chosen]
    rest += [piece for piece in members if piece.kind is Kind.TALLY]
    return [*chosen.values(), *([_tally(rest)] if rest else [])]


def _without_words(piece: Evidence) -> Evidence:
    return Evidence(
        id=piece.id,
        kind=piece.kind,
        at=piece.at,
        mail_at=piece.mail_at,
        tenant=piece.tenant,
        bounce_type=piece.bounce_type,
        bounce_sub_type=piece.bounce_sub_type,
        rule=rule_of(piece).value,
    )


def _is_uncertain(piece: Evidence) -> bool:
    return rule_of(piece) is Rule.COMPLAINT and piece.certain is False


def _end(piece: Evidence) -> tuple[datetime, str]:
    return piece.until or piece.at, piece.id


def _tally(rest: Sequence[Evidence]) -> Evidence:
    """Give what stands for evidence of one class that is not kept."""
    rule, scope = rule_of(rest[0]), _scope(rest[0])
    first_at = min(map(began, rest))
    last_at = max(piece.at for piece in rest)
    until = max((piece.until for piece in rest if piece.until), default=None)
    # Another span is another tally: what voided the one says nothing about the other.
    words: dict[str, Any] = {name: _common(rest, name) for name in _WORDS}
    span = first_at.isoformat(), last_at.isoformat(), str(until), *words.values()
    return Evidence(
        id=f"{Kind.TALLY}:{digest(rule, *map(str, scope.values()), *span)}",
        kind=Kind.TALLY,
        at=last_at,
        first_at=first_at,
        mail_at=max(map(happened_at, rest)),
        until=until,
        rule=rule.value,
        **scope,
        **words,
    )


_WORDS = ("bounce_sub_type", "status", "diagnostic", "reported_as")
"""By these, beside time and address, an incident finds its bounces."""


def _common(pieces: Sequence[Evidence], name: str) -> str | None:
    """Return what all pieces say; None: they differ, or one says nothing."""
    said = {getattr(piece, name) for piece in pieces}
    return said.pop() if len(said) == 1 else None


def _brief(piece: Evidence) -> Evidence:
    """Keep of a bounce what decides, without the words that told its rule."""
    doubtful = may_be_automatic_reply(piece)
    return Evidence(
        id=piece.id,
        kind=piece.kind,
        at=piece.at,
        mail_at=piece.mail_at,
        bounce_type=piece.bounce_type if doubtful else None,
        bounce_sub_type=piece.bounce_sub_type if doubtful else None,
        reported_as=piece.reported_as,
        rule=rule_of(piece).value,
    )


def _counts_as_transient(piece: Evidence) -> bool:
    return rule_of(piece) is Rule.TRANSIENT_BOUNCE


def _useful(deliveries: Sequence[Evidence], bounces: Sequence[Evidence]) -> list[Evidence]:
    """Keep the deliveries that may void a transient bounce that is kept.

    Those to an address without one are left out, so that they cost no write; so are those while
    mail was under way that bounced, and those long after the last bounce but for the first of them.
    """
    if not bounces:
        return []
    under_way = UnderWay(bounces)
    until = max(piece.at for piece in bounces) + DELIVERIES_FOR
    is_full = len({piece.at.date() for piece in bounces}) >= DAYS_KEPT[Rule.TRANSIENT_BOUNCE]
    since = min(map(mailed_at, bounces)) if is_full else None
    useful = [
        piece
        for piece in deliveries
        if piece.at not in under_way and not (since and piece.at < since)
    ]
    soon = [piece for piece in useful if piece.at <= until]
    first_of_week: dict[int, Evidence] = {}
    for piece in useful:
        if piece.at > until:
            week = piece.at.toordinal() // 7
            first_of_week[week] = min(first_of_week.get(week, piece), piece, key=in_time)
    later = nsmallest(WEEKS, first_of_week.values(), key=in_time)
    return [
        # Its time is all that decides.
        Evidence(id=piece.id, kind=piece.kind, at=piece.at)
        for piece in (*nlargest(DELIVERIES, soon, key=in_time), *later)
    ]
