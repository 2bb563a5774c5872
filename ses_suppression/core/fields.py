"""Fields of a JSON document, read by type. The error about a wrong one names its path."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from ses_suppression.core.untrusted_text import clean
from ses_suppression.errors import InvalidNotificationError

MAX_TEXT = 128
"""Characters of a text that are kept, unless the field has a limit of its own."""

Fields = Mapping[str, Any]
_Entry = TypeVar("_Entry")
_TYPES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


def read_text(fields: Fields, name: str, prefix: str, limit: int = MAX_TEXT) -> str | None:
    """Return a text that can be printed and stored; None: it is missing or blank."""
    value = read_raw_text(fields, name, prefix)
    return None if value is None else clean(value, limit) or None


def read_raw_text(fields: Fields, name: str, prefix: str) -> str | None:
    """Return a text as it was sent."""
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise wrong_type(value, f"{prefix}{name}", "a string")


def read_list(fields: Fields, name: str, prefix: str) -> list[Any]:
    """Return a list; a missing one is empty."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong_type(value, f"{prefix}{name}", "a list")
    return value


def read_each(
    fields: Fields, name: str, prefix: str, read: Callable[[object, str], _Entry]
) -> tuple[tuple[_Entry, ...], tuple[InvalidNotificationError, ...]]:
    """Return the entries of a list, and the errors about others: they do not cost the rest."""
    entries: list[_Entry] = []
    broken: list[InvalidNotificationError] = []
    for index, entry in enumerate(read_list(fields, name, prefix)):
        try:
            entries.append(read(entry, f"{prefix}{name}[{index}]"))
        except InvalidNotificationError as error:
            broken.append(error)
    return tuple(entries), tuple(broken)


def as_object(value: object, path: str) -> Fields:
    """Return the fields of an object, which must not be missing."""
    if isinstance(value, dict):
        return value
    raise wrong_type(value, path, "an object")


def as_time(value: object) -> datetime | None:
    """Read ISO 8601 as SES writes it: with or without milliseconds, or a space before the offset.

    None is a time that cannot be read; the time of receipt takes its place.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().replace(" +", "+").replace(" -", "-"))
        if moment.tzinfo is UTC:  # nearly always
            return moment
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def wrong_type(value: object, path: str, needed: str) -> InvalidNotificationError:
    """Return the error about a value of another type than needed."""
    found = _TYPES.get(type(value), "null or missing")
    return InvalidNotificationError(path, f"{needed} is needed, this is {found}")
