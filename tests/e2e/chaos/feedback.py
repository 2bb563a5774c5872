"""What is published in a chaos run, and what the table has to hold afterwards."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.ingest import FEEDBACK
from ses_suppression.core.actions import import_entry, reactivate, suppress, void
from ses_suppression.core.evidence import TENANT_LIST, Evidence, Kind
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record
from ses_suppression.ingest import Message, Outcome, Status, apply, ingest
from ses_suppression.store.deadline import Deadline
from ses_suppression.testing import InMemoryStore
from tests.builders import (
    ACCOUNT_ID,
    bounce_notification,
    complaint_notification,
    delivery_notification,
    iso,
    mail_object,
    subscription_event,
)

SETTINGS = {"stream_tag": "stream", "complaints_do_not_block": ["security"]}
POLICY = Policy.from_mapping(SETTINGS)
_FEEDBACK = {one.plural.capitalize(): what for one, what in FEEDBACK.items()}
KINDS = BOUNCES, COMPLAINTS, DELIVERIES = "Bounces", "Complaints", "Deliveries"
_DAYS = 25
_MOST_COPIES = 4
_RECIPIENTS = {
    "bounce": "bouncedRecipients",
    "complaint": "complainedRecipients",
    "delivery": "recipients",
}
_STREAMS = ("news", "security")
_AN_ADDRESS = re.compile(r"[\w-]+@example\.net", re.IGNORECASE)
OPERATOR = f"arn:aws:iam::{ACCOUNT_ID}:root"
IMPORT_NOTE = "moved here"


@dataclass(frozen=True, slots=True)
class Post:
    """A notification, and the topic that it is published to: `Bounces`, for example."""

    kind: str
    body: str

    @property
    def addresses(self) -> set[str]:
        """The addresses that it names, by its text alone: not by the parser that is tried."""
        return {text.lower() for text in _AN_ADDRESS.findall(self.body)}


@dataclass(frozen=True, slots=True)
class Action:
    """What an operator does to an address."""

    address: str
    evidence: Evidence


def is_import(one: Post | Action) -> bool:
    """Tell whether it comes by the import of a file."""
    return isinstance(one, Action) and one.evidence.kind is Kind.IMPORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What happens in a run.

    Attributes:
        posts: every notification once.
        rejected: those of them that are none, or not ours, or hold a recipient that is none.
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

    @property
    def imports(self) -> list[Action]:
        """Those actions that come as the export of another service."""
        return [action for action in self.actions if is_import(action)]

    def about(self, addresses: Collection[str]) -> list[Post]:
        """Give the notifications that name any of some addresses."""
        return [post for post in self.posts if not post.addresses.isdisjoint(addresses)]

    def and_also(self, actions: Iterable[Action]) -> "Feedback":
        """Add what else operators did."""
        return replace(self, actions=(*self.actions, *actions))

    def without(self, what: Callable[[Post | Action], bool]) -> "Feedback":
        """Leave something out."""
        return replace(
            self,
            posts=tuple(post for post in self.posts if not what(post)),
            actions=tuple(action for action in self.actions if not what(action)),
        )

    def expected(self) -> Mapping[str, Record]:
        """Fold all of it, each once: no repetition and no fault.

        Deliveries come last: one that voids nothing when it comes is not kept.
        """
        store, late = InMemoryStore(), Deadline(3600)
        actions: defaultdict[str, list[Evidence]] = defaultdict(list)
        for action in self.actions:
            actions[action.address].append(action.evidence)
        apply(actions, store=store, policy=POLICY, deadline=late)
        for kind in KINDS:
            ingested(self.of(kind), kind, store)
        return store.records


def reason_of(post: Post) -> str:
    """Say why a notification is rejected; empty: it is not."""
    (outcome,) = ingested([post], post.kind, InMemoryStore())
    return outcome.reason if outcome.status is Status.REJECTED else ""


def ingested(posts: Iterable[Post], kind: str, store: InMemoryStore) -> list[Outcome]:
    """Hand notifications of one kind to the ingest, all at once."""
    now = datetime.now(UTC)
    return ingest(
        [Message(id=post.body, body=post.body, received_at=now) for post in posts],
        store=store,
        policy=POLICY,
        deadline=Deadline(3600),
        account_ids=frozenset({ACCOUNT_ID}),
        kind=_FEEDBACK[kind],
    )


def feedback(
    chance: random.Random, *, notifications: int, addresses: int, now: datetime
) -> Feedback:
    """Make up what happens: one in twenty is to be rejected, one in twenty an operator's action.

    Args:
        chance: makes the same again from the same seed.
        notifications: how many.
        addresses: how many they are about.
        now: all of it happened in the 25 days before.
    """
    makers = _Makers(chance, addresses, now)
    number_rejected = notifications // 20
    sound = [makers.sound() for _ in range(notifications - number_rejected)]
    rejected = [makers.rejected() for _ in range(number_rejected)]
    return Feedback(
        posts=(*sound, *rejected),
        rejected=frozenset(rejected),
        actions=tuple(makers.action() for _ in range(notifications // 20)),
    )


def _by_the_other_channel(post: Post) -> Post:
    """Write the notification of an identity as the event of a configuration set, or back."""
    document = json.loads(post.body)
    one, other = "notificationType", "eventType"
    if one not in document:
        one, other = other, one
    document[other] = document.pop(one)
    if other == "notificationType":
        document["mail"].pop("tags", None)  # an identity knows none
    return Post(post.kind, json.dumps(document))


def _named(document: Mapping[str, Any], name: str) -> list[Any]:
    """Return the recipients that a notification names, or the topics of a subscription."""
    if name == "subscription":
        topics: list[Any] = document[name]["newTopicPreferences"]["topicSubscriptionStatus"]
        return topics
    recipients: list[Any] = document[name][_RECIPIENTS[name]]
    return recipients


class _Makers:
    """Makes up feedback about a few addresses, so that much of it meets.

    Much happens to one in thirty of them: to the first third of these only mail that came or did
    not come, to the second mail that did not come, to the last anything. On an address that is held
    back for good no row of transient bounces, and no delivery, would decide anything.
    """

    def __init__(self, chance: random.Random, addresses: int, now: datetime) -> None:
        self._chance = chance
        every = [f"customer-{number}@example.net" for number in range(addresses)]
        third = max(2, addresses // 90)
        self._wavering, self._failing = every[:third], every[third : 2 * third]
        self._troubled, self._others = every[2 * third : 3 * third], every[3 * third :]
        self._ids = 0
        self._now = now
        self._feedbacks: list[Post] = []
        self._evidence: list[tuple[str, str]] = []  # address and id
        self._mails: list[tuple[str, str, datetime]] = []  # address, id and time of one that failed

    def sound(self) -> Post:
        (make,) = self._chance.choices(
            [self._feedback, self._by_the_other_channel, self._notice], weights=(17, 2, 1)
        )
        return make()

    def _feedback(self) -> Post:
        kinds: Sequence[Callable[[], Post]] = (
            self._bounce, self._transient, self._several, self._complaint, self._subscription,
            self._delivery,
        )  # fmt: skip
        (make,) = self._chance.choices(kinds, weights=(15, 30, 5, 15, 5, 30))
        post = self._sent_earlier(make())
        if self._chance.random() < 1 / 5:
            post = _by_the_other_channel(post)
        self._feedbacks.append(post)
        return post

    def _sent_earlier(self, post: Post) -> Post:
        """Let one in three be about a mail of days before."""
        document = json.loads(post.body)
        if self._chance.random() < 1 / 3:
            sent = datetime.fromisoformat(document["mail"]["timestamp"])
            hours = self._chance.randrange(1, 100)
            document["mail"]["timestamp"] = iso(sent - timedelta(hours=hours))
        return Post(post.kind, json.dumps(document))

    def _by_the_other_channel(self) -> Post:
        """Tell once more what was told by an identity, or by a configuration set."""
        return _by_the_other_channel(self._chance.choice(self._feedbacks or [self._feedback()]))

    def _notice(self) -> Post:
        """Make an event that is no feedback: it is acknowledged, and nothing follows."""
        address = self._address(self._troubled)
        document = {
            "eventType": "Send",
            "send": {},
            "mail": mail_object(address, mail_id=f"{self._id()}"),
        }
        return Post(self._chance.choice(KINDS), json.dumps(document))

    def rejected(self) -> Post:
        sound = self._feedback()
        document = json.loads(sound.body)
        name = (document.get("notificationType") or document["eventType"]).lower()
        match self._chance.randrange(5):
            case 0:  # cut off on the way
                return Post(sound.kind, sound.body[: len(sound.body) // 2])
            case 1:
                document["mail"]["sendingAccountId"] = "999999999999"
            case 2:
                other = BOUNCES if sound.kind != BOUNCES else COMPLAINTS
                return Post(other, sound.body)
            case 3:
                document[name] = [self._id()]
            case _:  # the others that it names are applied
                _named(document, name).append(None)
        return Post(sound.kind, json.dumps(document))

    def action(self) -> Action:
        at, note = self._moment(), f"ticket {self._id()}"
        address = self._address(self._troubled)
        match self._chance.randrange(4):
            case 0:
                stream = self._chance.choice([None, None, "news"])
                return Action(address, suppress(by=OPERATOR, note=note, at=at, stream=stream))
            case 3:
                reason, note = self._chance.choice(list(Reason)), f"{IMPORT_NOTE}: {note}"
                entry = import_entry(address=address, reason=reason, by=OPERATOR, note=note, at=at)
                return Action(address, entry)
            case 1:
                address = self._address(self._wavering + self._failing + self._troubled)
                stream, consent = (
                    self._chance.choice([None, None, "news"]),
                    self._chance.random() < 0.8,
                )
                word = reactivate(by=OPERATOR, note=note, at=at, consent=consent, stream=stream)
                return Action(address, word)
            case _:
                address, voided = self._chance.choice(self._evidence)
                evidence = void(evidence_id=voided, undo="incident", by=OPERATOR, note=note, at=at)
                return Action(address, evidence)

    def _bounce(self) -> Post:
        choices: list[tuple[str, dict[str, Any]]] = [
            ("General", {"action": "failed", "status": "5.1.1"}),
            ("General", {"action": "failed", "status": "5.7.1", "diagnosticCode": "blocked"}),
            ("General", {"action": "failed", "status": "5.4.1"}),
            ("General", {"action": "failed", "status": "5.7.26"}),
            ("General", {"action": "delayed", "status": "4.4.7"}),
            ("Suppressed", {}),
            ("UnsubscribedRecipient", {}),
            ("OnAccountSuppressionList", {}),
            (TENANT_LIST, {}),
        ]
        sub_type, recipient = self._chance.choice(choices)
        address = self._address(self._troubled)
        identifiers = self._identifiers(address)
        body = bounce_notification(
            self._spelled(address), sub_type=sub_type, **identifiers, **recipient
        )
        return Post(BOUNCES, self._sent_by_a_tenant(body))

    def _transient(self) -> Post:
        choices: list[tuple[str, dict[str, Any]]] = [
            ("MailboxFull", {"action": "failed", "status": "4.2.2"}),
            ("General", {"action": "failed", "status": "4.4.1"}),
            ("General", {}),  # an automatic reply
            ("MessageTooLarge", {"action": "failed", "status": "5.3.4"}),
            ("Undetermined", {"action": "failed", "status": "4.0.0"}),
        ]
        (choice,) = self._chance.choices(choices, weights=(3, 3, 1, 1, 1))
        sub_type, recipient = choice
        address = self._address(self._wavering + self._failing, often=0.5)
        bounce_type = "Undetermined" if sub_type == "Undetermined" else "Transient"
        options: dict[str, Any] = {"bounce_type": bounce_type, "sub_type": sub_type}
        identifiers = self._identifiers(address)
        if address not in self._failing:
            self._mails.append((address, identifiers["mail_id"], identifiers["at"]))
        return Post(
            BOUNCES,
            bounce_notification(self._spelled(address), **options, **identifiers, **recipient),
        )

    def _several(self) -> Post:
        """Make a bounce of several recipients, with one feedback id."""
        document = json.loads(self._bounce().body)
        (recipient,) = document["bounce"]["bouncedRecipients"]
        addresses = sorted({self._address(self._troubled) for _ in range(4)})
        self._evidence += [(address, document["bounce"]["feedbackId"]) for address in addresses]
        document["mail"]["destination"] = addresses
        document["bounce"]["bouncedRecipients"] = [
            {**recipient, "emailAddress": address} for address in addresses
        ]
        return Post(BOUNCES, json.dumps(document))

    def _complaint(self) -> Post:
        feedback_type = self._chance.choice(["abuse", "abuse", "not-spam", "auth-failure", None])
        more: dict[str, Any] = {"complaintFeedbackType": feedback_type} if feedback_type else {}
        if self._chance.random() < 1 / 10:
            more["complaintSubType"] = self._chance.choice(
                ["OnAccountSuppressionList", TENANT_LIST]
            )
        address = self._address(self._troubled)
        body = complaint_notification(self._spelled(address), **self._identifiers(address), **more)
        return Post(COMPLAINTS, self._sent_by_a_tenant(body))

    def _sent_by_a_tenant(self, body: str) -> str:
        """Let two of three mails name one of two tenants, and two of three a stream."""
        document = json.loads(body)
        tenant = self._chance.choice([None, "acme", "initech"])
        stream = self._chance.choice([None, *_STREAMS])
        tags = {"ses:tenant-name": tenant, "stream": stream}
        document["mail"]["tags"] = {name: [value] for name, value in tags.items() if value}
        return json.dumps(document)

    def _subscription(self) -> Post:
        """Let a recipient change what mail it wants: all, none, or that of two topics."""
        address = self._address(self._failing + self._troubled)
        body = subscription_event(
            address,
            unsubscribe_all=self._chance.choice([True, False, None]),
            topics={name: self._chance.choice(["OptIn", "OptOut"]) for name in ("news", "offers")},
            at=self._moment(),
            mail_id=f"mail-{self._id()}",
        )
        return Post(COMPLAINTS, body)

    def _delivery(self) -> Post:
        """Make a delivery; one in ten is of a mail that something came back for."""
        address = self._address(self._wavering, often=0.05)
        mail_id, at = f"mail-{self._id()}", self._moment()
        if self._mails and self._chance.random() < 1 / 10:
            # Once: a mail is delivered to somebody once, at one time.
            address, mail_id, at = self._mails.pop(self._chance.randrange(len(self._mails)))
            at += timedelta(minutes=self._chance.choice([-5, 5]))
        return Post(
            DELIVERIES, delivery_notification(self._spelled(address), at=at, mail_id=mail_id)
        )

    def _identifiers(self, address: str) -> dict[str, Any]:
        number = self._id()
        self._evidence.append((address, f"feedback-{number}"))
        return {
            "at": self._moment(),
            "feedback_id": f"feedback-{number}",
            "mail_id": f"mail-{number}",
        }

    def _id(self) -> int:
        self._ids += 1
        return self._ids

    def _address(self, chosen: Sequence[str], often: float = 0.3) -> str:
        """Draw an address; often one of the chosen."""
        return self._chance.choice(chosen if self._chance.random() < often else self._others)

    def _spelled(self, address: str) -> str:
        """Write it as some receiving system might."""
        return address.title() if self._chance.random() < 1 / 10 else address

    def _moment(self) -> datetime:
        return self._now - timedelta(seconds=self._chance.randrange(_DAYS * 24 * 3600))
