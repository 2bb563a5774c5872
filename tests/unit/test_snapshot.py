"""The list as a small file: it may ask too often, it never lets through whom it knew."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.client.screening import Screening
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.address import normalise
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.errors import InvalidSnapshotError
from ses_suppression.lists.snapshot import FALSE_POSITIVE_RATE, Snapshot
from ses_suppression.testing import InMemoryStore
from tests.unit.test_decision import block, complaint, day, hard, reactivate, tenant_bounce

NOW = day(10)
locals_ = st.text("abcxyz019.+_-äßI'\"( ", min_size=1, max_size=12)
domains = st.sampled_from(["example.com", "EXAMPLE.com", "bücher.example", "xn--bcher-kva.example"])
texts = st.builds("{}@{}".format, locals_, domains) | st.sampled_from(
    ["Jane <jane@example.com>", " jane@example.com ", "jane@example.com.", "nobody", "a@b@c", ""]
)


def record_of(address: str, *evidence: Any) -> Record:
    record = update(Record(address=address), evidence or [hard(0)], Policy())
    assert record is not None
    return record


def of(records: Iterable[Record], **options: Any) -> Snapshot:
    return Snapshot.of(records, table_name="suppressions", taken_at=NOW, **options)


def addresses_of(names: Iterable[str]) -> set[str]:
    found = set()
    for name in names:
        try:
            found.add(normalise(name))
        except ValueError:
            continue
    return found


@given(held=st.sets(texts, max_size=40), asked=st.lists(texts, max_size=60))
def test_nobody_who_was_held_back_is_let_through_in_any_spelling(
    held: set[str], asked: list[str]
) -> None:
    known = addresses_of(held)
    snapshot = of([record_of(address) for address in known], false_positive_rate=0.3)
    candidates = snapshot.candidates([*asked, *held])
    assert {text for text in asked if addresses_of([text]) & known} <= {*candidates}
    assert addresses_of(candidates) >= known


@given(held=st.sets(texts, max_size=20), asked=st.lists(texts, max_size=40))
def test_its_screening_is_the_tables(held: set[str], asked: list[str]) -> None:
    records = {address: record_of(address) for address in addresses_of(held)}
    suppressions = SuppressionList(InMemoryStore(records=records, clock=lambda: NOW))
    snapshot = of(records.values(), false_positive_rate=0.3)
    found, expected = snapshot.screen(asked, suppressions), suppressions.screen(asked)
    assert (found.allowed, found.suppressed) == (expected.allowed, expected.suppressed)
    assert found.invalid.keys() == expected.invalid.keys()


def test_who_is_asked_about_too_often_is_one_in_a_thousand_and_an_address_takes_two_bytes() -> None:
    held = [record_of(f"customer-{number}@example.com") for number in range(20_000)]
    snapshot = of(replace(held[0], address=one.address) for one in held)
    others = [f"visitor-{number}@example.com" for number in range(100_000)]
    assert len(snapshot.candidates(others)) < 2 * FALSE_POSITIVE_RATE * len(others)
    assert len(snapshot.to_bytes()) < 2 * len(held)
    assert snapshot.addresses == len(held)


def test_only_those_are_in_it_who_are_held_back_when_it_is_taken() -> None:
    snapshot = of(
        [
            record_of("held@example.com", hard(0)),
            record_of("on-a-stream@example.com", complaint(0, stream="news")),
            record_of("ended@example.com", block(0)),
            record_of("lifted@example.com", hard(0), reactivate(1)),
        ]
    )
    assert snapshot.addresses == 2
    asked = ["held@example.com", "ended@example.com", "lifted@example.com"]
    assert snapshot.candidates([*asked, "On-A-Stream@example.com"]) == [
        "held@example.com", "On-A-Stream@example.com",
    ]  # fmt: skip


def test_what_was_lifted_since_is_let_through_and_what_is_no_text_is_invalid() -> None:
    snapshot = of([record_of("held@example.com")])
    rows: Any = ["held@example.com", 7, ["x"], "joe@example.com"]
    found = snapshot.screen(rows, SuppressionList(InMemoryStore()))
    assert found.allowed == ("held@example.com", "joe@example.com")
    assert list(found.invalid) == [7, "['x']"]


def test_a_tenants_hold_is_in_it_and_counts_for_that_tenant_alone() -> None:
    held = record_of("held@example.com", tenant_bounce(0))
    snapshot = of([held])
    suppressions = SuppressionList(
        InMemoryStore(records={held.address: held}), clock=lambda: day(1)
    )
    for tenant, allowed in (("acme", ()), ("initech", (held.address,)), (None, (held.address,))):
        assert snapshot.screen([held.address], suppressions, tenant=tenant).allowed == allowed


def test_an_empty_list_is_no_error() -> None:
    snapshot = of([])
    assert snapshot.candidates(["jane@example.com"]) == []
    assert snapshot.screen([], SuppressionList(InMemoryStore())) == Screening()


@pytest.fixture
def content() -> bytes:
    return of([record_of(f"a{number}@example.com") for number in range(50)]).to_bytes()


def test_it_is_read_as_it_was_written(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "prod.snapshot"
    file.write_bytes(content)
    snapshot = Snapshot.open(file)
    assert snapshot.to_bytes() == content
    assert (snapshot.table_name, snapshot.taken_at) == ("suppressions", NOW)
    assert (snapshot.addresses, snapshot.false_positive_rate) == (50, FALSE_POSITIVE_RATE)
    assert snapshot.age(NOW + timedelta(hours=3)) == timedelta(hours=3)
    assert snapshot.age() > timedelta(0)
    assert json.loads(content.split(b"\n")[1])["taken_at"] == NOW.isoformat()


def test_the_same_list_is_the_same_file_everywhere(content: bytes) -> None:
    """The hash and the filter are a part of the form of the file, whatever library makes them."""
    again = of([record_of(f"a{number}@example.com") for number in range(50)]).to_bytes()
    assert again == content
    bits = content.split(b"\n", 2)[2]
    assert bits[:24].hex() == "09000000000000001800643e65e5cd9b8485f32960079c9e"


def test_a_file_that_was_cut_off_or_changed_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "damaged.snapshot"
    header = content.index(b"\n") + 1
    for damaged in (
        *(content[:length] for length in range(header, len(content))),
        content + b"\n",
        content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
    ):
        file.write_bytes(damaged)
        with pytest.raises(InvalidSnapshotError, match="checksum is wrong"):
            Snapshot.open(file)


@pytest.mark.parametrize("foreign", [b"", b"PK\x03\x04", b"address,stream\n", b"\n" * 100])
def test_a_foreign_file_is_refused(foreign: bytes, tmp_path: Path) -> None:
    file = tmp_path / "foreign"
    file.write_bytes(foreign)
    with pytest.raises(InvalidSnapshotError, match="no snapshot; `snapshot build` makes one"):
        Snapshot.open(file)


HEADER = {
    "table_name": "t",
    "taken_at": "2026-11-24T12:00:00+00:00",
    "addresses": 1,
    "false_positive_rate": 0.001,
}
FILTER = (9).to_bytes(8, "little") + b"\0\0"


def made_elsewhere(folder: Path, header: bytes, bits: bytes) -> Path:
    file = folder / "made-elsewhere.snapshot"
    content = b"\n".join((b"ses-suppression snapshot 1", header, bits))
    file.write_bytes(content + hashlib.sha256(content).digest())
    return file


@pytest.mark.parametrize(
    ("header", "bits"),
    [
        (b"[]", FILTER),
        (b"{}", FILTER),
        (b"no JSON", FILTER),
        (b"[" * 100_000, FILTER),
        (json.dumps({**HEADER, "taken_at": "yesterday"}).encode(), FILTER),
        (json.dumps({**HEADER, "taken_at": "2026-11-24T12:00:00"}).encode(), FILTER),
        (json.dumps({**HEADER, "taken_at": 7}).encode(), FILTER),
        (json.dumps({**HEADER, "addresses": "1"}).encode(), FILTER),
        (json.dumps({**HEADER, "table_name": None}).encode(), FILTER),
        (json.dumps({**HEADER, "false_positive_rate": 1}).encode(), FILTER),
        (json.dumps({**HEADER, "more": 1}).encode(), FILTER),
        (json.dumps(HEADER).encode(), b""),
        (json.dumps(HEADER).encode(), FILTER[:5]),
        (json.dumps(HEADER).encode(), FILTER[:8]),
        (json.dumps(HEADER).encode(), b"\xff" * 20),
        (json.dumps(HEADER).encode(), b"\0" * 20),
    ],
)
def test_a_file_whose_checksum_is_right_and_whose_content_is_not_is_refused(
    header: bytes, bits: bytes, tmp_path: Path
) -> None:
    file = made_elsewhere(tmp_path, header, bits)
    with pytest.raises(InvalidSnapshotError, match="its content is not"):
        Snapshot.open(file)


def test_a_file_that_is_made_elsewhere_as_it_should_be_is_read(tmp_path: Path) -> None:
    file = made_elsewhere(tmp_path, json.dumps(HEADER).encode(), FILTER)
    assert Snapshot.open(file).candidates(["jane@example.com"]) == []


def test_a_file_of_another_version_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "later.snapshot"
    file.write_bytes(content.replace(b"snapshot 1\n", b"snapshot 2\n", 1))
    with pytest.raises(InvalidSnapshotError, match="another version"):
        Snapshot.open(file)


def test_a_snapshot_refuses_what_may_name_another_mailbox() -> None:
    text = "held@a.example(<clear@b.example>"
    found = of([]).screen([text], SuppressionList(InMemoryStore()))
    assert (found.allowed, list(found.invalid)) == ((), [text])


def test_a_snapshot_takes_no_single_text_for_a_list() -> None:
    text: Any = "jane@example.com"
    with pytest.raises(TypeError, match="this is one text"):
        of([]).candidates(text)
    with pytest.raises(TypeError, match="this is one text"):
        of([]).screen(text, SuppressionList(InMemoryStore()))
