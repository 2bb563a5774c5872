"""The verdict, as a pure function of the set of evidence, and how it came about.

`decide` sorts by time first, so that no order of arrival, no repetition and no batching can change
what it says: SES promises neither order nor single delivery. It never looks at the clock and never
raises.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import assert_never

from ses_suppression.address import domain_of, is_simulator
from ses_suppression.classification import may_be_automatic_reply, rule_of
from ses_suppression.evidence import EVERY_STREAM, Evidence, Kind, in_time, tenant_key
from ses_suppression.policy import (
    CONSEQUENCES,
    Count,
    LiftComplaint,
    LiftUnsubscription,
    Policy,
    Reason,
    Record,
    Scope,
    StrikeOut,
    StrikeOutTransientBounces,
    Suppress,
)
from ses_suppression.rules import Rule
from ses_suppression.suppression import Suppression, verdict
from ses_suppression.value import value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Effect(StrEnum):
    """What a piece of evidence does to the verdict."""

    SUPPRESSES = "suppresses"
    COUNTED = "counted"
    RECORDED = "recorded"
    LIFTS = "lifts"
    STRUCK_OUT = "struck out"


@dataclass(slots=True, kw_only=True)
class Step:
    """What one piece of evidence amounted to: a line of the explanation.

    Attributes:
        evidence: the piece of evidence.
        rule: the rule that it met.
        effect: what it does to the verdict.
        until: the end of what it suppresses; None: no end.
        count: which in the row it is, for what is counted.
        by: the id of the evidence that struck it out.
    """

    evidence: Evidence
    rule: Rule
    effect: Effect = Effect.RECORDED
    until: datetime | None = None
    count: int | None = None
    by: str | None = None

    @property
    def counts(self) -> bool:
        """Tell whether it was not struck out."""
        return self.effect is not Effect.STRUCK_OUT

    def strike_out(self, by: "Step") -> None:
        """Take away its effect, and mark the other as what did it."""
        self.effect, self.by = Effect.STRUCK_OUT, by.evidence.id
        by.effect = Effect.LIFTS


@value
class Decision:
    """The verdict by stream, and every piece of evidence in order of time with what it did."""

    suppressions: Mapping[str, Suppression]
    steps: tuple[Step, ...]


def decide(address: str, evidence: Iterable[Evidence], policy: Policy) -> Decision:
    """Decide whether mail to an address is held back, and say why.

    Args:
        address: normalised.
        evidence: what happened to it, in any order.
        policy: the thresholds.
    """
    steps = tuple(
        Step(evidence=piece, rule=rule_of(piece)) for piece in sorted(evidence, key=in_time)
    )
    if address in policy.never_suppress or domain_of(address) in policy.never_suppress:
        return Decision(suppressions={}, steps=steps)
    _apply_voids(steps)
    _apply_reactivations(steps)
    _apply_subscriptions(steps)
    _recognise_automatic_replies(steps)
    longest_days = policy.simulator_days if is_simulator(address) else None
    return Decision(suppressions=_Walk(policy, longest_days).over(steps), steps=steps)


def expires_at(address: str, decision: Decision, policy: Policy) -> int | None:
    """Give the time at which a record has served its purpose, in epoch seconds.

    None while a suppression has no end. A simulator's record expires with its verdict.
    """
    ends = [suppression.until for suppression in decision.suppressions.values()]
    if None in ends:
        return None
    kept_days = policy.simulator_days if is_simulator(address) else policy.kept_days
    newest = [_later(step.evidence.at, days=kept_days) for step in decision.steps[-1:]]
    return int(max((end for end in (*ends, *newest) if end), default=_EPOCH).timestamp())


def has_complained(
    address: str, evidence: Iterable[Evidence], policy: Policy, *, stream: str | None
) -> bool:
    """Tell whether a complaint counts, though something that lasts longer may speak for it.

    Args:
        address: normalised.
        evidence: what happened to it, in any order.
        policy: the thresholds.
        stream: only complaints that hold back this stream; None: all.
    """
    for step in decide(address, evidence, policy).steps:
        consequence = CONSEQUENCES[step.rule]
        if step.effect is Effect.SUPPRESSES and isinstance(consequence, Suppress):
            reason = consequence.reason or _imported_reason(step.evidence)
            on_it = stream in {None, _stream(consequence, step.evidence)}
            if reason is Reason.COMPLAINT and on_it:
                return True
    return False


def _apply_voids(steps: tuple[Step, ...]) -> None:
    """Strike out what is voided; the newest speaks first, since it can void another void."""
    by_id = {step.evidence.id: step for step in steps}
    for step in reversed(steps):
        if step.rule is not Rule.VOID or not step.counts:
            continue
        target = by_id.get(step.evidence.voids or "")
        if target and (
            target.rule is not Rule.VOID or in_time(target.evidence) < in_time(step.evidence)
        ):
            target.strike_out(by=step)


def _apply_reactivations(steps: tuple[Step, ...]) -> None:
    """Strike out what a reactivation puts behind it."""
    for reactivation in steps:
        if reactivation.rule is Rule.REACTIVATE and reactivation.counts:
            for step in steps:
                if step.counts and _is_lifted_by(reactivation.evidence, step):
                    step.strike_out(by=reactivation)


def _is_lifted_by(reactivation: Evidence, step: Step) -> bool:
    consequence, evidence = CONSEQUENCES[step.rule], step.evidence
    if isinstance(consequence, StrikeOut | StrikeOutTransientBounces):
        return False
    if reactivation.stream is not None and (
        not isinstance(consequence, Suppress)
        or _stream(consequence, evidence) != reactivation.stream
    ):
        return False
    return _happened(evidence) < reactivation.at


def _happened(evidence: Evidence) -> datetime:
    """Return when something happened, for what puts it behind."""
    match evidence.kind:
        case Kind.BOUNCE:
            # Of mail from before it says nothing about the mailbox afterwards, however late.
            return evidence.mail_at or evidence.at
        case Kind.COMPLAINT:
            # Its own time can be earlier than its mail's.
            return max(evidence.at, evidence.mail_at or evidence.at)
        case _:
            return evidence.at


def _apply_subscriptions(steps: tuple[Step, ...]) -> None:
    """Strike out the unsubscriptions that a later subscription takes back."""
    for subscription in steps:
        if subscription.rule is Rule.SUBSCRIBED and subscription.counts:
            for step in steps:
                if (
                    step.rule is Rule.UNSUBSCRIBED
                    and step.counts
                    and _takes_back(subscription.evidence, step.evidence)
                ):
                    step.strike_out(by=subscription)


def _takes_back(subscription: Evidence, unsubscription: Evidence) -> bool:
    if _happened(unsubscription) >= subscription.at:
        return False
    if unsubscription.kind is Kind.BOUNCE and subscription.stream is None:
        # It does not tell why SES did not send; from which topics the recipient is still
        # unsubscribed, the same event says.
        return True
    return unsubscription.stream == subscription.stream


def _recognise_automatic_replies(steps: tuple[Step, ...]) -> None:
    """A mail that is known as delivered did not bounce: what came back was written by a machine."""
    deliveries = {
        step.evidence.mail_id: step for step in steps if step.rule is Rule.DELIVERY and step.counts
    }
    deliveries.pop(None, None)
    for step in steps:
        if step.rule is Rule.TRANSIENT_BOUNCE and may_be_automatic_reply(step.evidence):
            delivery = deliveries.get(step.evidence.mail_id)
            if delivery and step.counts:
                step.rule, delivery.effect = Rule.AUTOMATIC_REPLY, Effect.LIFTS


def _stream(consequence: Suppress, evidence: Evidence) -> str | None:
    """Return the verdict's key for the mail that is held back; None: there is none."""
    match consequence.scope:
        case Scope.EVERY_STREAM:
            return EVERY_STREAM
        case Scope.STREAM_OR_EVERY:
            return evidence.stream or EVERY_STREAM
        case Scope.TENANT_ONLY:
            return tenant_key(evidence.tenant) if evidence.tenant else None
        case _:
            assert_never(consequence.scope)


