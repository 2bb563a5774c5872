"""The item of the table: how a record is written in DynamoDB's own types.

The form is public: apps in any language read `suppressions` (see `docs/data-model.md`). Times of
the verdict are epoch seconds, as DynamoDB's TTL wants them; times of evidence are ISO 8601 in UTC,
for people.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from ses_suppression.core.evidence import EVIDENCE_FIELDS, Evidence, Kind
from ses_suppression.core.policy import Origin, Reason
from ses_suppression.core.record import Record
from ses_suppression.core.rules import Rule
from ses_suppression.core.suppression import Suppression
from ses_suppression.errors import UnreadableItemError

Item = dict[str, Any]
"""An item, or a map in it, in DynamoDB's low-level form: `{"certain": {"BOOL": True}}`."""

_Name = TypeVar("_Name", bound=StrEnum)
_TIMES = frozenset({"at", "first_at", "mail_at", "until"})


def to_item(record: Record, revision: str) -> Item:
    """Write a record as an item."""
    item: Item = {
        "address": {"S": record.address},
        "evidence": {"L": [{"M": _evidence_to_map(piece)} for piece in record.evidence]},
        "suppressions": {
            "M": {
                stream: {"M": _suppression_to_map(found)}
                for stream, found in record.suppressions.items()
            }
        },
        "revision": {"S": revision},
    }
    if record.expires_at is not None:
        item["expires_at"] = {"N": str(record.expires_at)}
    return item


def to_record(item: Item) -> Record:
    """Read an item.

    Raises:
        UnreadableItemError: the item was not written by `to_item`.
    """
    with _reading():
        expires_at = item.get("expires_at")
        return Record(
            address=item["address"]["S"],
            evidence=tuple(_map_to_evidence(entry["M"]) for entry in item["evidence"]["L"]),
            suppressions=to_suppressions(item),
            revision=item["revision"]["S"],
            expires_at=int(expires_at["N"]) if expires_at else None,
        )


def to_suppressions(item: Item) -> Mapping[str, Suppression]:
    """Read the verdict of an item: stream -> suppression.

    Raises:
        UnreadableItemError: the item was not written by `to_item`.
    """
    with _reading():
        entries = item["suppressions"]["M"]
        return {name: _map_to_suppression(name, entry["M"]) for name, entry in entries.items()}


def _evidence_to_map(evidence: Evidence) -> Item:
    attributes: Item = {}
    for name in EVIDENCE_FIELDS:
        value = getattr(evidence, name)
        if isinstance(value, bool):
            attributes[name] = {"BOOL": value}
        elif isinstance(value, datetime):
            attributes[name] = {"S": value.isoformat().replace("+00:00", "Z")}
        elif value is not None:
            attributes[name] = {"S": value}
    return attributes


def _map_to_evidence(attributes: Item) -> Evidence:
    values: dict[str, Any] = {}
    for name, value in attributes.items():
        if name in EVIDENCE_FIELDS:  # what a newer version wrote more is not ours to read
            values[name] = value["BOOL"] if "BOOL" in value else value["S"]
    for name in _TIMES & values.keys():
        values[name] = datetime.fromisoformat(values[name]).astimezone(UTC)
    values["kind"] = Kind(values["kind"])
    return Evidence(**values)


def _suppression_to_map(suppression: Suppression) -> Item:
    attributes: Item = {
        "reason": {"S": suppression.reason},
        "rule": {"S": suppression.rule},
        "origin": {"S": suppression.origin},
        "since": {"N": str(int(suppression.since.timestamp()))},
        "evidence_id": {"S": suppression.evidence_id},
        "certain": {"BOOL": suppression.certain},
    }
    if suppression.until is not None:
        attributes["until"] = {"N": str(int(suppression.until.timestamp()))}
    return attributes


def _map_to_suppression(stream: str, attributes: Item) -> Suppression:
    until = attributes.get("until")
    return Suppression(
        stream=stream,
        reason=_read_name(Reason, attributes["reason"]["S"]),
        rule=_read_name(Rule, attributes["rule"]["S"]),
        origin=_read_name(Origin, attributes["origin"]["S"]),
        since=_moment(attributes["since"]),
        until=_moment(until) if until else None,
        evidence_id=attributes["evidence_id"]["S"],
        certain=attributes["certain"]["BOOL"],
    )


def _moment(number: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(number["N"]), tz=UTC)


def _read_name(names: type[_Name], text: str) -> _Name | str:
    """Read a name; an unknown one stays as it is: an app may be older than the functions."""
    try:
        return names(text)
    except ValueError:
        return text


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise UnreadableItemError(type(error).__name__) from None
