"""A message that kills the function takes its batch with it: let its neighbours get away.

SQS gives a batch that was not answered for again as a whole, and a small queue makes the same batch
of it every time. So of messages that have come back often only half are tried, and the rest is
handed back. The halves are those of one bit of a hash of the message's id, first one half, then the
other, then those of the next bit: two messages whose hashes differ in any bit are parted by it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

SUSPECT_RECEIVES = 5
"""From so many receives on a message may be what kills the function; most have been throttled."""


Record = Mapping[str, Any]


def parted(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """Part the records of an SQS event: those that are tried now, those that are handed back."""
    tried = [record for record in records if _is_tried(record)]
    return tried, [record for record in records if not _is_tried(record)]


def _is_tried(record: Record) -> bool:
    receives = int(record["attributes"].get("ApproximateReceiveCount", "1"))
    if receives < SUSPECT_RECEIVES:
        return True
    bit, half = divmod(receives - SUSPECT_RECEIVES, 2)
    number = int.from_bytes(hashlib.sha256(record["messageId"].encode()).digest())
    return (number >> bit) & 1 == half
