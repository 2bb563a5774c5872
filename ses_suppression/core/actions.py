"""What an operator, or an app in a person's name, can do: as evidence, like everything else.

Nothing is deleted or overwritten: an action stands beside what it changes, with who and why, and
another one can void it again.
"""

from datetime import UTC, datetime

from ses_suppression.core.evidence import TENANT_PREFIX, Evidence, Kind, digest, is_stream
from ses_suppression.core.notification import LONGEST_STREAM
from ses_suppression.core.policy import Reason
from ses_suppression.errors import InvalidActionError

LONGEST_TEXT = 512
"""Bytes of who and of why."""


def suppress(
    *, by: str, note: str, at: datetime, stream: str | None = None, until: datetime | None = None
) -> Evidence:
    """Hold back mail, for reason MANUAL.

    Args:
        by: who says so, such as an ARN from STS.
        note: why.
        at: when; aware of its time zone.
        stream: the stream of mail; None: every stream.
        until: when it ends; None: without end.

    Raises:
        InvalidActionError: an argument cannot be right; the message names it.

    >>> suppress(by="ann", note="asked by phone", at=datetime(2026, 1, 1, tzinfo=UTC)).kind.value
    'suppress'
    """
    _check(by=by, note=note, at=at, stream=stream, until=until)
    return Evidence(
        id=_id(Kind.SUPPRESS, by, note, at=at, stream=stream, until=until),
        kind=Kind.SUPPRESS,
        at=at.astimezone(UTC),
        stream=stream,
        until=until.astimezone(UTC) if until else None,
        by=by,
        note=note,
    )


def reactivate(
    *, by: str, note: str, at: datetime, consent: bool, stream: str | None = None
) -> Evidence:
    """Let nothing count that was before: bounces of mail from before, complaints, entries.

    Args:
        by: who says so.
        note: why; for a complaint, how the person consented.
        at: when; aware of its time zone.
        consent: whether the person agreed; else complaints count on, whenever they come.
        stream: only complaints, unsubscriptions and entries on this stream; None: everything.

    Raises:
        InvalidActionError: an argument cannot be right; the message names it.
    """
    _check(by=by, note=note, at=at, stream=stream)
    return Evidence(
        id=_id(Kind.REACTIVATE, by, note, str(consent), at=at, stream=stream),
        kind=Kind.REACTIVATE,
        at=at.astimezone(UTC),
        stream=stream,
        consent=consent,
        by=by,
        note=note,
    )


def void(
    *, evidence_id: str, undo: str, by: str, note: str, at: datetime, lifted: bool = False
) -> Evidence:
    """Void one piece of evidence, or take that back. The newest word of an undo on it speaks.

    Args:
        evidence_id: what is voided.
        undo: the undo that this belongs to.
        by: who says so.
        note: why.
        at: when; aware of its time zone.
        lifted: it is voided no longer.

    Raises:
        InvalidActionError: an argument cannot be right; the message names it.
    """
    _check(by=by, note=note, at=at)
    if not evidence_id or not undo:
        raise InvalidActionError("evidence_id and undo: neither may be empty")
    return Evidence(
        id=_id(Kind.VOID, undo, evidence_id, str(lifted), at=at, stream=None),
        kind=Kind.VOID,
        at=at.astimezone(UTC),
        voids=evidence_id,
        undo=undo,
        lifted=lifted or None,
        by=by,
        note=note,
    )


def import_entry(
    *,
    address: str,
    reason: Reason,
    by: str,
    note: str,
    at: datetime,
    stream: str | None = None,
    until: datetime | None = None,
) -> Evidence:
    """Take over an entry of another list, with its own reason and date.

    Args:
        address: normalised. The same address, reason, date, stream and end is one import, however
            often it is done.
        reason: the entry's.
        by: who imports it.
        note: from where.
        at: the entry's date; aware of its time zone.
        stream: the stream of mail; None: every stream.
        until: when it ends; None: without end.

    Raises:
        InvalidActionError: an argument cannot be right; the message names it.
    """
    _check(by=by, note=note, at=at, stream=stream, until=until)
    return Evidence(
        id=_id(Kind.IMPORT, address, reason, at=at, stream=stream, until=until),
        kind=Kind.IMPORT,
        at=at.astimezone(UTC),
        stream=stream,
        until=until.astimezone(UTC) if until else None,
        by=by,
        note=note,
        reason=reason,
    )


def cut(text: str) -> str:
    """Cut a text to the size that a note may have."""
    return text.encode(errors="replace")[:LONGEST_TEXT].decode(errors="ignore")


def _check(
    *, by: str, note: str, at: datetime, stream: str | None = None, until: datetime | None = None
) -> None:
    if not by.strip():
        raise InvalidActionError("by: who does it has to be said")
    if not note.strip():
        raise InvalidActionError("note: why it is done has to be said")
    if stream is not None and not is_stream(stream):
        raise InvalidActionError(
            f"stream: a name is needed that does not begin with {TENANT_PREFIX} and has at most "
            f"{LONGEST_STREAM} characters; leave it out to mean every stream"
        )
    try:
        sizes = [len(text.encode()) for text in (by, note, stream or "")]
    except UnicodeEncodeError:
        raise InvalidActionError("by, note and stream: not UTF-8") from None
    if max(sizes) > LONGEST_TEXT:
        # An item has 400 KB, and feedback has to find room in it.
        raise InvalidActionError(f"by, note and stream: at most {LONGEST_TEXT} bytes each")
    if at.tzinfo is None or (until is not None and until.tzinfo is None):
        raise InvalidActionError("at and until: a time without a time zone could be any")
    if until is not None and until <= at:
        raise InvalidActionError("until: it is not after its beginning")


def _id(
    kind: Kind, *what: str, at: datetime, stream: str | None, until: datetime | None = None
) -> str:
    """Identify an action by all that it says: the same again, after a lost answer, is one."""
    end = until.astimezone(UTC).isoformat() if until else None
    return f"{kind}:{digest(*what, at.astimezone(UTC).isoformat(), stream, end)}"
