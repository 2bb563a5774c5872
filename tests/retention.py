"""Random histories: does what is kept decide like everything that was ever seen?

`python -m tests.retention --histories 50000` runs as many of each class, and says how many
differ, and which way. A short run is part of the suite.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ses_suppression.core.decision import decide
from ses_suppression.core.evidence import Evidence, Kind
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.core.undo import Incident, caused_by, void_caused

JANE = "jane@example.com"
POLICY = Policy(complaints_do_not_block=frozenset({"security"}))
START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

LOOKS = 6
"""At so many prefixes of a history the verdicts are compared, besides its end."""

Verdict = dict[str, tuple[str, datetime | None]]


class World:
    """Makes the evidence of a history."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.pieces: list[Evidence] = []
        self.incident: Incident | None = None  # undone in the end

    def add(self, kind: Kind, at: datetime, **fields: object) -> Evidence:
        piece = Evidence(
            id=str(fields.pop("id", f"{kind}-{len(self.pieces)}")),
            kind=kind,
            at=at,
            **fields,  # type: ignore[arg-type]
        )
        self.pieces.append(piece)
        return piece

    def bounce(self, at: datetime, mail_at: datetime | None = None, *, what: str = "full") -> None:
        words = {
            "full": ("Transient", "MailboxFull", "4.2.2", "452 mailbox full"),
            "general": ("Transient", "General", "4.4.7", "450 try again"),
            "reply": ("Transient", "General", None, "away until Monday"),
            "hard": ("Permanent", "General", "5.1.1", "550 no such user"),
            "other hard": ("Permanent", "General", "5.1.1", "550 unknown user"),
            "block": ("Permanent", "General", "5.7.1", "550 blocked by policy"),
            "route": ("Permanent", "General", "5.4.4", "550 no route to host"),
            "account": ("Permanent", "OnAccountSuppressionList", None, None),
            "global": ("Permanent", "Suppressed", None, None),
        }[what]
        self.add(
            Kind.BOUNCE,
            at,
            mail_at=mail_at or at,
            bounce_type=words[0],
            bounce_sub_type=words[1],
            action="failed" if words[2] else None,
            status=words[2],
            diagnostic=words[3],
        )

    def mail(self, sent_at: datetime, *, bounces: float, later: float, slow: float = 0.0) -> None:
        """One mail: delivered, bounced, or delivered and bounced later."""
        draw = self.rng.random()
        if draw < bounces:
            delay = self.rng.random() * 14 * HOUR if self.rng.random() < slow else MINUTE
            what = self.rng.choice(["full", "general"])
            self.bounce(sent_at + delay, sent_at, what=what)
            return
        self.add(
            Kind.DELIVERY,
            sent_at + MINUTE * self.rng.random(),
            mail_at=sent_at,
            id=f"delivery:{len(self.pieces)}",
        )
        if draw < bounces + later:
            self.bounce(sent_at + 20 * MINUTE, sent_at)


def mail_only(world: World, days: int) -> None:
    """Mail alone, of a mailbox that is in order, or is not."""
    rng = world.rng
    a_day = rng.choice([1, 1, 3, 10])
    bounces, later = rng.choice([(0.1, 0.0), (0.5, 0.0), (0.9, 0.0), (0.0, 1.0), (0.3, 0.5)])
    slow = rng.choice([0.0, 0.3])
    for day in range(days):
        if rng.random() < 0.1:
            continue
        for _ in range(a_day):
            world.mail(START + (day + rng.random()) * DAY, bounces=bounces, later=later, slow=slow)


def midnight(world: World, days: int) -> None:
    """A mailbox that accepts and lets bounce, with mail before and after midnight."""
    for day in range(days):
        for sent_at in (START + day * DAY - 6 * MINUTE, START + day * DAY + 12 * MINUTE):
            if world.rng.random() < 0.95:
                world.mail(sent_at, bounces=0.0, later=0.97)


def late(world: World, days: int) -> None:
    """Bounces of mail from days before, and reactivations in between."""
    for _ in range(days):
        at = START + world.rng.random() * days * DAY
        before = at - world.rng.choice([MINUTE, 5 * DAY * world.rng.random()])
        world.bounce(at, before, what=world.rng.choice(["hard", "block", "route", "full"]))
    for _ in range(world.rng.choice([1, 1, 2, 3])):
        consent = world.rng.choice([True, False])
        at = START + world.rng.random() * days * DAY
        world.add(Kind.REACTIVATE, at, by="ann", note="back", consent=consent)


