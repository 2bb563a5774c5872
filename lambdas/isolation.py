"""A message that kills the function takes its batch with it: let its neighbours get away.

SQS gives a batch that was not answered for again as a whole, and a small queue makes the same batch
of it every time. So of messages that have come back often only a quarter is tried, and the rest is
handed back. The quarters are those of two bits of a hash of the message's id, one after the other,
then those of the next two bits: messages whose hashes differ are parted sooner or later.

What is handed back is not sooner a dead letter than what fails: either way it is seen again when
its visibility time-out is over, and that time times the receives is what an outage may last.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

SUSPECT_RECEIVES = 9
"""From so many receives on a message may be what kills the function; most have been throttled, and
had eight tries by then."""

BITS = 2
GROUPS = 1 << BITS

SQSRecord = Mapping[str, Any]


def isolate(records: Sequence[SQSRecord]) -> tuple[list[SQSRecord], list[SQSRecord]]:
    """Part the records of an SQS event: those that are tried now, those that are handed back."""
    tried: list[SQSRecord] = []
    handed_back: list[SQSRecord] = []
    for record in records:
        (tried if _is_tried(record) else handed_back).append(record)
    return tried, handed_back


def _is_tried(record: SQSRecord) -> bool:
    receives = int(record["attributes"].get("ApproximateReceiveCount", "1"))
    if receives < SUSPECT_RECEIVES:
        return True
    turn, group = divmod(receives - SUSPECT_RECEIVES, GROUPS)
    number = int.from_bytes(hashlib.sha256(record["messageId"].encode()).digest())
    return (number >> BITS * turn) % GROUPS == group
