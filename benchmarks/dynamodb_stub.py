"""A table that answers after a fixed time, and counts: `python -m benchmarks.dynamodb_stub 5`.

It knows the calls and the conditions that the benchmarks make, in a process of its own. Its
capacity units are those of "DynamoDB read and write capacity" (DynamoDB developer guide), its item
sizes those of "DynamoDB item sizes and formats".
"""

import asyncio
import json
import math
import re
import sys
import zlib
from collections import Counter
from typing import Any

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"x-amz-target: DynamoDB_\d+\.(\w+)", re.IGNORECASE)
_REFUSED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
_CANCELED = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"


class Refused(Exception):  # noqa: N818  # it is an answer
    """A condition does not hold."""


class Table:
    """Items by key, whatever the table's name, and what was asked."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.counts: Counter[str] = Counter()

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request, and count it."""
        self.counts[operation] += 1
        self.counts["requests"] += 1
        answer: dict[str, Any] = getattr(self, operation)(request)
        return answer

    def PutItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802  # DynamoDB's
        """Put an item, if its condition holds."""
        item = request["Item"]
        self._write(item)
        self._check(request, self.items.get(_key(item)))
        self.items[_key(item)] = item
        return {"ConsumedCapacity": {"TableName": request["TableName"], "CapacityUnits": 1}}

    def UpdateItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Take the values as the item's: enough for who only sets."""
        item = {**request["Key"], **request.get("ExpressionAttributeValues", {})}
        self._write(item)
        self.items[_key(request["Key"])] = item
        return {}

    def GetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Get an item."""
        item = self.items.get(_key(request["Key"]))
        self._read(item, consistent=request.get("ConsistentRead", False))
        return {"Item": item} if item else {}

    def BatchGetItem(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Get items."""
        responses = {}
        for name, asked in request["RequestItems"].items():
            found = []
            for key in asked["Keys"]:
                item = self.items.get(_key(key))
                self._read(item, consistent=asked.get("ConsistentRead", False))
                if item:
                    found.append(item)
            responses[name] = found
        return {"Responses": responses, "UnprocessedKeys": {}}

    def TransactWriteItems(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Write all or nothing; it costs twice."""
        puts = [action["Put"] for action in request["TransactItems"]]
        for put in puts:
            self._write(put["Item"], times=2)
        for put in puts:
            self._check(put, self.items.get(_key(put["Item"])))
        for put in puts:
            self.items[_key(put["Item"])] = put["Item"]
        return {}

    def _check(self, request: dict[str, Any], item: dict[str, Any] | None) -> None:
        condition = request.get("ConditionExpression", "")
        if condition.startswith("attribute_not_exists") and item is not None:
            raise Refused
        if condition == "revision = :read":
            expected = request["ExpressionAttributeValues"][":read"]
            if item is None or item["revision"] != expected:
                raise Refused

    def _write(self, item: dict[str, Any], times: int = 1) -> None:
        self.counts["writes"] += 1
        self.counts["write_units"] += times * math.ceil(_size(item) / 1024)

    def _read(self, item: dict[str, Any] | None, *, consistent: bool) -> None:
        blocks = max(1, math.ceil(_size(item) / 4096)) if item else 1
        self.counts["read_half_units"] += blocks * (2 if consistent else 1)


def _key(item: dict[str, Any]) -> str:
    value = item.get("address") or item["id"]
    return str(value["S"])


def _size(value: object) -> int:
    """Give the bytes that DynamoDB counts for an item, or for a value in its low-level form."""
    if not isinstance(value, dict):
        return len(str(value).encode())
    total = 0
    for name, typed in value.items():
        total += len(name.encode())
        ((kind, content),) = typed.items()
        match kind:
            case "M":
                total += 3 + _size(content) + len(content)
            case "L":
                total += 3 + sum(_size({"": entry}) + 1 for entry in content)
            case "BOOL" | "NULL":
                total += 1
            case "N":
                total += len(content) // 2 + 2
            case _:
                total += len(content.encode())
    return total


class Connection(asyncio.Protocol):
    """A connection, kept alive; an answer comes after the delay."""

    def __init__(self, table: Table, delay: float) -> None:
        self._table = table
        self._delay = delay
        self._received = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:  # asyncio's own
        """Keep the way back."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = int(found[1]) if (found := _LENGTH.search(head)) else 0
            if len(self._received) < end + 4 + length:
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            self._take(head, body)

    def _take(self, head: bytes, body: bytes) -> None:
        target = _TARGET.search(head)
        if not target:  # ours: the counts since the last time, and an empty table for DELETE
            if head.startswith(b"DELETE"):
                self._table.items.clear()
            counts = dict(self._table.counts)
            self._table.counts.clear()
            self._send(200, counts)
            return
        try:
            status, answer = 200, self._table.answer(target[1].decode(), json.loads(body))
        except Refused:
            kind = _CANCELED if target[1] == b"TransactWriteItems" else _REFUSED
            status, answer = 400, {"__type": kind, "message": "the condition does not hold"}
        asyncio.get_running_loop().call_later(self._delay, self._send, status, answer)

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        head = (
            f"HTTP/1.1 {status} OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"x-amz-crc32: {zlib.crc32(body)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)


async def serve(delay: float) -> None:
    """Serve on a free port of loopback, whose number is printed."""
    table = Table()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(table, delay), "127.0.0.1", 0
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) / 1000))
