"""An incident: a receiving system that rejected valid mailboxes, and how it is undone.

On 14 and 15 December 2020 a large provider answered `550-5.1.1` for hours to mail for mailboxes
that were there. What such hours caused is voided, piece by piece, with evidence of its own:
what was known before keeps its effect, and the undo can be taken back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ses_suppression.core.actions import void
from ses_suppression.core.address import domain_of
from ses_suppression.core.classification import rule_of
from ses_suppression.core.decision import decide
from ses_suppression.core.evidence import Evidence, Kind, began, digest, in_time
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record
from ses_suppression.core.rules import Rule
from ses_suppression.errors import InvalidActionError

_ID_DIGITS = 12
_REJECTIONS = frozenset({Rule.HARD_BOUNCE, Rule.BLOCK, Rule.ROUTING_FAILURE, Rule.TRANSIENT_BOUNCE})
_ACCOUNT_LEVEL_ENTRY = "account-level-list:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Which bounces an incident caused.

    Attributes:
        start, end: when they happened, aware of the time zone; the end is not part of it.
        domains: of the mailed address or, after forwarding, of the one that was reported; empty:
            every domain.
        diagnostic: a text that the status or the diagnostic holds; None: any.
        bounce_sub_type: SES's sub type; None: every rejection by a receiving system, and none of
            the bounces with which SES says that it did not send.

    Raises:
        InvalidActionError: the end is not after the start, or a time has no zone.

    >>> from datetime import UTC
    >>> noon = datetime(2020, 12, 14, 12, tzinfo=UTC)
    >>> Incident(start=noon, end=noon + timedelta(hours=2), domains=frozenset({"gmail.com"})).id
    '4f1735345c9f'
    """

    start: datetime
    end: datetime
    domains: frozenset[str] = frozenset()
    diagnostic: str | None = None
    bounce_sub_type: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InvalidActionError("from and to: a time without a time zone could be any")
        if self.end <= self.start:
            raise InvalidActionError("to: it is not after from")

    @property
    def id(self) -> str:
        """What the undo of this incident is called: the same incident is the same undo."""
        domains = ",".join(sorted(self.domains))
        span = f"{self.start.timestamp()},{self.end.timestamp()}"
        return digest(span, domains, self.diagnostic, self.bounce_sub_type)[:_ID_DIGITS]

    def caused(self, address: str, piece: Evidence) -> bool:
        """Tell whether a piece of evidence about an address is one of this incident's bounces.

        A tally is, if all that it stands for is sure to be.
        """
        return (
            piece.kind in {Kind.BOUNCE, Kind.TALLY}
            and self.start <= began(piece)
            and piece.at < self.end
            and self._is_at_its_domains(address, piece)
            and self._is_its_sort(piece)
            and (self.diagnostic or "") in f"{piece.status or ''} {piece.diagnostic or ''}"
        )

    def may_have_caused(self, address: str, piece: Evidence) -> bool:
        """Tell whether a piece may hold bounces of this incident, without being certain.

        Its words are no longer kept, or only some of the bounces of a tally match.
        """
        return (
            piece.kind in {Kind.BOUNCE, Kind.TALLY}
            and piece.rule is not None
            and began(piece) < self.end
            and self.start <= piece.at
            and self._may_be_its_sort(piece)
            and self._is_at_its_domains(address, piece)
            and not self.caused(address, piece)
        )

    def _may_be_its_sort(self, piece: Evidence) -> bool:
        if self.bounce_sub_type is None:
            return rule_of(piece) in _REJECTIONS
        return piece.bounce_sub_type in {None, self.bounce_sub_type}

    def _is_its_sort(self, piece: Evidence) -> bool:
        if self.bounce_sub_type is None:
            return rule_of(piece) in _REJECTIONS
        return piece.bounce_sub_type == self.bounce_sub_type

    def _is_at_its_domains(self, address: str, piece: Evidence) -> bool:
        domains = {domain_of(address), domain_of(piece.reported_as or address)}
        return not self.domains or not self.domains.isdisjoint(domains)


