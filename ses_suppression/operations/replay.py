"""What another policy would have decided about the whole table."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ses_suppression.core.evidence import EVERY_STREAM
from ses_suppression.core.record import Record, update
from ses_suppression.operations.batches import BatchWriter


@dataclass
class Replayed:
    """What a replay finds.

    Attributes:
        records: how many there are.
        released: addresses with fewer streams held back than before.
        added: addresses with more.
    """

    records: int = 0
    released: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


def replay(
    records: Iterable[Record], *, at: datetime, writer: BatchWriter, apply: bool = False
) -> Replayed:
    """Decide about each record again by the writer's policy; write it if that is asked for.

    Args:
        records: of the whole table.
        at: the time at which the verdicts are compared, UTC.
        writer: has the new policy, and writes the records.
        apply: whether anything is written; else it is only counted.
    """
    found = Replayed()
    for record in records:
        found.records += 1
        after = update(record, (), writer.policy)
        if after is None:
            continue
        if apply:
            writer.add(record.address, ())
        old, new = ({one.stream for one in each.active(at)} for each in (record, after))
        if old - new and EVERY_STREAM not in new:
            found.released.append(record.address)
        if new - old and EVERY_STREAM not in old:
            found.added.append(record.address)
    writer.flush()
    return found
