"""Items that the first release wrote are read, decided upon as then, and migrated."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ses_suppression.core.actions import suppress
from ses_suppression.core.evidence import Kind
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import update
from ses_suppression.core.undo import is_voided, toggle_void
from ses_suppression.store.items import to_item, to_record

# Written by the code of 0.1.0, from notifications and actions such as an item's name says.
ITEMS: dict[str, Any] = json.loads((Path(__file__).parent / "items_of_0.1.0.json").read_text())
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_of_the_first_release_decides_as_then(name: str) -> None:
    record = to_record(ITEMS[name])
    again = update(record, [], Policy()) or record
    assert again.suppressions == record.suppressions
    assert {piece.id for piece in again.evidence} >= {
        piece.id for piece in record.evidence if piece.kind not in {Kind.VOID, Kind.DELIVERY}
    }


@pytest.mark.parametrize("name", ITEMS)
def test_it_is_migrated_with_its_next_write(name: str) -> None:
    record = to_record(ITEMS[name])
    written = update(record, [suppress(by="ann", note="asked", at=NOW)], Policy())
    assert written is not None
    read = to_record(to_item(written, "r2"))
    assert (read.evidence, read.suppressions) == (written.evidence, written.suppressions)
    kept = {stream: found.until for stream, found in record.suppressions.items()}
    assert {**kept, "*": None} == {
        stream: found.until for stream, found in written.suppressions.items()
    }


@pytest.mark.parametrize(
    ("name", "is_done"),
    [
        ("undone", True),
        ("undone and taken back", False),
        ("undone, taken back and done again", True),
    ],
)
def test_an_undo_of_the_first_release_is_known_and_can_be_turned_round(
    name: str, is_done: bool
) -> None:
    record = to_record(ITEMS[name])
    (bounce,) = (piece for piece in record.evidence if piece.kind is Kind.BOUNCE)
    assert is_voided(record, bounce.id, "u1") is is_done
    word = toggle_void(record, bounce.id, undo="u1", by="ann", note="other", at=NOW)
    turned = update(record, [word], Policy())
    assert turned is not None
    assert is_voided(turned, bounce.id, "u1") is not is_done
    assert bool(turned.suppressions) is is_done
