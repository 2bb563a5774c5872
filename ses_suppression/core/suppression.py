"""Why mail to an address is held back, and until when; and which of several causes speaks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ses_suppression.core.evidence import EVERY_STREAM, check_length, tenant_key
from ses_suppression.core.policy import Origin, Reason
from ses_suppression.core.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Why mail to an address is held back, and until when.

    `reason`, `rule` and `origin` are equal to their names; what only a newer version knows is text.

    Attributes:
        stream: the stream of mail that it holds back; `*` is every stream, `tenant:<name>` the mail
            of one tenant of SES.
        reason: BOUNCE, COMPLAINT or MANUAL.
        rule: the rule behind it, such as `hard-bounce`.
        origin: `feedback`, `ses` (a list that SES keeps) or `operator`.
        since: UTC, in whole seconds.
        until: UTC, in whole seconds; None: no end.
        evidence_id: the evidence that it rests on; SES's feedbackId where there is one.
        certain: False only for a complaint that somebody else at the same domain may have made.
    """

    stream: str
    reason: Reason | str
    rule: Rule | str
    origin: Origin | str
    since: datetime
    until: datetime | None
    evidence_id: str
    certain: bool

    def holds_at(self, moment: datetime) -> bool:
        """Tell whether mail is held back at that moment; DynamoDB deletes days late."""
        return self.until is None or moment < self.until


Verdict = Mapping[str, Suppression]
"""The suppressions of one address: stream -> suppression. Those that have ended are in it, too."""


def combine(suppressions: Iterable[Suppression]) -> Verdict:
    """Return, for each stream and tenant, the cause that lasts longest.

    Causes are kept apart: what lifts or ends one leaves the others as they are.

    Args:
        suppressions: all that count, in order of their beginning.
    """
    causes: dict[tuple[str, str], Suppression] = {}
    for suppression in suppressions:
        key = (suppression.stream, suppression.reason)
        earlier = causes.get(key)
        causes[key] = suppression if earlier is None else _continue(earlier, suppression)
    by_stream: dict[str, list[Suppression]] = {}
    for cause in causes.values():
        by_stream.setdefault(cause.stream, []).append(cause)
    return {stream: max(by_stream[stream], key=_weight) for stream in sorted(by_stream)}


def keys_of_mail(stream: str | None, tenant: str | None) -> Sequence[str]:
    """Return the keys of a verdict that hold back such mail, in one order for equal ends.

    Raises:
        InvalidStreamError: the stream or the tenant has more than 256 characters.

    >>> keys_of_mail("news", None)
    ['*', 'news']
    """
    check_length(stream=stream, tenant=tenant)
    keys = {EVERY_STREAM, stream, tenant_key(tenant) if tenant else None}
    return sorted(filter(None, keys))


def hold(verdict: Verdict, keys: Iterable[str], moment: datetime) -> Suppression | None:
    """Return the suppression that holds mail back longest; None: mail may be sent.

    Between equals COMPLAINT comes first, then MANUAL, then BOUNCE.

    Args:
        verdict: the suppressions of an address.
        keys: of the mail; see `keys_of_mail`.
        moment: when the mail is sent.
    """
    found = (verdict[key] for key in keys if key in verdict and verdict[key].holds_at(moment))
    return max(found, key=_weight, default=None)


def _continue(earlier: Suppression, later: Suppression) -> Suppression:
    """Let one cause go on: from the first, resting on what lasts longest, or is certain."""
    if not earlier.holds_at(later.since):
        return later
    longest = later if _strength(later) > _strength(earlier) else earlier
    return replace(longest, since=earlier.since)


def _strength(suppression: Suppression) -> tuple[datetime, bool]:
    return _end(suppression), suppression.certain


_NEVER = datetime.max.replace(tzinfo=UTC)
_PRIORITY: Mapping[str, int] = {Reason.COMPLAINT: 3, Reason.MANUAL: 2, Reason.BOUNCE: 1}


def _weight(suppression: Suppression) -> tuple[datetime, int]:
    return _end(suppression), _PRIORITY.get(suppression.reason, 0)


def _end(suppression: Suppression) -> datetime:
    return suppression.until or _NEVER
