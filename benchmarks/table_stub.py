"""A table of any size that takes no memory: its items are made when a scan asks for them.

It answers `Scan` and nothing else of DynamoDB, and STS's `GetCallerIdentity`, in a process of its
own.
"""

import json
import os
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from ses_suppression.core.actions import import_entry
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record, update
from ses_suppression.store.items import Item, to_item

_CALLER = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/bench"
    "</Arn><UserId>x</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
    "</GetCallerIdentityResponse>"
)


def item(number: int) -> Item:
    """Make an item of the table: each has five bounces, and one of them holds mail back."""
    from tests.builders import hard  # noqa: PLC0415  # the evidence of the tests

    address = f"customer-{number}@mail-{number % 50}.example"
    evidence = [hard(day, diagnostic="smtp; 550-5.1.1 no such user " * 3) for day in range(4)]
    evidence.append(
        import_entry(address=address, reason=Reason.BOUNCE, by="x", note="x", at=evidence[0].at)
    )
    record = update(Record(address=address), evidence, Policy())
    if record is None:
        raise RuntimeError("there was evidence")
    return to_item(record, "r1")


class Handler(BaseHTTPRequestHandler):
    """Answers scans of a table with `size` items."""

    protocol_version = "HTTP/1.1"
    size: ClassVar[int] = 0
    template: ClassVar[str] = ""

    def do_POST(self) -> None:  # the library's own name
        """Answer a request."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "X-Amz-Target" not in self.headers:
            self._answer(_CALLER.encode(), "text/xml")
            return
        self._answer(self._scan(json.loads(body)), "application/x-amz-json-1.0")

    def _scan(self, request: dict[str, Any]) -> bytes:
        segment, segments = request["Segment"], request["TotalSegments"]
        end = self.size * (segment + 1) // segments
        start = request.get("ExclusiveStartKey", {}).get("address", {}).get("S")
        first = int(start) if start else self.size * segment // segments
        last = min(first + request["Limit"], end)
        items = ",".join(
            self.template.replace("customer-0@mail-0", f"customer-{number}@mail-{number % 50}")
            for number in range(first, last)
        )
        more = f',"LastEvaluatedKey":{{"address":{{"S":"{last}"}}}}' if last < end else ""
        return f'{{"Items":[{items}],"Count":{last - first}{more}}}'.encode()

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("x-amz-crc32", str(zlib.crc32(body)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def main() -> None:
    """Serve a table with so many items on a free port of loopback, whose number is printed."""
    Handler.size = int(sys.argv[1])
    Handler.template = json.dumps(item(0))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
