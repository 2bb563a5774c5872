"""What a scan of a large table costs in memory: `python -m benchmarks.memory`.

Back end: a stub table server (benchmarks/table_stub.py) on loopback. What is measured is the
greatest resident size of the command's own process.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import Goal, Result, Row, show
from benchmarks.servers import ROOT, running

LIMIT_MB = 150
SIZES = (1_000, 200_000)
COMMANDS = {
    "`check --help`, for comparison": ["check", "--help"],
    "`export`": ["export", "--output", "/dev/null"],
    "`undo`, dry run, every item is the incident's": [
        "undo",
        "--from",
        "2025-01-01",
        "--to",
        "2027-01-01",
    ],
    "`stats`": ["stats"],
}


def results() -> Iterator[Result]:
    """Measure each command on a small and on a large table."""
    for size in SIZES:
        with running("benchmarks.table_stub", str(size)) as url:
            rows = tuple(
                Row(name=name, values=(resident_mb(url, arguments),))
                for name, arguments in COMMANDS.items()
            )
        most = max(row.median for row in rows)
        yield Result(
            name=f"memory-{size:07}",
            title=f"The operator's command on a table of {size:,} items",
            back_end="a stub table on loopback",
            unit="MB",
            rows=rows,
            goals=(Goal(what="the most, MB", reached=most, goal=LIMIT_MB, at_most=True),),
        )


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
    show(results())
