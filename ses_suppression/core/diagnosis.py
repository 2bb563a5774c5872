"""Diagnose a refusal: is the mailbox dead, full, or is it something else?

SES calls a bounce permanent when the receiving server refused for good. That is a dead mailbox only
some of the time: a full one, a block of the sender, a message that is too big and a broken route
are refused for good too. The table in `refusals.py` decides.
"""

from functools import lru_cache

from ses_suppression.core.evidence import Evidence
from ses_suppression.core.refusals import DELAYED, NO_REPLY, OTHERWISE, ROWS, Row, covers
from ses_suppression.core.smtp_reply import replies_in


def diagnose(bounce: Evidence) -> Row:
    """Return the row for a permanent bounce; every bounce has one."""
    if (bounce.action or "").lower() == "delayed":
        return DELAYED
    if not (bounce.status or bounce.diagnostic):
        return NO_REPLY
    return diagnose_reply(bounce.status, bounce.diagnostic)


@lru_cache(maxsize=4096)  # a decision asks about the same evidence several times
def diagnose_reply(status: str | None, diagnostic: str | None) -> Row:
    """Return the row for the reply of a receiving system.

    A reply that is quoted in another one is asked first: a wrapper's code is often a default.

    Args:
        status: the enhanced status code that was reported beside the text, if any.
        diagnostic: the text, as `untrusted_text.kept_diagnostic` returns it.

    >>> diagnose_reply("5.2.2", "552 5.2.2 mailbox full").rule.value
    'transient-bounce'
    """
    for reply in replies_in(status or "", diagnostic or ""):
        code = next((code for code in reply.codes if _has_row(code)), None)
        for row in ROWS:
            if row.matches(code, reply.words):
                return row
    return OTHERWISE


def _has_row(code: str) -> bool:
    return any(covers(row.codes, code) for row in ROWS)
