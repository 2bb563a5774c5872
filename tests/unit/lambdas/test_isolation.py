"""A message that the function does not survive, among others that it would."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from lambdas.isolation import GROUPS, SUSPECT_RECEIVES, isolate
from ses_suppression.deployment import MAX_RECEIVE_COUNT

SHARE_THAT_STAYS = {1: 0.016, 2: 0.084, 5: 0.444}
"""Of the neighbours of so many deadly messages this share stays: (1 - (3/4)^n)^3 of them."""


def record(message_id: str, receives: int) -> dict[str, Any]:
    return {"messageId": message_id, "attributes": {"ApproximateReceiveCount": str(receives)}}


def test_what_has_come_a_few_times_is_tried_with_all_the_others() -> None:
    records = [record(str(number), receives) for number in range(50) for receives in (1, 2, 8)]
    assert isolate(records) == (records, [])


def test_of_what_has_come_often_a_quarter_is_tried_and_the_next_time_another() -> None:
    ids = [str(n) for n in range(400)]
    quarters = [
        [one["messageId"] for one in isolate([record(one, receives) for one in ids])[0]]
        for receives in range(SUSPECT_RECEIVES, SUSPECT_RECEIVES + GROUPS)
    ]
    assert all(60 < len(quarter) < 140 for quarter in quarters)
    assert sorted(one for quarter in quarters for one in quarter) == sorted(ids)


def test_a_message_without_a_count_is_tried() -> None:
    assert len(isolate([{"messageId": "1", "attributes": {}}])[0]) == 1


@pytest.mark.parametrize(("deadly", "share"), SHARE_THAT_STAYS.items())
def test_the_neighbours_of_deadly_messages_get_away_before_they_are_dead_letters(
    deadly: int, share: float
) -> None:
    """They are one batch of ten every time, as in a small queue."""
    batches = 2_000
    left = sum(neighbours_left(number, deadly) for number in range(batches))
    assert left / batches / (10 - deadly) == pytest.approx(share, rel=0.25)


def neighbours_left(number: int, deadly: int) -> int:
    """Count the neighbours that would be dead letters with the deadly messages."""
    ids = [str(uuid.UUID(int=number * 100 + n)) for n in range(10)]
    killers, waiting = set(ids[:deadly]), ids[deadly:]
    for receives in range(1, MAX_RECEIVE_COUNT + 1):
        records = [record(one, receives) for one in (*killers, *waiting)]
        tried = {one["messageId"] for one in isolate(records)[0]}
        if not tried & killers:
            waiting = [one for one in waiting if one not in tried]
    return len(waiting)


def test_the_page_on_reliability_says_these_shares() -> None:
    page = Path("docs/reliability.md").read_text()
    assert all(f"{share:.1%}".replace("%", " %") in page for share in SHARE_THAT_STAYS.values())