def operators(world: World, days: int) -> None:
    """Operators on two streams and on all, with ends and without, and what recipients choose."""
    rng = world.rng
    endless, reactivations = rng.choice([0.05, 0.3]), rng.choice([0.0, 0.05, 0.2])
    for number in range(days):
        at, stream = START + number * DAY, rng.choice([None, "news", "offers"])
        draw = rng.random()
        if draw < reactivations:
            consent = rng.choice([True, False])
            world.add(Kind.REACTIVATE, at, stream=stream, by="ann", note="back", consent=consent)
        elif draw < 0.9:
            until = None if rng.random() < endless else at + rng.randrange(1, 90) * DAY
            world.add(Kind.SUPPRESS, at, stream=stream, until=until, by="ann", note="asked")
        else:
            world.add(Kind.SUBSCRIPTION, at, stream=stream, subscribed=rng.random() < 0.5)


def complaints(world: World, days: int) -> None:
    """Complaints on streams, one of which they do not hold back; some are taken back."""
    rng = world.rng
    for number in range(days * 3):
        at = START + number * DAY * 0.7
        stream = (
            rng.choice(["security"] * 9 + ["news"]) if number > 1 else rng.choice(["news", None])
        )
        world.add(
            Kind.COMPLAINT,
            at,
            mail_at=at - rng.choice([MINUTE, 3 * DAY * rng.random()]),
            mail_id=f"m{rng.randrange(days)}",
            stream=stream,
            certain=rng.random() < 0.5,
            feedback_type="not-spam" if rng.random() < 0.1 else "abuse",
        )
    for _ in range(rng.choice([0, 0, 1])):
        at, consent = START + rng.random() * 3 * days * DAY, rng.choice([True, False])
        world.add(Kind.REACTIVATE, at, by="ann", note="back", consent=consent)


def imports(world: World, days: int) -> None:
    """Other lists, taken over again and again, and reactivations."""
    rng = world.rng
    for number in range(days):
        at = START + number * DAY
        reason = rng.choice(["BOUNCE", "COMPLAINT", "MANUAL"]) if rng.random() < 0.5 else "MANUAL"
        until = at + rng.randrange(1, 200) * DAY if rng.random() < 0.6 else None
        world.add(Kind.IMPORT, at, reason=reason, until=until, by="ann", note="list")
    at = START + rng.random() * days * DAY
    world.add(Kind.REACTIVATE, at, by="ann", note="back", consent=rng.choice([True, False]))


def incidents(world: World, days: int) -> None:
    """Hours in which everything bounces, undone afterwards, among genuine bounces."""
    rng = world.rng
    for _ in range(rng.randrange(3)):
        kind = rng.choice(["other hard", "block", "account", "global"])
        world.bounce(START + rng.random() * days * DAY, what=kind)
    begins = START + rng.random() * days * DAY
    for _ in range(rng.randrange(1, days + 1)):
        at = begins + rng.random() * 6 * HOUR
        world.bounce(at, what=rng.choice(["hard", "hard", "block"]))
    words = rng.choice([None, None, "no such user"])
    world.incident = Incident(start=begins, end=begins + 6 * HOUR, diagnostic=words)


def mixed(world: World, days: int) -> None:
    """A part of each."""
    for part in world.rng.sample([mail_only, midnight, late, operators, complaints, imports], 3):
        part(world, days)


CLASSES: dict[str, Callable[[World, int], None]] = {
    "mail only": mail_only,
    "midnight pairs": midnight,
    "late bounces": late,
    "operators": operators,
    "complaints": complaints,
    "imports": imports,
    "incidents": incidents,
    "mixed": mixed,
}


