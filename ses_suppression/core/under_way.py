"""When mail was under way that bounced: a delivery at such a time says nothing.

A mailbox that accepts mail and lets it bounce minutes later takes none. Whether a delivery was of
such mail is told by times alone: they can be kept, the ids of all mail cannot. A mail that SES gave
up, after it had tried for hours, was never accepted: mail that is delivered meanwhile says what it
always says.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from ses_suppression.core.classification import may_be_automatic_reply
from ses_suppression.core.evidence import Evidence, mailed_at

GIVEN_UP = timedelta(hours=12)
"""SES tries for 14 hours: "unable to deliver in 840 minutes" (its own bounces)."""


def may_have_been_accepted(bounce: Evidence) -> bool:
    """Tell whether a mail may have been delivered before it bounced, by a mailbox that takes none.

    An automatic reply comes back for a mail that was taken.
    """
    given_up = bounce.at - mailed_at(bounce) >= GIVEN_UP
    return not given_up and not may_be_automatic_reply(bounce)


class UnderWay:
    """For each UTC day of bounces: from when its first mail was sent until its last one bounced.

    Args:
        bounces: transient ones; those of mail that was never accepted, and those that may be
            automatic replies, are left out.
    """

    def __init__(self, bounces: Iterable[Evidence]) -> None:
        days: dict[date, tuple[datetime, datetime]] = {}
        for bounce in bounces:
            if may_have_been_accepted(bounce):
                sent_at, day = mailed_at(bounce), bounce.at.date()
                first, last = days.get(day, (sent_at, bounce.at))
                days[day] = min(first, sent_at), max(last, bounce.at)
        self._starts: list[datetime] = []
        self._ends: list[datetime] = []
        for start, end in sorted(days.values()):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, moment: datetime) -> bool:
        """Tell whether mail was under way at a moment."""
        number = bisect_right(self._starts, moment) - 1
        return number >= 0 and moment <= self._ends[number]
