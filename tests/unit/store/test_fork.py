"""A process that forks while its threads are at work, as a server that preloads an app does."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import boto3
import pytest

from ses_suppression.client.cache import Cache, CacheSettings
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.integrations.webhook import Certificates, RefusedMessageError
from ses_suppression.store.rate_limit import Pace
from ses_suppression.testing import InMemoryStore
from tests.processes import SECONDS, answered_in_a_fork

ROOT = Path(__file__).parents[3]
FORKS = 100
HELD, CLEAR = "held@example.com", "clear@example.com"

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def fork_under_load() -> None:
    store = InMemoryStore()
    SuppressionList(store).suppress(HELD, by="test", note="held back")
    suppressions = SuppressionList(store, cache=CacheSettings(), check_seconds=2)

    def check_for_ever() -> None:
        for address in cycle([HELD, CLEAR]):
            suppressions.check(address)

    def answers() -> bool:
        held, clear = suppressions.check(HELD), suppressions.check(CLEAR)
        return held is not None and clear is None and suppressions.counts["suppressed"] > 0

    for _ in range(4):
        threading.Thread(target=check_for_ever, daemon=True).start()
    if not all(answered_in_a_fork(answers) for _ in range(FORKS)):
        sys.exit("a forked process did not answer")


def test_every_process_that_is_forked_while_threads_check_answers() -> None:
    program = "from tests.unit.store.test_fork import fork_under_load; fork_under_load()"
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS * 10
    )
    assert (ended.returncode, ended.stderr) == (0, "")


LATENCY = 0.004


class AnswersForOne(BaseHTTPRequestHandler):
    """A table that knows one address, and keeps its connections open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(LATENCY)
        (name,) = asked["RequestItems"]
        addresses = [key["address"]["S"] for key in asked["RequestItems"][name]["Keys"]]
        items = [HELD_ITEM for address in addresses if address == HELD]
        body = json.dumps({"Responses": {name: items}, "UnprocessedKeys": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


_BOUNCE = {"reason": "BOUNCE", "rule": "hard-bounce", "origin": "feedback", "evidence_id": "1"}
HELD_ITEM = {
    "address": {"S": HELD},
    "suppressions": {
        "M": {"*": {"M": {**{key: {"S": text} for key, text in _BOUNCE.items()},
                          "since": {"N": "1"}, "certain": {"BOOL": True}}}}
    },
}  # fmt: skip


def fork_with_open_connections(url: str) -> None:
    """As a server that looks at its table once and then forks its workers."""
    asked = [HELD, CLEAR, CLEAR, CLEAR]
    for _ in range(30):
        client = boto3.client(
            "dynamodb",
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        suppressions = SuppressionList.of_table("t", client=client)
        suppressions.check(CLEAR)
        children: list[int] = []
        for address in asked:
            child = os.fork()
            if child == 0:
                signal.alarm(SECONDS)
                is_right = bool(suppressions.check(address)) is (address == HELD)
                os._exit(0 if is_right else 1)
            children.append(child)
        if any(os.waitpid(child, 0)[1] for child in children):
            sys.exit("a forked process took the answer of another one")


def test_forked_processes_never_take_each_others_answers() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), AnswersForOne) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        url = f"http://127.0.0.1:{server.server_port}"
        program = (
            "from tests.unit.store.test_fork import fork_with_open_connections; "
            f"fork_with_open_connections({url!r})"
        )
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
        ended = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS * 10
        )
        server.shutdown()
        serving.join()
    assert (ended.returncode, ended.stderr) == (0, "")


def checks_a_certificate(certificates: Certificates) -> bool:
    with pytest.raises(RefusedMessageError, match="ZeroDivisionError"):
        certificates.get("https://example.com/x.pem")
    return True


LOCKED: dict[str, tuple[Any, Callable[[Any], bool]]] = {
    "cache": (Cache(CacheSettings()), lambda one: one.get(HELD, 0.0, bool) is None),
    "pace": (Pace(1e9), lambda one: one.spend() is None),
    "store": (InMemoryStore(), lambda one: one.save([], deadline=None) == {}),
    "certificates": (Certificates(lambda _: bytes(1 // 0)), checks_a_certificate),
}


@pytest.mark.parametrize(("one", "question"), LOCKED.values(), ids=LOCKED)
def test_a_lock_that_another_thread_holds_is_free_in_a_fork(
    one: Any, question: Callable[[Any], bool]
) -> None:
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with one._lock:
            held.set()
            released.wait(SECONDS * 2)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(SECONDS)
    answered = answered_in_a_fork(lambda: question(one))
    released.set()
    holder.join()
    assert answered


def test_no_lock_of_the_package_is_left_out() -> None:
    made = [
        path.name
        for path in sorted((ROOT / "ses_suppression").rglob("*.py"))
        if any(f"threading.{name}(" in path.read_text() for name in ("Lock", "RLock", "Condition"))
    ]
    assert made == ["daemon_pool.py", "fork.py"], "both begin again"