def arrivals(pieces: Sequence[Evidence], rng: random.Random, order: str) -> list[Evidence]:
    """Put evidence in an order of arrival, with repeats, and copies that came by the identity."""
    if order == "in order":
        arriving = sorted(pieces, key=lambda piece: piece.at)
    elif order == "late":
        arriving = sorted(pieces, key=lambda piece: piece.at + rng.random() ** 6 * 2 * DAY)
    else:
        arriving = rng.sample(list(pieces), len(pieces))
    if rng.random() < 0.5:
        for piece in rng.sample(arriving, len(arriving) // 3):
            position = rng.randrange(arriving.index(piece), len(arriving)) + 1
            arriving.insert(position, piece)
        for piece in rng.sample(arriving, len(arriving) // 3):
            if piece.kind is Kind.COMPLAINT:  # by the identity, which knows no stream
                arriving.insert(
                    arriving.index(piece) + rng.randrange(2), replace(piece, stream=None)
                )
    return arriving


def seen(everything: dict[str, Evidence], piece: Evidence) -> None:
    """Add to what a reader without limits knows: no delivery before the first transient bounce."""
    if piece.kind is Kind.DELIVERY and not any(
        one.kind is Kind.BOUNCE and one.bounce_type == "Transient" for one in everything.values()
    ):
        return
    known = everything.get(piece.id)
    if known is None or known.stream is None:
        everything[piece.id] = piece


def told(suppressions: object) -> Verdict:
    """Give of a verdict what has to be equal."""
    assert isinstance(suppressions, dict)
    return {stream: (str(found.reason), found.until) for stream, found in suppressions.items()}


class Difference(StrEnum):
    """How what is kept decides otherwise than everything."""

    TOO_LITTLE = "held too little"
    TOO_MUCH = "held too much"


class Twin:
    """What is kept of a history, beside everything that was seen of it."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.record = Record(address=JANE)
        self.everything: dict[str, Evidence] = {}

    def take(self, batch: Sequence[Evidence]) -> None:
        for piece in sorted(batch, key=lambda piece: piece.kind is Kind.DELIVERY):
            seen(self.everything, piece)
        self.record = update(self.record, batch, self.policy) or self.record

    def undo(self, incident: Incident) -> None:
        """As an operator does it, who knows only what is kept."""
        full = Record(address=JANE, evidence=tuple(self.everything.values()))
        at = max(piece.at for piece in self.everything.values()) + DAY
        for record in (full, self.record):
            caused = caused_by(record, incident)
            voids = void_caused(record, caused, undo=incident.id, by="ann", note="incident", at=at)
            if record is full:
                self.everything.update({piece.id: piece for piece in voids})
            else:
                self.record = update(self.record, voids, self.policy) or self.record

    def difference(self) -> Difference | None:
        full = told(dict(decide(JANE, self.everything.values(), self.policy).suppressions))
        kept = told(dict(self.record.suppressions))
        if full == kept:
            return None
        lost = any(
            stream not in kept or _end(kept[stream]) < _end(found) for stream, found in full.items()
        )
        return Difference.TOO_LITTLE if lost else Difference.TOO_MUCH


def _end(found: tuple[str, datetime | None]) -> datetime:
    return found[1] or datetime.max.replace(tzinfo=UTC)


def differences(
    make: Callable[[World, int], None], rng: random.Random, policy: Policy, order: str
) -> Iterator[Difference]:
    """Compare at some prefixes of one history, at its end, after an undo, and after repeats."""
    world = World(rng)
    make(world, rng.choice([1, 3, 6, 12, 25, 40, 60]))
    arriving = arrivals(world.pieces, rng, order)
    total, repeats = len(arriving), list[Evidence]()
    if not arriving:
        return
    twin, most = Twin(policy), rng.choice([1, 10])
    while arriving:
        size = rng.randrange(most) + 1
        batch, arriving_next = arriving[:size], arriving[size:]
        twin.take(batch)
        repeats += batch if rng.random() < 0.5 else []
        arriving = arriving_next
        if (not arriving or rng.random() < LOOKS * size / total) and (found := twin.difference()):
            yield found
    if world.incident:
        twin.undo(world.incident)
        if found := twin.difference():
            yield found
        twin.take(repeats)
        if found := twin.difference():
            yield found


LIVING = {
    "1 a day, 10 % bounce": (1, 0.1, 0.0),
    "3 a day, 10 % bounce": (3, 0.1, 0.0),
    "10 a day, 10 % bounce": (10, 0.1, 0.0),
    "3 a day, 20 % accepted and bounced": (3, 0.0, 0.2),
}
"""Mailboxes in order: mails a day, how many bounce, how many are accepted and bounce later."""


def is_ever_held(a_day: int, bounces: float, later: float, rng: random.Random) -> bool:
    """Tell whether 60 days of mail to a mailbox in order make a hold at any time."""
    world, record = World(rng), Record(address=JANE)
    for day in range(60):
        for _ in range(a_day):
            world.mail(START + (day + rng.random()) * DAY, bounces=bounces, later=later, slow=0.3)
    for piece in sorted(world.pieces, key=lambda piece: piece.at):
        record = update(record, [piece], POLICY) or record
        if record.suppressions:
            return True
    return False


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run the histories of each class and print how many differ."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--living", type=int, default=0)
    options = parser.parse_args()
    for name, (a_day, bounces, later) in LIVING.items():
        held = sum(
            is_ever_held(a_day, bounces, later, random.Random(f"{name} {number}"))
            for number in range(options.living)
        )
        say(f"{name}: {held} of {options.living} ever held")
    total = 0
    for name, make in CLASSES.items():
        if options.only and options.only != name:
            continue
        for order in ("in order", "late", "shuffled"):
            counts: Counter[str] = Counter()
            for number in range(options.histories):
                rng = random.Random(f"{options.seed} {name} {order} {number}")
                found = list(differences(make, rng, POLICY, order))
                counts["differ"] += bool(found)
                counts.update(set(found))
            total += options.histories
            say(f"{name:16} {order:9} {options.histories} histories: {dict(counts)}")
    say(f"{total} histories")


if __name__ == "__main__":
    main()