def caused_by(record: Record, incident: Incident) -> tuple[Evidence, ...]:
    """Give what an incident left on a record: its bounces, and their echoes.

    SES put the addresses on its account-level list; every mail after that came back as a bounce
    `OnAccountSuppressionList`. Such an echo goes with its cause, unless the address was on that
    list, or had bounced for good, before.
    """
    bounces = tuple(piece for piece in record.evidence if incident.caused(record.address, piece))
    if not bounces:
        return ()
    first = min(map(began, bounces))
    echoes = tuple(
        piece
        for piece in record.evidence
        if began(piece) >= first
        and rule_of(piece) is Rule.ACCOUNT_LEVEL_BOUNCE
        and piece not in bounces
    )
    if not echoes or _was_known_before(record, incident):
        return bounces
    return bounces + echoes


def _was_known_before(record: Record, incident: Incident) -> bool:
    return any(
        step.counts
        and step.evidence.at < incident.start
        and step.rule in {Rule.HARD_BOUNCE, Rule.ACCOUNT_LEVEL_BOUNCE}
        for step in decide(record.address, record.evidence, Policy()).steps
    )


def void_caused(
    record: Record, caused: Iterable[Evidence], *, undo: str, by: str, note: str, at: datetime
) -> tuple[Evidence, ...]:
    """Give the evidence that voids what an incident caused; none when that is done already.

    Args:
        record: what is known about an address.
        caused: what `caused_by` gave.
        undo: the incident's id.
        by: who undoes it.
        note: why.
        at: when; aware of its time zone.
    """
    return tuple(
        toggle_void(record, piece.id, undo=undo, by=by, note=note, at=at)
        for piece in caused
        if not is_voided(record, piece.id, undo)
    )


def revert_undo(
    record: Record, undo: str, *, by: str, note: str, at: datetime
) -> tuple[Evidence, ...]:
    """Give the evidence that takes an undo back; none where there is none, or it is taken back."""
    return tuple(
        toggle_void(record, target, undo=undo, by=by, note=note, at=at)
        for target in _targets(record, undo)
        if is_voided(record, target, undo)
    )


def is_voided(record: Record, target: str, undo: str) -> bool:
    """Tell whether an undo voids a target now."""
    newest = _newest_word(record, target, undo)
    if newest is None or newest.lifted:
        return False
    return not is_voided(record, newest.id, undo)  # as earlier versions took an undo back


def toggle_void(
    record: Record, target: str, *, undo: str, by: str, note: str, at: datetime
) -> Evidence:
    """Give the evidence by which an undo voids a target, or does so no longer."""
    newest = _newest_word(record, target, undo)
    # The newest word speaks, and the clocks of two operators may differ.
    after = newest.at + timedelta(microseconds=1) if newest else at
    return void(
        evidence_id=target,
        undo=undo,
        by=by,
        note=note,
        at=max(at, after),
        lifted=is_voided(record, target, undo),
    )


def _newest_word(record: Record, target: str, undo: str) -> Evidence | None:
    words = [piece for piece in record.evidence if (piece.undo, piece.voids) == (undo, target)]
    return max(words, key=in_time, default=None)


def account_level_entry(address: str) -> str:
    """Name, as what a void voids, the entry of an address on SES's account-level list.

    Args:
        address: as SES spells it: its API wants the exact spelling.
    """
    return f"{_ACCOUNT_LEVEL_ENTRY}{address}"


def deleted_entries(record: Record, undo: str) -> Iterator[str]:
    """Give the entries of SES's account-level list, in SES's spelling, that an undo deleted."""
    return _entries(record, undo, deleted=True)


def restored_entries(record: Record, undo: str) -> Iterator[str]:
    """Give those that it deleted, and that were put back when it was taken back."""
    return _entries(record, undo, deleted=False)


def _entries(record: Record, undo: str, *, deleted: bool) -> Iterator[str]:
    for target in _targets(record, undo):
        if target.startswith(_ACCOUNT_LEVEL_ENTRY) and is_voided(record, target, undo) is deleted:
            yield target.removeprefix(_ACCOUNT_LEVEL_ENTRY)


def _targets(record: Record, undo: str) -> Iterator[str]:
    """Give what an undo meant to void: not its own voids."""
    voids = [piece for piece in record.evidence if piece.undo == undo]
    own = {piece.id for piece in voids}
    yield from dict.fromkeys(
        piece.voids for piece in voids if piece.voids is not None and piece.voids not in own
    )
