"""What is published in a chaos run, and what the table has to hold afterwards."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.ingest import KINDS
from ses_suppression.deadline import Deadline
from ses_suppression.evidence import Evidence
from ses_suppression.ingest import Message, apply, ingest
from ses_suppression.operator_actions import reactivate, suppress, void
from ses_suppression.policy import Policy
from ses_suppression.record import Record
from ses_suppression.testing import InMemoryStore
from tests.sent_by_ses import ACCOUNT_ID, bounce, complaint, delivery

POLICY = Policy()
BOUNCES, COMPLAINTS, DELIVERIES = "Bounces", "Complaints", "Deliveries"
_DAYS = 40
_MOST_COPIES = 4
_OPERATOR = "arn:aws:iam::123456789012:user/operator"


@dataclass(frozen=True, slots=True)
class Post:
    """A notification, and the topic that it is published to: `Bounces`, for example."""

    kind: str
    body: str


@dataclass(frozen=True, slots=True)
class Action:
    """What an operator does to an address."""

    address: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What happens in a run.

    Attributes:
        posts: every notification once.
        rejected: those of them that are none, or not ours.
        actions: what operators do in between.
    """

    posts: tuple[Post, ...]
    rejected: frozenset[Post]
    actions: tuple[Action, ...]

    def shuffled(self, chance: random.Random) -> list[Post | Action]:
        """Give every notification one to four times, and every action, in any order."""
        copies = [post for post in self.posts for _ in range(chance.randint(1, _MOST_COPIES))]
        everything: list[Post | Action] = [*copies, *self.actions]
        chance.shuffle(everything)
        return everything

    def of(self, kind: str) -> list[Post]:
        """Give the notifications of one topic."""
        return [post for post in self.posts if post.kind == kind]

    def expected(self) -> Mapping[str, Record]:
        """Fold all of it, each once: no repetition and no fault.

        Deliveries come last: one that strikes nothing out when it comes is not kept.
        """
        store, late, now = InMemoryStore(), Deadline(3600), datetime.now(UTC)
        actions: defaultdict[str, list[Evidence]] = defaultdict(list)
        for action in self.actions:
            actions[action.address].append(action.evidence)
        apply(actions, store=store, policy=POLICY, deadline=late)
        for kind in (BOUNCES, COMPLAINTS, DELIVERIES):
            ingest(
                [Message(id=post.body, body=post.body, received_at=now) for post in self.of(kind)],
                store=store,
                policy=POLICY,
                deadline=late,
                account_ids=frozenset({ACCOUNT_ID}),
                kind=KINDS[kind.lower()],
            )
        return store.records


