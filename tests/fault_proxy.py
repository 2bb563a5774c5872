"""A fault proxy before a service of AWS: microburst, in a process of its own.

As a program (`python -m tests.fault_proxy`) it is microburst, but the request keeps its `Host`. A
function signs the host that it talks to, and the emulator checks the signature of a role: without
this every request would be refused, and with microburst's own signing IAM would not be asked about
the function's role.
"""

import json
import os
import re
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.cdk import ROOT
from local.emulator import free_port
from tests.processes import running


@dataclass(frozen=True)
class FaultProxy:
    """A running fault proxy.

    Attributes:
        url: where it listens.
        service: whose requests meet the faults, such as `dynamodb`.
    """

    url: str
    service: str = "dynamodb"

    def use(self, *rules: Mapping[str, Any]) -> None:
        """Replace the faults; none: everything goes through."""
        body = json.dumps([{"service": self.service, **rule} for rule in rules]).encode()
        request = urllib.request.Request(  # noqa: S310  # loopback
            f"{self.url}/_microburst/rules",
            data=body,
            method="POST",
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310
            pass

    def injected(self) -> Counter[str]:
        """Count the faults so far: by `error`, `latency`, `reset` and `response`."""
        with urllib.request.urlopen(f"{self.url}/_microburst/metrics", timeout=30) as answer:  # noqa: S310
            text = answer.read().decode()
        found: Counter[str] = Counter()
        for action, number in re.findall(
            r'^microburst_faults_total\{.*action="([^":]*)[^}]*\} ([\d.]+)', text, re.MULTILINE
        ):
            found[action] += int(float(number))
        return found


@contextmanager
def running_fault_proxy(
    upstream: str, *, environment: Mapping[str, str] | None = None
) -> Iterator[FaultProxy]:
    """Run a fault proxy, and stop it on the way out.

    Args:
        upstream: where requests go that meet no fault.
        environment: what the proxy needs to talk to it.
    """
    port = free_port()
    command = [sys.executable, "-m", "tests.fault_proxy", "--upstream", upstream]
    proxy = FaultProxy(f"http://127.0.0.1:{port}")

    def is_up() -> bool:
        try:
            proxy.injected()
        except OSError:
            return False
        return True

    with running(
        "the fault proxy",
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        is_up=is_up,
        seconds=30,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
    ):
        yield proxy


def main() -> None:
    """Run microburst."""
    from microburst.cli import main as run  # noqa: PLC0415  # the tests do not need it
    from microburst.forward import Upstream  # noqa: PLC0415

    outbound_headers = Upstream._outbound_headers

    def with_the_host_that_was_signed(self: Any, request: Any) -> dict[str, str]:
        return {**outbound_headers(self, request), "host": request.headers["Host"]}

    Upstream._outbound_headers = with_the_host_that_was_signed
    sys.exit(run())


if __name__ == "__main__":
    main()
