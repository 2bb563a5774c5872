"""What a function's INIT takes, in the runtime interface emulator that AWS gives away.

It is in the wheel of `aws-sam-cli`; with Lambda's runtime client for Python it has an environment
of its own, `.rie`, whose boto3 stands for that of Lambda's runtime. The code has no compiled files
beside it and gets none, as in Lambda, where its folder cannot be written to.
"""

import os
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Goal, Result, Row, in_turns, show
from benchmarks.servers import ROOT
from local.emulator import free_port
from local.waiting import wait_for
from stacks.bundle import bundle

ENVIRONMENT = ROOT / ".rie"
SECONDS = 60.0
ROUNDS = 25
_REPORT = re.compile(r"INIT REPORT\(durationMs: ([\d.]+)\)")
BARE = """
import boto3
client = boto3.client("dynamodb")

def handler(event, context):
    return {"batchItemFailures": []}
"""
HEAVY = """
import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from pydantic import BaseModel

logger, metrics, tracer = Logger(service="x"), Metrics(namespace="x", service="x"), Tracer()
client = boto3.client("dynamodb")

class Recipient(BaseModel):
    emailAddress: str

class Bounce(BaseModel):
    bounceType: str
    bouncedRecipients: list[Recipient]

@tracer.capture_lambda_handler
def handler(event, context):
    return {"batchItemFailures": []}
"""
VARIABLES = {
    "SUPPRESSION_TABLE_NAME": "suppressions",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/dead-letters",
    "FINGERPRINT_KEY": "key",
    "SENDING_ACCOUNT_IDS": "123456789012",
    "SUPPRESSION_ENVIRONMENT": "bench",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def init_milliseconds(code: Path, handler: str) -> float:
    """Start a function anew, and give what its INIT took."""
    with tempfile.TemporaryFile("w+") as log, _running(code, handler, log.fileno()) as url:
        request = urllib.request.Request(  # noqa: S310  # loopback
            f"{url}/2015-03-31/functions/function/invocations", data=b'{"Records": []}'
        )
        wait_for("the emulator", lambda: _answers(request), seconds=SECONDS)
        log.seek(0)
        text = log.read()
    found = _REPORT.search(text)
    if not found or "INIT RTDONE(status: success)" not in text:
        raise RuntimeError(f"{handler} did not start: {text}")
    return float(found[1])


@contextmanager
def _running(code: Path, handler: str, log: int) -> Iterator[str]:
    (program,) = ENVIRONMENT.glob("lib/python*/site-packages/samcli/local/rapid/*-x86_64")
    port, other_port = free_port(), free_port()
    command = [
        str(program),
        "--log-level", "info",
        "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
        "--runtime-api-address", f"127.0.0.1:{other_port}",
        str(ENVIRONMENT / "bin" / "python"), "-m", "awslambdaric", handler,
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=code,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(code), **VARIABLES},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 9)
        process.wait(timeout=10)


def _answers(request: urllib.request.Request) -> bool:
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return bool(answer.read())
    except OSError:
        return False


def results() -> Iterator[Result]:
    """Start each of them anew in every round."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, others = folder / "ours", folder / "others"
        for one in (ours, others):
            bundle(one)
        (others / "bare.py").write_text(BARE)
        (others / "heavy.py").write_text(HEAVY)
        functions: Mapping[str, tuple[Path, str]] = {
            "limit: a DynamoDB client of boto3": (others, "bare.handler"),
            "with Powertools' Tracer, and pydantic": (others, "heavy.handler"),
            "ours": (ours, "lambdas.bounces.handler"),
        }
        measured = in_turns(
            {
                what: (lambda one=one: init_milliseconds(*one))  # type: ignore[misc]
                for what, one in functions.items()
            },
            rounds=ROUNDS,
        )
    rows = tuple(Row(name=what, values=values) for what, values in measured.items())
    yield Result(
        name="cold-start",
        title="INIT of a function",
        back_end="the runtime interface emulator of `aws-sam-cli`",
        unit="ms",
        rows=rows,
        goals=(
            Goal(
                what="INIT, ours against the limit",
                reached=rows[-1].against(rows[0]),
                goal=1.25,
                at_most=True,
            ),
        ),
    )


if __name__ == "__main__":
    show(results())