def feedback(chance: random.Random, *, notifications: int, addresses: int) -> Feedback:
    """Make up what happens: one in twenty is to be rejected, one in fifty an operator's action."""
    makers = _Makers(chance, addresses)
    number_rejected = notifications // 20
    sound = [makers.sound() for _ in range(notifications - number_rejected)]
    rejected = [makers.rejected() for _ in range(number_rejected)]
    return Feedback(
        posts=(*sound, *rejected),
        rejected=frozenset(rejected),
        actions=tuple(makers.action() for _ in range(notifications // 50)),
    )


class _Makers:
    """Makes up feedback about a few addresses, so that much of it meets."""

    def __init__(self, chance: random.Random, addresses: int) -> None:
        self._chance = chance
        self._addresses = [f"customer-{number}@example.net" for number in range(addresses)]
        self._ids = 0
        self._now = datetime.now(UTC).replace(microsecond=0)

    def sound(self) -> Post:
        kinds: Sequence[Callable[[], Post]] = (
            self._bounce, self._transient, self._several, self._complaint, self._delivery,
        )  # fmt: skip
        (make,) = self._chance.choices(kinds, weights=(15, 30, 5, 15, 35))
        return make()

    def rejected(self) -> Post:
        sound = self.sound()
        document = json.loads(sound.body)
        match self._chance.randrange(4):
            case 0:  # cut off on the way
                return Post(sound.kind, sound.body[: len(sound.body) // 2])
            case 1:
                document["mail"]["sendingAccountId"] = "999999999999"
            case 2:
                other = BOUNCES if sound.kind != BOUNCES else COMPLAINTS
                return Post(other, sound.body)
            case _:
                document[document["notificationType"].lower()] = [self._id()]
        return Post(sound.kind, json.dumps(document))

    def action(self) -> Action:
        address, at = self._address(), self._moment()
        note = f"ticket {self._id()}"
        match self._chance.randrange(3):
            case 0:
                return Action(address, suppress(by=_OPERATOR, note=note, at=at))
            case 1:
                return Action(address, reactivate(by=_OPERATOR, note=note, at=at))
            case _:
                evidence_id = f"feedback-{self._chance.randint(1, max(1, self._ids))}"
                evidence = void(
                    evidence_id=evidence_id, undo="incident", by=_OPERATOR, note=note, at=at
                )
                return Action(address, evidence)

    def _bounce(self) -> Post:
        choices: list[tuple[str, dict[str, Any]]] = [
            ("General", {"action": "failed", "status": "5.1.1"}),
            ("General", {"action": "failed", "status": "5.7.1", "diagnosticCode": "blocked"}),
            ("General", {"action": "delayed", "status": "4.4.7"}),
            ("Suppressed", {}),
            ("OnAccountSuppressionList", {}),
        ]
        sub_type, recipient = self._chance.choice(choices)
        return Post(
            BOUNCES, bounce(self._address(), sub_type=sub_type, **self._identifiers(), **recipient)
        )

    def _transient(self) -> Post:
        choices: list[tuple[str, dict[str, Any]]] = [
            ("MailboxFull", {"action": "failed", "status": "4.2.2"}),
            ("General", {"action": "failed", "status": "4.4.1"}),
            ("General", {}),  # an automatic reply
            ("MessageTooLarge", {"action": "failed", "status": "5.3.4"}),
        ]
        sub_type, recipient = self._chance.choice(choices)
        options: dict[str, Any] = {"bounce_type": "Transient", "sub_type": sub_type}
        return Post(BOUNCES, bounce(self._address(), **options, **self._identifiers(), **recipient))

    def _several(self) -> Post:
        """Make a bounce of several recipients, with one feedback id."""
        document = json.loads(self._bounce().body)
        (recipient,) = document["bounce"]["bouncedRecipients"]
        addresses = {self._address() for _ in range(4)}
        document["mail"]["destination"] = sorted(addresses)
        document["bounce"]["bouncedRecipients"] = [
            {**recipient, "emailAddress": address} for address in sorted(addresses)
        ]
        return Post(BOUNCES, json.dumps(document))

    def _complaint(self) -> Post:
        feedback_type = self._chance.choice(["abuse", "abuse", "not-spam", "auth-failure", None])
        more: dict[str, Any] = {"complaintFeedbackType": feedback_type} if feedback_type else {}
        return Post(COMPLAINTS, complaint(self._address(), **self._identifiers(), **more))

    def _delivery(self) -> Post:
        identifiers = self._identifiers()
        return Post(
            DELIVERIES,
            delivery(self._address(), at=identifiers["at"], mail_id=identifiers["mail_id"]),
        )

    def _identifiers(self) -> dict[str, Any]:
        number = self._id()
        return {
            "at": self._moment(),
            "feedback_id": f"feedback-{number}",
            "mail_id": f"mail-{number}",
        }

    def _id(self) -> int:
        self._ids += 1
        return self._ids

    def _address(self) -> str:
        return self._chance.choice(self._addresses)

    def _moment(self) -> datetime:
        return self._now - timedelta(seconds=self._chance.randrange(_DAYS * 24 * 3600))
