"""What a scan of a large table costs in memory: `python -m benchmarks.memory`.

Back end: a stub table server (benchmarks/table_stub.py) on loopback. What is measured is the
greatest resident size of the command's own process.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

LIMIT_MB = 150
SIZES = (1_000, 200_000)
COMMANDS = {
    "check --help, for comparison": ["check", "--help"],
    "export": ["export", "--output", "/dev/null"],
    "undo, dry run": ["undo", "--from", "2025-01-01", "--to", "2027-01-01"],
    "stats": ["stats"],
}
ROOT = Path(__file__).parent.parent


def main() -> None:
    """Measure each command on a small and on a large table."""
    table = Table("command", *(f"{size:,} items" for size in SIZES), "limit", "seconds")
    measured: dict[str, list[float]] = {name: [] for name in COMMANDS}
    seconds: dict[str, float] = {}
    for size in SIZES:
        with table_of(size) as url:
            for name, arguments in COMMANDS.items():
                begun = time.monotonic()
                measured[name].append(resident_mb(url, arguments))
                seconds[name] = time.monotonic() - begun
    for name, sizes in measured.items():
        cells = [f"{size:,.0f} MB" for size in sizes]
        table.add_row(name, *cells, f"{LIMIT_MB} MB", f"{seconds[name]:.0f}")
    Console().print(table)
    if max(map(max, measured.values())) > LIMIT_MB:
        sys.exit("a command took more than the limit")


@contextmanager
def table_of(size: int) -> Iterator[str]:
    """Serve a table with so many items."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.table_stub", str(size)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the stub says nothing")
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait(timeout=10)


def resident_mb(url: str, arguments: list[str]) -> float:
    """Run a command, and give the greatest resident size of its process in megabytes."""
    # A process of its own between: the operating system tells the greatest of all children.
    program = (
        "import resource, subprocess, sys; "
        "status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
        "print('resident', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, status)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, sys.executable, "-m", "ses_suppression",
         "--table", "bench", "--endpoint-url", url, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "eu-west-1",
            "SUPPRESSION_POLICY": "{}",
        },
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    found = re.search(r"resident (\d+) 0$", answer.stdout.strip())
    if found is None:
        raise RuntimeError(f"{arguments} failed: {answer.stdout}{answer.stderr}")
    kilobytes = int(found[1]) / (1024 if sys.platform == "darwin" else 1)
    return kilobytes / 1024


if __name__ == "__main__":
    main()
