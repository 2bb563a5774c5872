"""Why an address is held back, or why not: for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from ses_suppression.core.decision import Effect, Step, decide
from ses_suppression.core.evidence import EVERY_STREAM, TENANT_PREFIX, Evidence, Kind, began
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record
from ses_suppression.core.rules import Rule
from ses_suppression.core.suppression import Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One piece of evidence, and what came of it.

    Attributes:
        at: when it happened, UTC.
        what: what happened, such as `bounce Permanent/General 5.1.1: smtp; 550 no such user`.
        rule: the rule that it met.
        effect: what it does to the verdict, such as `counted, 3 of 5`.
    """

    at: datetime
    what: str
    rule: Rule
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The evidence about an address in order, and the verdict by stream in which it ends."""

    address: str
    lines: tuple[Line, ...]
    suppressions: tuple[Suppression, ...]

    def __str__(self) -> str:
        return "\n".join(self.text())

    def text(self) -> Iterator[str]:
        """Yield it line by line."""
        yield self.address
        for line in self.lines:
            yield f"  {line.at:%Y-%m-%d %H:%M:%S}  {line.what}"
            yield f"    {line.rule}: {line.effect}"
        for suppression in self.suppressions:
            yield f"  -> {describe(suppression)}"
        if not self.suppressions:
            yield "  -> may be mailed"


def explain(record: Record, policy: Policy) -> Explanation:
    """Say how the verdict on a record came about; it is `decide` that says so.

    Args:
        record: the record; its evidence is decided upon anew.
        policy: the thresholds; another one than the table's says what that would have done.

    >>> print(explain(Record(address="jane@example.com"), Policy()))
    jane@example.com
      -> may be mailed
    """
    decision = decide(record.address, record.evidence, policy)
    return Explanation(
        address=record.address,
        lines=tuple(_line(step, policy) for step in decision.steps),
        suppressions=tuple(decision.suppressions.values()),
    )


def describe(suppression: Suppression) -> str:
    """Describe a suppression in one line: stream, reason and rule, beginning and end."""
    doubt = "" if suppression.certain else ", perhaps by somebody else at the same domain"
    return (
        f"{_stream(suppression.stream)} suppressed: "
        f"{suppression.reason} ({suppression.rule}{doubt}), since "
        f"{suppression.since:%Y-%m-%d %H:%M} UTC, {_end(suppression.until)}"
    )


def _line(step: Step, policy: Policy) -> Line:
    evidence = step.evidence
    return Line(at=evidence.at, what=_what(evidence), rule=step.rule, effect=_effect(step, policy))


def _what(evidence: Evidence) -> str:
    match evidence.kind:
        case Kind.BOUNCE:
            types = "/".join(filter(None, (evidence.bounce_type, evidence.bounce_sub_type)))
            what = " ".join(filter(None, ("bounce", types, evidence.action, evidence.status)))
            return f"{what}: {evidence.diagnostic}" if evidence.diagnostic else what
        case Kind.COMPLAINT:
            return " ".join(filter(None, ("complaint", evidence.feedback_type, evidence.sub_type)))
        case Kind.DELIVERY:
            return "delivery"
        case Kind.SUBSCRIPTION:
            change = "subscribed to" if evidence.subscribed else "unsubscribed from"
            return f"{change} {_stream(evidence.stream or EVERY_STREAM)}"
        case Kind.SUPPRESS | Kind.REACTIVATE | Kind.IMPORT:
            on = f" on {_stream(evidence.stream)}" if evidence.stream else ""
            return f"{evidence.kind}{on} by {evidence.by}: {evidence.note}"
        case Kind.TALLY:
            on = f" on {_stream(evidence.stream)}" if evidence.stream else ""
            since = began(evidence)
            return f"more of the same{on}, not kept one by one, since {since:%Y-%m-%d %H:%M:%S}"
        case Kind.VOID:
            return f"void of {evidence.voids} ({evidence.undo}) by {evidence.by}: {evidence.note}"
        case _:
            assert_never(evidence.kind)


def _effect(step: Step, policy: Policy) -> str:
    match step.effect:
        case Effect.SUPPRESSES:
            return f"suppresses, {_end(step.until)}"
        case Effect.COUNTED:
            return f"counted, {step.count} of {policy.transient_bounces}"
        case Effect.VOIDED:
            return f"voided by {step.by}"
        case Effect.RECORDED | Effect.VOIDS:
            return step.effect.value
        case _:
            assert_never(step.effect)


def _stream(stream: str) -> str:
    if stream == EVERY_STREAM:
        return "every stream"
    tenant = stream.removeprefix(TENANT_PREFIX)
    return f"tenant {tenant}" if tenant != stream else f"stream {stream}"


def _end(until: datetime | None) -> str:
    return f"until {until:%Y-%m-%d %H:%M} UTC" if until else "without end"


def lifted_by(suppression: Suppression) -> str:
    """Say what would lift a suppression, beside its end."""
    return _LIFTED_BY.get(suppression.rule, _OPERATOR)


_OPERATOR = "an operator (`remove`)"
_ACCOUNT_LEVEL = "an operator (`remove --ses`): SES keeps it on its account-level list"
_TENANT_LIST = (
    f"time, or {_OPERATOR}; and, in SES, the deletion of the entry from the tenant's list"
)
_LIFTED_BY: Mapping[str, str] = {
    Rule.HARD_BOUNCE: f"{_OPERATOR}, once the mailbox is known to take mail",
    Rule.TRANSIENT_BOUNCE: f"time, a delivery, or {_OPERATOR}",
    Rule.BLOCK: f"time, or {_OPERATOR}, once the cause of the block is mended",
    Rule.ROUTING_FAILURE: f"time, or {_OPERATOR}",
    Rule.SES_LIST: f"time, or {_OPERATOR}",
    Rule.TENANT_LIST_BOUNCE: _TENANT_LIST,
    Rule.TENANT_LIST_COMPLAINT: f"{_TENANT_LIST}, with the person's consent",
    Rule.UNSUBSCRIBED: (
        "the recipient, who subscribes again (with the feed `configuration-set`), or "
        f"{_OPERATOR}; SES's contact list stays as it is"
    ),
    Rule.ACCOUNT_LEVEL_BOUNCE: _ACCOUNT_LEVEL,
    Rule.ACCOUNT_LEVEL_COMPLAINT: f"{_ACCOUNT_LEVEL}, with the person's consent",
    Rule.COMPLAINT: "an operator (`remove --consent`), with the person's consent",
}
