"""What goes wrong in a chaos run: the table behind a proxy, functions killed, rights taken."""

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil

from local.waiting import wait_for
from tests.e2e.chaos.feedback import KINDS
from tests.e2e.stack import Stack
from tests.fault_proxy import FaultProxy

PHASE_SECONDS = 2.0
DENIED_SECONDS = 25.0
"""A message comes again after three seconds; up to its eighth receive it is tried each time."""

Phase = list[dict[str, Any]]
_RESET: dict[str, Any] = {"reset": True}  # before the write
_ANSWER_LOST: dict[str, Any] = {"response": {"abort_frac": 0.2}}  # after it: who can know?
_SLOW: dict[str, Any] = {"latency": {"min": 200, "max": 1500}}
_BROKEN: dict[str, Any] = {"error": {"code": "InternalServerError"}}
_THROTTLED: dict[str, Any] = {"error": {"code": "ProvisionedThroughputExceededException"}}


def _sometimes(*rules: Mapping[str, Any], of_all: float = 0.3) -> Phase:
    return [{"probability": of_all / len(rules), **rule} for rule in rules]


THROTTLED = _sometimes(_THROTTLED)
PHASES: tuple[Phase, ...] = (
    THROTTLED,
    _sometimes(_RESET, _ANSWER_LOST),
    _sometimes(_SLOW),
    _sometimes(_BROKEN),
    _sometimes(_RESET, _ANSWER_LOST, _SLOW, _BROKEN, _THROTTLED),
    [],
)


def reach_the_table_by(stack: Stack, proxy: FaultProxy) -> None:
    """Let the functions talk to the table through the proxy."""
    for kind in KINDS:
        stack.set_variables(kind, AWS_ENDPOINT_URL_DYNAMODB=proxy.url)


def killed_in_mid_batch(stack: Stack) -> int:
    """Count the batches whose function was killed, by what the emulator says."""
    return stack.emulator.log.read_text(errors="replace").count("errorMessage=Worker process died")


@contextmanager
def table_denied(stack: Stack, actions: Mapping[str, str]) -> Iterator[None]:
    """Take a right away from functions, by kind, until each of them has met it."""
    with ExitStack() as denied:
        for kind, action in actions.items():
            denied.enter_context(stack.without_action(kind, action))
        yield
        for kind in actions:
            wait_for(
                f"a denial in the log of {kind}",
                lambda kind=kind: any("AccessDenied" in line for line in stack.log_lines(kind)),  # type: ignore[misc]
                seconds=DENIED_SECONDS,
            )


class Faults:
    """Changes what fails every few seconds, and kills functions, until it is told to stop.

    Args:
        stack: whose functions are killed.
        proxy: between its functions and its table.
        seed: of the order of the phases, and of who is killed when.
        phases: what fails before the table, by turns.
        kills: whether functions are killed.
    """

    def __init__(
        self, stack: Stack, proxy: FaultProxy, *, seed: int, phases: Sequence[Phase], kills: bool
    ) -> None:
        self._stack = stack
        self._proxy = proxy
        self._seed = seed
        self._phases = list(phases)
        self._kills = kills
        self._enough = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let everything fail in turn."""
        work = (self._change_rules, self._kill) if self._kills else (self._change_rules,)
        with ThreadPoolExecutor(len(work)) as pool:
            running = [pool.submit(one) for one in work]
            try:
                yield
            finally:
                self._enough.set()
            for one in running:
                one.result()  # a run without faults shows nothing
        self._proxy.use()

    def _change_rules(self) -> None:
        random.Random(self._seed).shuffle(self._phases)
        while True:
            for phase in self._phases:
                self._proxy.use(*phase)
                if self._enough.wait(PHASE_SECONDS):
                    return

    def _kill(self) -> None:
        chance = random.Random(self._seed)
        emulator = psutil.Process(self._stack.emulator.process.pid)
        while not self._enough.wait(chance.uniform(2, 6)):
            workers = [one for one in emulator.children(recursive=True) if _is_of_ingest(one)]
            if workers:
                _kill(chance.choice(workers))


def _is_of_ingest(process: psutil.Process) -> bool:
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:  # it has ended in the meantime
        return False
    return any(f"-{kind}Function" in command for kind in KINDS)


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return
