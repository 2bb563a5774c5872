"""What goes wrong in a chaos run: the table behind a proxy, functions killed, rights taken."""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil

from tests.e2e.stack import Stack
from tests.fault_proxy import FaultProxy

PHASE_SECONDS = 2.0
Phase = list[dict[str, Any]]
THROTTLED: Phase = [
    {"probability": 0.3, "error": {"code": "ProvisionedThroughputExceededException"}}
]
PHASES: tuple[Phase, ...] = (
    THROTTLED,
    # Before the write, and after it: the answer is lost, and the writer cannot know.
    [{"probability": 0.15, "reset": True}, {"probability": 0.15, "response": {"abort_frac": 0.2}}],
    [{"probability": 0.3, "latency": {"min": 200, "max": 1500}}],
    [{"probability": 0.3, "error": {"code": "InternalServerError"}}],
    [],
)


def reach_the_table_by(stack: Stack, proxy: FaultProxy, kinds: Sequence[str]) -> None:
    """Let the functions talk to the table through the proxy."""
    lambda_ = stack.emulator.client("lambda")
    for kind in kinds:
        function = stack.function_of(kind)
        variables = function["Environment"]["Variables"]
        variables["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.url
        lambda_.update_function_configuration(
            FunctionName=function["FunctionName"], Environment={"Variables": variables}
        )


class Faults:
    """Changes what fails every few seconds, and kills functions, until it is told to stop."""

    def __init__(
        self,
        stack: Stack,
        proxy: FaultProxy,
        chance: random.Random,
        *,
        phases: Sequence[Phase],
        kills: bool,
    ) -> None:
        self._stack = stack
        self._proxy = proxy
        self._chance = chance
        self._phases = list(phases)
        self._kills = kills
        self._enough = threading.Event()
        self.killed = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        work = (self._change_rules, self._kill) if self._kills else (self._change_rules,)
        threads = [threading.Thread(target=one) for one in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()
            self._proxy.use()

    @contextmanager
    def table_denied(self, kinds: Sequence[str], action: str) -> Iterator[None]:
        """Take the right to write, by an action, away from every function."""
        with ExitStack() as denied:
            for kind in kinds:
                denied.enter_context(self._stack.without_action(kind, action))
            yield

    def _change_rules(self) -> None:
        self._chance.shuffle(self._phases)
        while True:
            for phase in self._phases:
                self._proxy.use(*phase)
                if self._enough.wait(PHASE_SECONDS):
                    return

    def _kill(self) -> None:
        emulator = psutil.Process(self._stack.emulator.process.pid)
        while not self._enough.wait(self._chance.uniform(2, 6)):
            workers = emulator.children(recursive=True)
            if workers:
                self._chance.choice(workers).kill()
                self.killed += 1
