"""What a mailing would do: who of a list is held back, and how much of the rest may bounce.

Nobody knows who of a list exists. But of the addresses of a list at a domain some are known to
have bounced; that share, taken for the rest of them, is what is expected here. It is too high
where the rest has been mailed before and did not bounce, and says nothing about a domain of which
nothing is known but the share of the whole list.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ses_suppression.client.screening import Screening
from ses_suppression.core.address import domain_of, normalise
from ses_suppression.core.policy import Reason

REVIEW, PAUSE = 0.05, 0.10
"""Shares of bounces from which AWS reviews an account, and from which it may pause its sending
("Monitoring your Amazon SES sender reputation", SES developer guide)."""

_WEIGHT = 20
"""So many addresses the share of the whole list weighs at each domain: of two addresses of which
one bounced nobody can say that half of that domain is dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainForecast:
    """A domain of the list.

    Attributes:
        domain: its name.
        allowed: addresses at it that may be mailed.
        bounced: addresses at it that are held back because they bounced.
        share: the share of the allowed that is expected to bounce, between 0 and 1.
    """

    domain: str
    allowed: int
    bounced: int
    share: float


@dataclass(slots=True)
class Preflight:
    """What is known about a list; `add` its screenings, in any parts.

    >>> from ses_suppression.testing import InMemorySuppressionList
    >>> found = Preflight()
    >>> found.add(InMemorySuppressionList().screen(["jane@example.com", "nobody"]))
    >>> found.allowed, found.invalid, found.expected_share
    (1, 1, 0.0)
    """

    invalid: int = 0
    unknown: int = 0
    held_back: Counter[str] = field(default_factory=Counter)
    _allowed: Counter[str] = field(default_factory=Counter)
    _bounced: Counter[str] = field(default_factory=Counter)

    def add(self, screening: Screening) -> None:
        """Count a part of the list."""
        self.invalid += len(screening.invalid)
        self.unknown += len(screening.unknown)
        self._allowed.update(_domain(text) for text in screening.allowed)
        for text, suppression in screening.suppressed.items():
            self.held_back[suppression.reason] += 1
            if suppression.reason == Reason.BOUNCE:
                self._bounced[_domain(text)] += 1

    @property
    def allowed(self) -> int:
        """How many may be mailed."""
        return self._allowed.total()

    @property
    def expected_bounces(self) -> float:
        """How many of those that may be mailed are expected to bounce."""
        return sum(one.allowed * one.share for one in self.domains())

    @property
    def expected_share(self) -> float:
        """Which share of those that may be mailed is expected to bounce, between 0 and 1."""
        return self.expected_bounces / self.allowed if self.allowed else 0.0

    def domains(self) -> list[DomainForecast]:
        """Give the domains of the list, those with the most expected bounces first."""
        found = [self._domain(name) for name in self._allowed]
        return sorted(found, key=lambda one: (-one.allowed * one.share, one.domain))

    def _domain(self, name: str) -> DomainForecast:
        allowed, bounced = self._allowed[name], self._bounced[name]
        everywhere = self._bounced.total() / (self._bounced.total() + self.allowed)
        share = (bounced + _WEIGHT * everywhere) / (bounced + allowed + _WEIGHT)
        return DomainForecast(domain=name, allowed=allowed, bounced=bounced, share=share)


def _domain(text: str) -> str:
    """Give the domain of what has been screened: it is an address, in some spelling."""
    return domain_of(normalise(text))


def points_below(share: float, line: float) -> float:
    """Tell how many percentage points a share is below a line; negative: it is above.

    >>> points_below(0.021, REVIEW)
    2.9
    """
    return round((line - share) * 100, 1)


def summary(found: Preflight) -> Mapping[str, object]:
    """Give what is known about the list as plain data, with stable keys."""
    return {
        "allowed": found.allowed,
        "held_back": dict(found.held_back.most_common()),
        "invalid": found.invalid,
        "unknown": found.unknown,
        "expected_bounces": round(found.expected_bounces),
        "expected_share": round(found.expected_share, 4),
        "points_below_review": points_below(found.expected_share, REVIEW),
        "points_below_pause": points_below(found.expected_share, PAUSE),
    }
