"""Throws broken notifications at the parser: `python -m tests.fuzz --cases 100000`.

Whatever comes in, nothing but `InvalidNotificationError` may come out of the parser, and nothing at
all out of what follows it. An error never holds an address.
"""

import copy
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ses_suppression.core.evidence import attribute
from ses_suppression.core.notification import NotFeedback, parse
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.errors import InvalidNotificationError
from ses_suppression.store.items import to_item, to_record

RECEIVED_AT = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
POLICY = Policy(stream_tag="list")
NOTIFICATIONS = [
    entry["body"]
    for path in sorted((Path(__file__).parent / "notifications").glob("*.json"))
    for entry in json.loads(path.read_text())["messages"]
    if "body" in entry
]
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    10**30,
    "",
    " ",
    "x" * 3_000,
    "\ud800",
    "\x00\x1b[2J\r\n",
    "jane@example.com",
    "@",
    "a@" * 50,
    "=?utf-8?q?x?=",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "5.1.1",
    [],
    {},
    [[]],
    [None],
    {"emailAddress": "jane@example.com"},
    [{"emailAddress": "jane@example.com"}] * 3,
]


def mutated_object(random_: random.Random) -> bytes:
    """A notification with some of its values replaced, dropped, doubled or moved."""
    document = copy.deepcopy(random_.choice(NOTIFICATIONS))
    if isinstance(document, str):
        return mutated_bytes(random_)
    for _ in range(random_.randint(1, 4)):
        place = random_place(document, random_)
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            continue
        key = random_.choice(keys)
        match random_.randint(0, 3):
            case 0:
                place[key] = copy.deepcopy(random_.choice(ODD))
            case 1:
                del place[key]
            case 2:
                place[key] = [copy.deepcopy(place[key])] * random_.randint(0, 3)
            case _:
                other = random_place(document, random_)
                place[key] = copy.deepcopy(other)
    return json.dumps(document).encode("utf-8", errors="surrogatepass")


def random_place(document: Any, random_: random.Random) -> Any:
    """Walk down to some object or list."""
    place = document
    while True:
        values = place.values() if isinstance(place, dict) else place
        inner = [value for value in values if isinstance(value, dict | list) and value]
        if not inner or random_.random() < 0.3:  # stop somewhere
            return place
        place = random_.choice(inner)


def mutated_bytes(random_: random.Random) -> bytes:
    """A notification with some of its bytes changed, dropped, doubled or cut."""
    notification = random_.choice(NOTIFICATIONS)
    text = notification if isinstance(notification, str) else json.dumps(notification)
    data = bytearray(text.encode())
    for _ in range(random_.randint(1, 8)):
        at = random_.randrange(len(data))
        match random_.randint(0, 3):
            case 0:
                data[at] = random_.randrange(256)
            case 1:
                del data[at : at + random_.randint(1, 20)]
            case 2:
                data[at:at] = random_.choice(
                    [b"{", b"}", b"[", b'"', b"\\u0000", b"NaN", b"\xff", b"@"]
                )
            case _:
                data[at:] = data[at : at + random_.randint(1, 200)] * random_.randint(1, 3)
        data = data or bytearray(b"{")
    return bytes(data)


def arbitrary_json(random_: random.Random) -> bytes:
    """Any JSON, with a liking for the keys that a notification has."""
    return json.dumps(arbitrary_value(random_, 5)).encode("utf-8", errors="surrogatepass")


KEYS = ["notificationType", "eventType", "bounce", "complaint", "delivery", "mail", "recipients"]
KEYS += ["bouncedRecipients", "complainedRecipients", "emailAddress", "timestamp", "destination"]
KEYS += ["tags", "Type", "Message", "Records", "Sns", "x"]
VALUES = [*ODD, "Bounce", "Complaint", "Delivery", "Notification", "Permanent", "General"]


def arbitrary_value(random_: random.Random, depth: int) -> Any:
    """Any value, to some depth."""
    kind = random_.random()
    if depth and kind < 0.6:  # most values are objects
        return {
            random_.choice(KEYS): arbitrary_value(random_, depth - 1)
            for _ in range(random_.randint(0, 6))
        }
    if depth and kind < 0.75:  # some are lists
        return [arbitrary_value(random_, depth - 1) for _ in range(random_.randint(0, 4))]
    return copy.deepcopy(random_.choice(VALUES))


def arbitrary_bytes(random_: random.Random) -> bytes:
    """Any bytes at all."""
    return random_.randbytes(random_.randint(0, 400))


SOURCES: list[Callable[[random.Random], bytes]] = [
    mutated_object,
    mutated_bytes,
    arbitrary_json,
    arbitrary_bytes,
]


def fuzz(cases: int, seed: int) -> Counter[str]:
    """Run so many cases; count how they ended.

    Raises:
        AssertionError: something came out that may not; it holds the seed and the case.
    """
    random_ = random.Random(seed)
    outcomes: Counter[str] = Counter()
    for number in range(cases):
        body = SOURCES[number % len(SOURCES)](random_)
        try:
            outcomes[outcome_of(body)] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}, case {number}: {body!r}") from error
    return outcomes


def outcome_of(body: bytes) -> str:
    """Take one body the whole way, as far as it goes."""
    try:
        notification = parse(body)
    except InvalidNotificationError as invalid:
        return check_error(invalid)
    if isinstance(notification, NotFeedback):
        return "acknowledged"
    attribution = attribute(notification, received_at=RECEIVED_AT, stream_tag=POLICY.stream_tag)
    for broken in attribution.broken:
        check_error(broken)
    for address, evidence in attribution.evidence:
        assert evidence.at <= RECEIVED_AT
        record = update(Record(address=address), [evidence], POLICY)
        if record:
            item = to_item(record, "r1")
            json.dumps(item, ensure_ascii=False).encode()  # what UTF-8 cannot hold, no table can
            assert to_record(item).evidence == record.evidence
    return "applied" if attribution.evidence else "names nobody"


def check_error(error: InvalidNotificationError) -> str:
    """An error never holds an address."""
    assert "@" not in str(error)
    return "rejected"


def main(cases: Annotated[int, typer.Option(min=1)] = 100_000, seed: int | None = None) -> None:
    """Run cases, and print how they ended."""
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    begun = time.monotonic()
    outcomes = fuzz(cases, seed)
    typer.echo(f"{cases} cases, seed {seed}, {time.monotonic() - begun:.0f} s: {dict(outcomes)}")


if __name__ == "__main__":
    typer.run(main)
