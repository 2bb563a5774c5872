"""The list as a small file, for lists of addresses that are too long to ask about one by one.

A snapshot is a Bloom filter: it says of an address that it was not held back, or that it may have
been, which is then asked at the table. So nobody who was held back when it was taken is let
through, and what has been lifted since is let through; only what has been added since is not seen.
"""

import hashlib
import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import compress
from pathlib import Path
from typing import Any

from rbloom import Bloom
from xxhash import xxh3_64_intdigest

from ses_suppression.client.screening import Screening, hashable, listed
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.address import PLAIN, PLAIN_LENGTH, normalise
from ses_suppression.core.record import Record
from ses_suppression.errors import InvalidAddressError, InvalidSnapshotError

FALSE_POSITIVE_RATE = 0.001
"""Of a thousand addresses that were not held back one is asked about all the same."""

_KIND = b"ses-suppression snapshot "
_VERSION = b"1"
_CHECKSUM_BYTES = hashlib.sha256().digest_size
_HASHES_BYTES = 8
_MOST_HASHES = 64


class Snapshot:
    """Who was held back at a time, on any stream.

    Attributes:
        table_name: the table that it was taken from.
        taken_at: when its reading began, UTC; what has happened since is not in it.
        addresses: how many were held back.
        false_positive_rate: of the others so many are asked about all the same.

    >>> from ses_suppression.testing import InMemorySuppressionList
    >>> suppressions = InMemorySuppressionList()
    >>> suppressions.suppress("jane@example.com", by="jane", note="asked by phone")
    >>> records = suppressions.store.records.values()
    >>> snapshot = Snapshot.of(records, table_name="t", taken_at=datetime.now(UTC))
    >>> snapshot.candidates(["Jane@Example.com", "joe@example.com"])
    ['Jane@Example.com']
    """

    def __init__(
        self,
        held: Bloom,
        *,
        table_name: str,
        taken_at: datetime,
        addresses: int,
        false_positive_rate: float,
    ) -> None:
        self._held = held
        self.table_name = table_name
        self.taken_at = taken_at
        self.addresses = addresses
        self.false_positive_rate = false_positive_rate

    @classmethod
    def of(
        cls,
        records: Iterable[Record],
        *,
        table_name: str,
        taken_at: datetime,
        false_positive_rate: float = FALSE_POSITIVE_RATE,
    ) -> "Snapshot":
        """Take a snapshot of records; in memory it takes eight bytes for each that is held back.

        Args:
            records: the whole table's, in any order.
            table_name: the table.
            taken_at: when their reading began, UTC. A hold that has ended by then is left out.
            false_positive_rate: between 0 and 1, without both.
        """
        hashes = array("Q")
        for record in records:
            if any(one.holds_at(taken_at) for one in record.suppressions.values()):
                hashes.append(xxh3_64_intdigest(record.address.encode()))
        held = Bloom(max(1, len(hashes)), false_positive_rate, int)
        held.update(hashes)
        return cls(
            Bloom.load_bytes(held.save_bytes(), xxh3_64_intdigest),
            table_name=table_name,
            taken_at=taken_at,
            addresses=len(hashes),
            false_positive_rate=false_positive_rate,
        )

    @classmethod
    def open(cls, path: Path | str) -> "Snapshot":
        """Read a snapshot.

        Raises:
            InvalidSnapshotError: the file is none, is of another version, or is not whole.
            OSError: it cannot be read.
        """
        content = Path(path).read_bytes()
        first, _, rest = content.partition(b"\n")
        if not first.startswith(_KIND):
            raise InvalidSnapshotError(f"{path}: no snapshot; `snapshot build` makes one")
        if first != _KIND + _VERSION:
            raise InvalidSnapshotError(
                f"{path}: a snapshot of another version; make it again with `snapshot build`"
            )
        if hashlib.sha256(content[:-_CHECKSUM_BYTES]).digest() != content[-_CHECKSUM_BYTES:]:
            raise InvalidSnapshotError(
                f"{path}: its checksum is wrong: it was cut off or changed; make it again"
            )
        header, _, bits = rest[:-_CHECKSUM_BYTES].partition(b"\n")
        try:
            return cls(_filter(bits), **_described(json.loads(header)))
        except (ValueError, TypeError, LookupError, RecursionError):
            raise InvalidSnapshotError(
                f"{path}: its checksum is right and its content is not: whoever made it is not "
                "`snapshot build`; make it again"
            ) from None

    def to_bytes(self) -> bytes:
        """Give the content of its file: two lines for people, the filter, a checksum."""
        header = {
            "table_name": self.table_name,
            "taken_at": self.taken_at.isoformat(),
            "addresses": self.addresses,
            "false_positive_rate": self.false_positive_rate,
        }
        content = b"\n".join(
            (_KIND + _VERSION, json.dumps(header).encode(), self._held.save_bytes())
        )
        return content + hashlib.sha256(content).digest()

    def age(self, now: datetime | None = None) -> timedelta:
        """Tell how old it is: for so long nobody who was added since is in it."""
        return (now or datetime.now(UTC)) - self.taken_at

    def candidates(self, addresses: Iterable[str]) -> list[str]:
        """Give those that may have been held back, and what is no address, in their order.

        All others were not held back when the snapshot was taken. It asks nobody.

        Args:
            addresses: in any spelling.
        """
        texts = list(listed(addresses))
        return list(compress(texts, self._may_hold(texts)))

    def screen(
        self,
        addresses: Iterable[str],
        suppressions: SuppressionList,
        stream: str | None = None,
        *,
        tenant: str | None = None,
    ) -> Screening:
        """Say who of a list may be mailed, as `SuppressionList.screen`, with few questions.

        Args:
            addresses: in any spelling.
            suppressions: where candidates are asked about.
            stream: the stream of the mail.
            tenant: the tenant of SES in whose name the mail is sent.

        Raises:
            AddressesUnknownError: as `SuppressionList.screen`.
        """
        texts = list(listed(addresses))
        may_be_held = self._may_hold(texts)
        found = suppressions.screen(compress(texts, may_be_held), stream, tenant=tenant)
        blocked = {*found.suppressed, *found.unknown, *found.invalid}
        return Screening(
            allowed=tuple(
                text
                for text, asked in zip(texts, may_be_held, strict=True)
                if not (asked and hashable(text) in blocked)
            ),
            suppressed=found.suppressed,
            unknown=found.unknown,
            invalid=found.invalid,
        )

    def _may_hold(self, texts: Sequence[Any]) -> list[bool]:
        held, is_plain = self._held, PLAIN.fullmatch
        return [
            text.encode() in held
            if isinstance(text, str) and len(text) <= PLAIN_LENGTH and is_plain(text)
            else self._may_hold_unusual(text)
            for text in texts
        ]

    def _may_hold_unusual(self, text: str) -> bool:
        try:
            return normalise(text).encode() in self._held
        except InvalidAddressError:
            return True


def _described(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read what the filter is; what is not as `to_bytes` writes it raises some error."""
    described = {**values, "taken_at": datetime.fromisoformat(values["taken_at"])}
    if not (
        isinstance(described["table_name"], str)
        and described["taken_at"].tzinfo
        and isinstance(described["addresses"], int)
        and 0 < described["false_positive_rate"] < 1
    ):
        raise ValueError(described)
    return described


def _filter(content: bytes) -> Bloom:
    """Read the number of hashes in eight bytes, and the bits; rbloom checks neither."""
    hashes = int.from_bytes(content[:_HASHES_BYTES], "little")
    if len(content) <= _HASHES_BYTES or not 1 <= hashes <= _MOST_HASHES:
        raise ValueError(hashes)
    return Bloom.load_bytes(content, xxh3_64_intdigest)
