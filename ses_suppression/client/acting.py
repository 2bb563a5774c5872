"""One action on one address, of an operator or of an app in a person's name.

It is the newest word on the address, whatever the clocks of two hosts say, and it does what it says
or raises.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ses_suppression.core.evidence import EVERY_STREAM, OPERATOR_KINDS, Evidence, Kind
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, refusal, update
from ses_suppression.errors import ConflictError, NoEffectError
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Store

_A_MOMENT = timedelta(microseconds=1)
_PRECISION = timedelta(seconds=2)
"""The server tells its time in whole seconds, with an answer that takes its time to come."""


def act(
    address: str, action: Evidence, *, store: Store, policy: Policy, deadline: Deadline
) -> Record:
    """Add an action to a record, and give the record as it is then.

    Args:
        address: normalised.
        action: what `suppress` or `reactivate` of `operator_actions` returned.
        store: where the records are.
        policy: the thresholds of the verdict.
        deadline: after it nothing new is begun.

    Raises:
        NoEffectError: the address stays as it was; nothing was written.
        InvalidActionError: there is no room for it; nothing was written.
        StoreUnavailableError, ConflictError: it was not written.
    """
    attempt = 0
    while True:
        loaded = store.load([address], consistent=True, deadline=deadline)
        if address in loaded.failures:
            raise loaded.failures[address]
        record = loaded.records[address]
        dated = date_in_turn(action, record.evidence, server_time=loaded.answered_at)
        error = refusal(record, [dated])
        if error:
            raise error
        after = update(record, [dated], policy)
        _check_effect(after or record, dated)
        if after is None:
            return record
        failure = store.save([after], deadline=deadline).get(address)
        if failure is None:
            return after
        if not isinstance(failure, ConflictError) or not deadline.pause(attempt):
            raise failure
        attempt += 1


def date_in_turn(
    action: Evidence, known: Iterable[Evidence], *, server_time: datetime | None
) -> Evidence:
    """Date an action by the server's time, and after the newest known action.

    A host whose clock is ahead would void what happens in the next minutes. One whose clock
    is behind would say something that an earlier action voids, and reactivate an address
    before its last bounce.

    >>> from datetime import UTC
    >>> noon, minute = datetime(2026, 1, 1, 12, tzinfo=UTC), timedelta(minutes=1)
    >>> ahead = Evidence(id="1", kind=Kind.REACTIVATE, at=noon + 2 * minute)
    >>> date_in_turn(ahead, [], server_time=noon).at == noon
    True
    >>> behind = Evidence(id="2", kind=Kind.SUPPRESS, at=noon)
    >>> date_in_turn(behind, [ahead], server_time=noon).at > ahead.at
    True
    >>> date_in_turn(behind, [], server_time=noon + minute).at > noon
    True
    """
    actions = {piece.id: piece for piece in known if piece.kind in OPERATOR_KINDS}
    if action.id in actions:
        return actions[action.id]  # it was written, and the answer was lost
    at = action.at
    if server_time:
        at = min(max(at, server_time - _PRECISION), server_time)
    newest = max((piece.at for piece in actions.values()), default=None)
    return replace(action, at=at if newest is None else max(at, newest + _A_MOMENT))


def _check_effect(record: Record, action: Evidence) -> None:
    if action.kind is not Kind.SUPPRESS:
        return
    streams = (EVERY_STREAM, action.stream or EVERY_STREAM)
    found = (record.suppressions.get(stream) for stream in streams)
    if not any(suppression and suppression.holds_at(action.at) for suppression in found):
        raise NoEffectError(
            "the address would not be suppressed: it, or its domain, is in never_suppress"
        )
