"""SES's account-level suppression list for the emulator, which knows its calls by name only.

The exact spelling is the key, as in SES. Import jobs read what was put into S3.
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

_ADDRESSES = "/v2/email/suppression/addresses"
_IMPORT_JOBS = "/v2/email/import-jobs"

Answer = tuple[int, dict[str, Any]]
Query = Mapping[str, str | Sequence[str]]


@dataclass
class SuppressedDestinations:
    """The list of one account.

    Args:
        read_object: gives an object of S3 by bucket and key.
        clock: epoch seconds.
    """

    read_object: Callable[[str, str], bytes]
    clock: Callable[[], float] = time.time
    _entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, method: str, path: str, query: Query, body: bytes) -> Answer | None:
        """Answer a request; None: it is not about this list."""
        if method == "POST" and path == _IMPORT_JOBS:
            return self._import(json.loads(body))
        if path == _ADDRESSES and method == "PUT":
            wanted = json.loads(body)
            self._put(wanted["EmailAddress"], wanted["Reason"])
            return 200, {}
        if path == _ADDRESSES and method == "GET":
            return self._list(query)
        if path.startswith(f"{_ADDRESSES}/"):
            return self._one(method, unquote(path.removeprefix(f"{_ADDRESSES}/")))
        return None

    def _put(self, address: str, reason: str) -> None:
        self._entries[address] = {
            "EmailAddress": address,
            "Reason": reason,
            "LastUpdateTime": self.clock(),
        }

    def _one(self, method: str, address: str) -> Answer:
        if address not in self._entries:
            return 404, {"__type": "NotFoundException", "message": "Email address does not exist"}
        if method == "DELETE":
            del self._entries[address]
            return 200, {}
        return 200, {"SuppressedDestination": self._entries[address]}

    def _list(self, query: Query) -> Answer:
        reasons = _values(query, "Reason")
        start, end = _moment(query, "StartDate"), _moment(query, "EndDate")
        found = [
            entry
            for entry in self._entries.values()
            if (not reasons or entry["Reason"] in reasons)
            and (start is None or entry["LastUpdateTime"] >= start)
            and (end is None or entry["LastUpdateTime"] < end)
        ]
        first = int((_values(query, "NextToken") or ["0"])[0])
        size = int((_values(query, "PageSize") or ["100"])[0])
        answer: dict[str, Any] = {"SuppressedDestinationSummaries": found[first : first + size]}
        if first + size < len(found):
            answer["NextToken"] = str(first + size)
        return 200, answer

    def _import(self, job: Mapping[str, Any]) -> Answer:
        action = job["ImportDestination"]["SuppressionListDestination"][
            "SuppressionListImportAction"
        ]
        bucket, _, key = job["ImportDataSource"]["S3Url"].removeprefix("s3://").partition("/")
        for line in self.read_object(bucket, key).decode().splitlines():
            address, _, reason = line.partition(",")
            if action == "PUT":
                self._put(address, reason)
            else:
                self._entries.pop(address, None)
        return 200, {"JobId": str(uuid.uuid4())}


def _values(query: Query, name: str) -> list[str]:
    value = query.get(name, [])
    return [value] if isinstance(value, str) else list(value)


def _moment(query: Query, name: str) -> float | None:
    values = _values(query, name)
    return datetime.fromisoformat(values[0]).timestamp() if values else None
