"""The verdict, as a pure function of the set of evidence, and how it came about.

`decide` sorts by time first, so that no order of arrival, no repetition and no batching can change
what it says: SES promises neither order nor single delivery. It never looks at the clock and never
raises.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import assert_never

from ses_suppression.core.address import domain_of, is_simulator
from ses_suppression.core.classification import may_be_automatic_reply, rule_of
from ses_suppression.core.evidence import (
    EVERY_STREAM,
    Evidence,
    happened_at,
    in_order_of_mail,
    in_time,
    mailed_at,
    tenant_key,
)
from ses_suppression.core.policy import (
    CONSEQUENCES,
    DAYS_KEPT,
    Consequence,
    Count,
    NoEffect,
    Policy,
    Reason,
    Scope,
    Suppress,
    Void,
    VoidComplaint,
    VoidTransientBounces,
    VoidUnsubscription,
)
from ses_suppression.core.rules import Rule
from ses_suppression.core.suppression import Suppression, Verdict, combine
from ses_suppression.core.under_way import UnderWay

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Effect(StrEnum):
    """What a piece of evidence does to the verdict."""

    SUPPRESSES = "suppresses"
    COUNTED = "counted"
    RECORDED = "recorded"
    VOIDS = "voids"
    VOIDED = "voided"


@dataclass(slots=True, kw_only=True)
class Step:
    """What one piece of evidence amounted to: a line of the explanation.

    Attributes:
        evidence: the piece of evidence.
        rule: the rule that it met.
        effect: what it does to the verdict.
        until: the end of what it suppresses; None: no end.
        count: which in its streak it is, for what is counted.
        by: the id of the evidence that voided it.
    """

    evidence: Evidence
    rule: Rule
    effect: Effect = Effect.RECORDED
    until: datetime | None = None
    count: int | None = None
    by: str | None = None

    @property
    def counts(self) -> bool:
        """Whether nothing has voided it."""
        return self.effect is not Effect.VOIDED

    def void(self, by: "Step") -> None:
        """Take away its effect, and mark the other as what did it."""
        self.effect, self.by = Effect.VOIDED, by.evidence.id
        by.effect = Effect.VOIDS


@dataclass(slots=True, kw_only=True)
class Decision:
    """The verdict by stream, and every piece of evidence in order of time with what it did."""

    suppressions: Verdict
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
    under_way = UnderWay(
        step.evidence for step in steps if step.rule is Rule.TRANSIENT_BOUNCE and step.counts
    )
    _void_reactivated(steps)
    _void_unsubscriptions(steps)
    _void_before_delivery(steps, under_way)
    _void_withdrawn_complaints(steps, policy)
    counting = _once_a_day([step for step in steps if step.counts])
    _count_streaks(counting, policy)
    longest_days = policy.simulator_days if is_simulator(address) else None
    return Decision(suppressions=combine(_suppress(counting, policy, longest_days)), steps=steps)


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


def lasting_reason(address: str, evidence: Iterable[Evidence], policy: Policy) -> Reason | None:
    """Tell why feedback holds every stream back without end; None: it does not.

    An operator's word may hold it back as well, and then speaks in the verdict. What is asked here
    is what belongs on SES's account-level list, which knows neither operators, streams nor ends.
    """
    decision = decide(address, evidence, policy)
    if EVERY_STREAM not in decision.suppressions:  # never_suppress
        return None
    reasons = {
        _reason(consequence, step.evidence)
        for step in decision.steps
        if step.effect is Effect.SUPPRESSES
        and step.until is None
        and isinstance(consequence := CONSEQUENCES[step.rule], Suppress)
        and _stream(consequence, step.evidence) == EVERY_STREAM
    }
    known = (Reason.COMPLAINT, Reason.BOUNCE)
    return next((reason for reason in known if reason in reasons), None)


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
            on_it = stream in {None, _stream(consequence, step.evidence)}
            if _reason(consequence, step.evidence) is Reason.COMPLAINT and on_it:
                return True
    return False


def _apply_voids(steps: tuple[Step, ...]) -> None:
    """Void what is voided: of each undo the newest word on a target speaks.

    Earlier versions took an undo back by a void of its void, so the newest is asked first.
    """
    by_id = {step.evidence.id: step for step in steps}
    spoken: set[tuple[str | None, str | None]] = set()
    for step in reversed(steps):
        if step.rule is not Rule.VOID or not step.counts:
            continue
        word = step.evidence.undo, step.evidence.voids
        if word in spoken:
            continue
        spoken.add(word)
        target = by_id.get(step.evidence.voids or "")
        if (
            target
            and not step.evidence.lifted
            and (target.rule is not Rule.VOID or in_time(target.evidence) < in_time(step.evidence))
        ):
            target.void(by=step)


def _void_reactivated(steps: tuple[Step, ...]) -> None:
    """Void what a reactivation puts behind it."""
    for reactivation in steps:
        if reactivation.rule is Rule.REACTIVATE and reactivation.counts:
            for step in steps:
                if step.counts and _is_lifted_by(reactivation.evidence, step):
                    step.void(by=reactivation)


def _is_lifted_by(reactivation: Evidence, step: Step) -> bool:
    consequence, evidence = CONSEQUENCES[step.rule], step.evidence
    if isinstance(consequence, Void | VoidTransientBounces):
        return False
    if reactivation.stream is not None and (
        not isinstance(consequence, Suppress)
        or _stream(consequence, evidence) != reactivation.stream
    ):
        return False
    if reactivation.consent is False and _reason(consequence, evidence) is Reason.COMPLAINT:
        return False
    return happened_at(evidence) < reactivation.at


def _void_unsubscriptions(steps: tuple[Step, ...]) -> None:
    """Void the unsubscriptions that a later subscription takes back."""
    for subscription in steps:
        if subscription.rule is Rule.SUBSCRIBED and subscription.counts:
            for step in steps:
                if (
                    step.rule is Rule.UNSUBSCRIBED
                    and step.counts
                    and _takes_back(subscription.evidence, step.evidence)
                ):
                    step.void(by=subscription)


def _takes_back(subscription: Evidence, unsubscription: Evidence) -> bool:
    if happened_at(unsubscription) >= subscription.at:
        return False
    if unsubscription.bounce_sub_type and subscription.stream is None:
        # It does not tell why SES did not send; from which topics the recipient is still
        # unsubscribed, the same event says.
        return True
    return unsubscription.stream == subscription.stream


def _void_before_delivery(steps: tuple[Step, ...], under_way: UnderWay) -> None:
    """Void the transient bounces before the newest delivery that says something."""
    deliveries = (step for step in reversed(steps) if step.rule is Rule.DELIVERY and step.counts)
    newest = next((step for step in deliveries if step.evidence.at not in under_way), None)
    if newest is None:
        return
    for step in steps:
        if step.rule is Rule.TRANSIENT_BOUNCE and step.counts:
            # What came back without a report, of mail that was delivered, is a machine's answer.
            is_reply = may_be_automatic_reply(step.evidence)
            before = mailed_at(step.evidence) if is_reply else step.evidence.at
            if before < newest.evidence.at or (is_reply and before == newest.evidence.at):
                step.void(by=newest)


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


def _void_withdrawn_complaints(steps: tuple[Step, ...], policy: Policy) -> None:
    """Void the uncertain complaints before a certain "not spam" about the same mail."""
    for number, not_spam in enumerate(steps):
        if not (
            isinstance(CONSEQUENCES[not_spam.rule], VoidComplaint)
            and not_spam.counts
            and not_spam.evidence.certain is True
            and not_spam.evidence.mail_id is not None
        ):
            continue
        for step in steps[:number]:
            complaint = step.evidence
            if (
                step.rule is Rule.COMPLAINT
                and step.counts
                and complaint.certain is False
                and complaint.mail_id == not_spam.evidence.mail_id
                and complaint.stream == not_spam.evidence.stream
                and (complaint.stream or EVERY_STREAM) not in policy.complaints_do_not_block
            ):
                step.void(by=not_spam)


def _once_a_day(steps: Sequence[Step]) -> Sequence[Step]:
    """Leave out all but one of a UTC day, where a rule counts once a day.

    A burst of mail says no more than one of it. It is the mail that was sent last: whatever puts
    mail behind it that was sent before, leaves that one till the end.
    """
    newest: dict[tuple[Rule, date], Evidence] = {}
    for step in steps:
        if step.rule in DAYS_KEPT:
            day = step.rule, step.evidence.at.date()
            newest[day] = max(newest.get(day, step.evidence), step.evidence, key=in_order_of_mail)
    by_rule: dict[Rule, list[date]] = {}
    for rule, day_of_it in newest:
        by_rule.setdefault(rule, []).append(day_of_it)
    kept = {
        newest[rule, day_of_it].id
        for rule, days in by_rule.items()
        for day_of_it in sorted(days)[-DAYS_KEPT[rule] :]
    }
    return [step for step in steps if step.rule not in DAYS_KEPT or step.evidence.id in kept]


def _count_streaks(steps: Iterable[Step], policy: Policy) -> None:
    """Number the bounces of each streak; one that is complete ends, and the next begins."""
    streak: list[Step] = []
    for step in steps:
        if isinstance(CONSEQUENCES[step.rule], Count):
            if policy.transient_window_days is not None:
                window = timedelta(days=policy.transient_window_days)
                at = step.evidence.at
                streak = [earlier for earlier in streak if at - earlier.evidence.at <= window]
            streak.append(step)
            step.effect, step.count = Effect.COUNTED, len(streak)
            if step.count >= policy.transient_bounces:
                streak = []


def _suppress(
    steps: Iterable[Step], policy: Policy, longest_days: int | None
) -> Iterator[Suppression]:
    """Yield what holds mail back, in order of its beginning.

    Args:
        steps: those that count, in order of time.
        policy: the thresholds.
        longest_days: no suppression lasts longer; None: there is no such limit.
    """
    holds: Counter[Rule] = Counter()
    for step in steps:
        hold = _hold(step, policy)
        stream = _stream(hold, step.evidence) if hold else None
        if hold is None or stream is None:
            continue
        if step.rule is Rule.COMPLAINT and stream in policy.complaints_do_not_block:
            continue
        doublings = holds[step.rule] if hold.doubling else 0
        holds[step.rule] += 1
        step.effect = Effect.SUPPRESSES
        step.until = _end(step.evidence, hold, policy, doublings, longest_days)
        yield Suppression(
            stream=stream,
            reason=hold.reason or _imported_reason(step.evidence),
            rule=step.rule,
            origin=hold.origin,
            since=step.evidence.at.replace(microsecond=0),
            until=step.until,
            evidence_id=step.evidence.id,
            certain=step.rule is not Rule.COMPLAINT or step.evidence.certain is not False,
        )


def _hold(step: Step, policy: Policy) -> Suppress | None:
    """Return how a step holds mail back; None: it does not."""
    match CONSEQUENCES[step.rule]:
        case Suppress() as hold:
            return hold
        case Count(hold=hold):
            return hold if step.count and step.count >= policy.transient_bounces else None
        case VoidTransientBounces() | VoidComplaint() | VoidUnsubscription():
            return None
        case Void() | NoEffect():
            return None
        case consequence:
            assert_never(consequence)


def _end(
    evidence: Evidence, hold: Suppress, policy: Policy, doublings: int, longest_days: int | None
) -> datetime | None:
    until = evidence.until
    if hold.days:
        first = getattr(policy, hold.days)
        days = min(first << doublings, max(first, policy.longest_hold_days))
        until = _later(evidence.at, days=days)
    if longest_days:
        limit = _later(evidence.at, days=longest_days)
        until = min(until, limit) if until else limit
    return until.replace(microsecond=0) if until else None


def _reason(consequence: Consequence, evidence: Evidence) -> Reason | None:
    if not isinstance(consequence, Suppress):
        return None
    return consequence.reason or _imported_reason(evidence)


def _imported_reason(evidence: Evidence) -> Reason:
    return Reason(evidence.reason) if evidence.reason in set(Reason) else Reason.MANUAL


def _later(moment: datetime, *, days: int) -> datetime:
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
