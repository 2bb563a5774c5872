"""What a person starts on this machine, and that nothing of it stays behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator import LocalError, running_emulator
from local.waiting import wait_for

ROOT = Path(__file__).parent.parent.parent


def started(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "local", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_of(port: str) -> dict[int, str]:
    """Give the processes that know an emulator's port from their environment: pid -> command."""
    found = {}
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"localhost:{port}\0".encode() in environ.read_bytes():
                command = (environ.parent / "cmdline").read_text().replace("\0", " ")
                found[int(environ.parent.name)] = command
        except OSError:
            continue  # it ended, or it is not ours
    return found


@pytest.fixture
def up() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`make local`, as far as its port is known."""
    process = started("up")
    assert process.stdout is not None
    line = process.stdout.readline()
    match = re.search(r"https://localhost:(\d+)", line)
    assert match, line
    yield process, match[1]
    process.kill()
    process.communicate()


def test_the_demo_suppresses_who_bounced_or_complained_and_nobody_else() -> None:
    # What a person's shell may hold: none of it is the emulator's.
    process = started(
        "demo",
        AWS_PROFILE="nobody",
        AWS_REGION="us-west-2",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_USE_FIPS_ENDPOINT="true",
        HTTPS_PROXY="http://127.0.0.1:9",
        POWERTOOLS_DEV="1",
    )
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    table, _, second = printed.partition("A second send")
    rows = {line.split()[1]: line for line in table.splitlines() if "@" in line}
    verdicts = {
        "bounce": "suppressed: BOUNCE",
        "bounce+label": "suppressed: BOUNCE",
        "suppressionlist": "suppressed: BOUNCE",
        "complaint": "suppressed: COMPLAINT",
        "success": "may be mailed",
        "ooto": "may be mailed",
    }
    assert len(rows) == len(verdicts)
    for label, verdict in verdicts.items():
        assert verdict in rows[f"{label}@simulator.amazonses.com"]
    sent = {line.split()[1].partition("@")[0] for line in second.splitlines() if " sent " in line}
    held = {
        line.split()[1].partition("@")[0] for line in second.splitlines() if "held back" in line
    }
    assert sent == {"success", "ooto"}
    assert held == set(verdicts) - sent


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_the_middle_of_the_deploy_leaves_no_process_behind(
    up: tuple[subprocess.Popen[str], str], how: signal.Signals
) -> None:
    process, port = up
    wait_for("the deploy", lambda: running(port, "cdk"), seconds=30)
    process.send_signal(how)
    printed, _ = process.communicate(timeout=30)
    assert printed.endswith("stopped, and with it everything that was started\n")
    assert process.returncode == 1
    assert processes_of(port) == {}


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
def test_the_emulator_ends_even_when_whoever_started_it_is_killed(
    up: tuple[subprocess.Popen[str], str],
) -> None:
    process, port = up
    wait_for("the deploy", lambda: running(port, "cdk"), seconds=30)
    process.kill()
    wait_for("the end of the emulator", lambda: not running(port, "ministack"), seconds=10)
    for pid in processes_of(port):  # the CDK command line, which nobody was left to end
        os.kill(pid, signal.SIGKILL)


def running(port: str, what: str) -> bool:
    return any(what in command for command in processes_of(port).values())


def test_an_emulator_that_cannot_start_says_so() -> None:
    with (
        pytest.raises(LocalError, match="the emulator did not start; its last words"),
        running_emulator("eu-west-1", python="/bin/false"),
    ):
        pass