class _Walk:
    """The fold over the evidence that counts, in order of time."""

    def __init__(self, policy: Policy, longest_days: int | None) -> None:
        self._policy = policy
        self._longest_days = longest_days  # no suppression lasts longer: the mailbox simulator's
        self._suppressing: list[tuple[Step, Suppression]] = []
        self._holds: dict[Rule, int] = {}  # how many there were, for what doubles
        self._last_day: dict[Rule, date] = {}  # for what counts once a day
        self._transient: list[Step] = []  # all that no delivery has struck out
        self._row: list[Step] = []  # the run that has not made a hold yet
        self._bounced_at: dict[str, datetime] = {}  # when a mail bounced last
        self._last_bounce_of: dict[date, datetime] = {}  # of the transient ones that count

    def over(self, steps: Iterable[Step]) -> Mapping[str, Suppression]:
        counting = [step for step in steps if step.counts]
        for step in counting:
            if (
                step.evidence.kind is Kind.BOUNCE
                and step.rule is not Rule.AUTOMATIC_REPLY
                and step.evidence.mail_id
            ):
                self._bounced_at[step.evidence.mail_id] = step.evidence.at
            if step.rule is Rule.TRANSIENT_BOUNCE:
                self._last_bounce_of[step.evidence.at.date()] = step.evidence.at
        for step in counting:
            self._take(step)
        return verdict(suppression for step, suppression in self._suppressing if step.counts)

    def _take(self, step: Step) -> None:
        consequence = CONSEQUENCES[step.rule]
        match consequence:
            case Suppress(doubling=True):
                if not self._was_today(step):
                    self._suppress(step, consequence)
            case Suppress():
                self._suppress(step, consequence)
            case Count():
                self._count(step, consequence)
            case StrikeOutTransientBounces():
                self._deliver(step)
            case LiftComplaint():
                self._lift_complaint(step)
            case LiftUnsubscription() | StrikeOut() | Record():
                pass
            case _:
                assert_never(consequence)

    def _was_today(self, step: Step) -> bool:
        """What counts once a UTC day: a burst of mail under way says no more than its first."""
        day = step.evidence.at.date()
        before, self._last_day[step.rule] = self._last_day.get(step.rule), day
        return day == before

    def _suppress(self, step: Step, consequence: Suppress) -> None:
        evidence = step.evidence
        stream = _stream(consequence, evidence)
        if stream is None or (
            step.rule is Rule.COMPLAINT and stream in self._policy.complaints_do_not_block
        ):
            return
        step.effect, step.until = Effect.SUPPRESSES, self._end(step, consequence)
        suppression = Suppression(
            stream=stream,
            reason=consequence.reason or _imported_reason(evidence),
            rule=step.rule,
            origin=consequence.origin,
            since=evidence.at.replace(microsecond=0),
            until=step.until,
            evidence_id=evidence.id,
            certain=step.rule is not Rule.COMPLAINT or evidence.certain is not False,
        )
        self._suppressing.append((step, suppression))

    def _end(self, step: Step, consequence: Suppress) -> datetime | None:
        until = step.evidence.until
        if consequence.days:
            first = getattr(self._policy, consequence.days)
            earlier = self._holds.get(step.rule, 0) if consequence.doubling else 0
            self._holds[step.rule] = earlier + 1
            until = _later(
                step.evidence.at,
                days=min(first << earlier, max(first, self._policy.longest_hold_days)),
            )
        if self._longest_days:
            limit = _later(step.evidence.at, days=self._longest_days)
            until = min(until, limit) if until else limit
        return until.replace(microsecond=0) if until else None

    def _count(self, step: Step, consequence: Count) -> None:
        self._transient.append(step)
        if self._was_today(step):
            return
        at, window = step.evidence.at, timedelta(days=self._policy.transient_window_days)
        self._row = [earlier for earlier in self._row if at - earlier.evidence.at <= window]
        self._row.append(step)
        step.effect, step.count = Effect.COUNTED, len(self._row)
        if len(self._row) >= self._policy.transient_bounces:
            self._suppress(step, consequence.hold)
            self._row = []

    def _deliver(self, delivery: Step) -> None:
        # Of a UTC day the last word counts: which mail it was about may be known no more, since of
        # transient bounces only the newest of a day is kept.
        later = (
            self._bounced_at.get(delivery.evidence.mail_id or ""),
            self._last_bounce_of.get(delivery.evidence.at.date()),
        )
        if any(bounced_at and bounced_at >= delivery.evidence.at for bounced_at in later):
            return
        for step in self._transient:
            step.strike_out(by=delivery)
        self._transient, self._row = [], []
        self._holds.pop(Rule.TRANSIENT_BOUNCE, None)

    def _lift_complaint(self, not_spam: Step) -> None:
        if not_spam.evidence.certain is not True or not_spam.evidence.mail_id is None:
            return
        for step, _ in self._suppressing:
            complaint = step.evidence
            if (
                step.rule is Rule.COMPLAINT
                and step.counts
                and complaint.certain is False
                and complaint.mail_id == not_spam.evidence.mail_id
                and complaint.stream == not_spam.evidence.stream
            ):
                step.strike_out(by=not_spam)


def _imported_reason(evidence: Evidence) -> Reason:
    return Reason(evidence.reason) if evidence.reason in set(Reason) else Reason.MANUAL


def _later(moment: datetime, *, days: int) -> datetime:
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
