"""A message that the function does not survive, among others that it would."""

import uuid
from typing import Any

from lambdas.isolation import SUSPECT_RECEIVES, parted
from stacks.feedback_channel import RECEIVES


def record(message_id: str, receives: int) -> dict[str, Any]:
    return {"messageId": message_id, "attributes": {"ApproximateReceiveCount": str(receives)}}


def test_what_has_come_a_few_times_is_tried_with_all_the_others() -> None:
    records = [record(str(number), receives) for number in range(50) for receives in (1, 2, 4)]
    assert parted(records) == (records, [])


def test_of_what_has_come_often_half_is_tried_and_another_half_the_next_time() -> None:
    first, second = (
        {one["messageId"] for one in parted([record(str(n), receives) for n in range(200)])[0]}
        for receives in (SUSPECT_RECEIVES, SUSPECT_RECEIVES + 1)
    )
    assert 60 < len(first) < 140
    assert first | second == {str(n) for n in range(200)}
    assert not first & second


def test_a_message_without_a_count_is_tried() -> None:
    assert len(parted([{"messageId": "1", "attributes": {}}])[0]) == 1


def test_the_neighbours_of_a_deadly_message_get_away_before_they_are_dead_letters() -> None:
    """They are one batch every time, as in a small queue."""
    left = sum(len(neighbours_left(number)) for number in range(1_000))
    assert left <= 9 * 1_000 / 200, "of two hundred not one stays with it"


def neighbours_left(number: int) -> list[str]:
    """Give those of nine neighbours that would be dead letters with the deadly one."""
    deadly, *waiting = (str(uuid.UUID(int=number * 100 + n)) for n in range(10))
    for receives in range(1, RECEIVES + 1):
        records = [record(one, receives) for one in (deadly, *waiting)]
        tried = {one["messageId"] for one in parted(records)[0]}
        if receives >= SUSPECT_RECEIVES and deadly not in tried:
            waiting = [one for one in waiting if one not in tried]
    return waiting
