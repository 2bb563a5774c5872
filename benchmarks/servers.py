"""The processes that a benchmark asks, started and stopped."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).parent.parent
ACCESS: dict[str, Any] = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "x",
    "aws_secret_access_key": "x",
}


@contextmanager
def running(module: str, *arguments: str) -> Iterator[str]:
    """Run a module that prints the port that it listens on; give its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        if process.stdout is None:
            raise RuntimeError("it says nothing")
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait(timeout=10)


@dataclass(frozen=True)
class Stub:
    """A running `benchmarks.dynamodb_stub`."""

    url: str

    def client(self, config: Config | None = None) -> Any:
        """Give a client of it."""
        return boto3.client("dynamodb", endpoint_url=self.url, config=config, **ACCESS)

    def counts(self) -> dict[str, int]:
        """Give what was counted since the last time."""
        return self._ask("GET")

    def empty(self) -> None:
        """Forget all items."""
        self._ask("DELETE")

    def _ask(self, method: str) -> dict[str, int]:
        request = urllib.request.Request(self.url, method=method)  # noqa: S310  # loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            counts: dict[str, int] = json.load(answer)
        return counts


@contextmanager
def running_stub(milliseconds: float) -> Iterator[Stub]:
    """Run a table that answers after so many milliseconds."""
    with running("benchmarks.dynamodb_stub", str(milliseconds)) as url:
        yield Stub(url)
