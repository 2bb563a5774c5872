from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ses_suppression.core import actions as operator_actions
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record, update
from ses_suppression.errors import InvalidActionError
from tests.builders import JANE, day, hard

WHO: dict[str, Any] = {"by": "ann", "note": "asked by phone", "at": day(10)}


def after(*evidence: Evidence) -> Record:
    record = Record(address=JANE)
    for one in evidence:
        record = update(record, [one], Policy()) or record
    return record


def test_suppressing_holds_mail_back_and_says_who_and_why() -> None:
    action = operator_actions.suppress(**WHO, stream="news", until=day(20))
    (suppression,) = after(action).suppressions.values()
    assert (suppression.stream, suppression.reason, suppression.until) == (
        "news",
        Reason.MANUAL,
        day(20),
    )
    assert (action.by, action.note, action.at) == ("ann", "asked by phone", day(10))


def test_reactivating_lets_nothing_before_it_count() -> None:
    assert after(hard(0), operator_actions.reactivate(**WHO, consent=True)).suppressions == {}
    on_stream = operator_actions.reactivate(**WHO, consent=True, stream="news")
    assert after(hard(0), on_stream).suppressions != {}


def test_an_undo_strikes_out_and_its_revert_takes_that_back() -> None:
    bounce = hard(0)
    undo = operator_actions.void(evidence_id=bounce.id, undo="undo-1", **WHO)
    later = {**WHO, "at": day(11)}
    revert = operator_actions.void(evidence_id=bounce.id, undo="undo-1", lifted=True, **later)
    assert after(bounce, undo).suppressions == {}
    assert after(bounce, undo, revert).suppressions != {}


def test_an_import_keeps_reason_and_date() -> None:
    action = operator_actions.import_entry(address=JANE, reason=Reason.COMPLAINT, **WHO)
    (suppression,) = after(action).suppressions.values()
    assert (suppression.reason, suppression.since, suppression.until) == (
        Reason.COMPLAINT,
        day(10),
        None,
    )


def test_the_same_action_twice_is_one() -> None:
    in_india = {**WHO, "at": day(10).astimezone(timezone(timedelta(hours=5.5)))}
    assert operator_actions.suppress(**WHO) == operator_actions.suppress(**in_india)
    undo = {"evidence_id": "f1", "undo": "u", **WHO}
    assert operator_actions.void(**undo).id == operator_actions.void(**{**undo, "note": "again"}).id
    imported = {"address": JANE, "reason": Reason.BOUNCE, **WHO}
    again = operator_actions.import_entry(**{**imported, "by": "joe", "note": "again"})
    assert operator_actions.import_entry(**imported).id == again.id


@pytest.mark.parametrize(
    "change",
    [{"by": "joe"}, {"note": "x"}, {"at": day(11)}, {"stream": "news"}, {"until": day(30)}],
    ids=str,
)
def test_another_action_is_another(change: dict[str, Any]) -> None:
    assert operator_actions.suppress(**WHO).id != operator_actions.suppress(**{**WHO, **change}).id


def test_imports_of_another_address_reason_date_or_stream_are_others() -> None:
    base: dict[str, Any] = {"address": JANE, "reason": Reason.BOUNCE, **WHO}
    changes: list[dict[str, Any]] = [
        {"address": "joe@example.com"},
        {"reason": Reason.MANUAL},
        {"at": day(11)},
        {"stream": "news"},
    ]
    ids = {operator_actions.import_entry(**{**base, **change}).id for change in [{}, *changes]}
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": " "}, "by: who does it"),
        ({"note": ""}, "note: why it is done"),
        ({"at": datetime(2026, 1, 1)}, "a time without a time zone"),  # noqa: DTZ001  # that is the point
        ({"until": datetime(2027, 1, 1)}, "a time without a time zone"),  # noqa: DTZ001
        ({"until": day(10)}, "until: it is not after"),
        ({"stream": "*"}, "stream: a name is needed"),
        ({"stream": ""}, "stream: a name is needed"),
        ({"stream": "tenant:acme"}, "stream: a name is needed that does not begin with tenant:"),
    ],
    ids=str,
)
def test_an_action_that_cannot_be_meant_names_the_argument(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidActionError, match=message):
        operator_actions.suppress(**{**WHO, **change})
    with pytest.raises(InvalidActionError, match=message):
        operator_actions.import_entry(**{**WHO, **change}, address=JANE, reason=Reason.BOUNCE)
    if "until" not in change:
        with pytest.raises(InvalidActionError, match=message):
            operator_actions.reactivate(**{**WHO, **change}, consent=True)
    with pytest.raises(InvalidActionError, match=message):
        operator_actions.import_entry(address=JANE, reason=Reason.BOUNCE, **{**WHO, **change})


@pytest.mark.parametrize("missing", ["evidence_id", "undo"])
def test_a_void_needs_its_target_and_its_undo(missing: str) -> None:
    arguments = {"evidence_id": "f1", "undo": "u", **WHO, missing: ""}
    with pytest.raises(InvalidActionError, match="neither may be empty"):
        operator_actions.void(**arguments)
    with pytest.raises(InvalidActionError, match="who does it"):
        operator_actions.void(**{**arguments, "by": ""})


def test_times_are_kept_in_utc() -> None:
    action = operator_actions.suppress(
        **{**WHO, "at": day(10).astimezone(timezone(timedelta(hours=2)))}
    )
    assert action.at.tzinfo is UTC
