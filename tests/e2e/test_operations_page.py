"""Every command line of the runbook, run as it stands there, one after another."""

import json
import os
import re
import shlex
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.builders import bounce_notification, complaint_notification
from tests.e2e.stack import Stack

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text()
LINES = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
ANSWER_IS_NO = {"check jane@example.com"}


@pytest.fixture(scope="module")
def desk(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an operator, and what happened before."""
    now = datetime.now(UTC)
    stack.publish(
        "Bounces",
        bounce_notification(
            "jane@example.com", at=now, feedback_id=uuid.uuid4().hex, status="5.1.1"
        ),
    )
    stack.publish(
        "Complaints",
        complaint_notification("angry@example.com", at=now, feedback_id=uuid.uuid4().hex),
    )
    for address in ("jane@example.com", "angry@example.com"):
        stack.await_suppression(address)
    stack.publish(
        "Bounces",
        bounce_notification(
            "sam@example.com",
            at=now,
            feedback_id=uuid.uuid4().hex,
            diagnosticCode="smtp; 550-5.7.26 This mail passes neither SPF nor DKIM. - gsmtp",
        ),
    )
    stack.await_record("sam@example.com")
    folder = tmp_path_factory.mktemp("desk")
    rows = ["status,reason,email,created", "5.1.1,no such user,moved@example.com,1772368200"]
    (folder / "bounces.csv").write_text("\n".join(rows))
    (folder / "customers.csv").write_text("name,email\nAnn,ann@example.com\n")
    (folder / "policy.json").write_text(json.dumps({"transient_bounces": 3}))
    return folder


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.partition("--env prod ")[2][:60])
def test_a_line_of_the_runbook_works(stack: Stack, desk: Path, line: str) -> None:
    program, *arguments = shlex.split(line.replace("--env prod", "--env dev"))
    assert program == "ses-suppression"
    answer = subprocess.run(
        [sys.executable, "-m", "ses_suppression", *arguments],
        cwd=desk,
        env={**os.environ, **stack.emulator.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    expected = 1 if line.partition("--env prod ")[2] in ANSWER_IS_NO else 0
    assert (answer.returncode, answer.stderr) == (expected, ""), answer.stdout
    if "sam@example.com" in arguments:
        assert "passes neither SPF nor DKIM" in answer.stdout
    if "--output" not in arguments and "list" not in arguments:
        assert answer.stdout


def test_the_runbook_has_the_occasions_and_every_command() -> None:
    titles = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    assert titles[1:] == [
        "The complaint", "The incident", "Before a mailing of millions", "The migration",
        "The silence", "The dead-letter alarm", "The table takes nothing", "The rates",
        "The sender's fault", "Tenants",
    ]  # fmt: skip
    used = {shlex.split(line)[3] for line in LINES}
    assert used == {
        "check", "explain", "add", "remove", "erase", "fingerprint", "list", "stats", "export",
        "import", "undo", "replay", "sync", "doctor", "dead-letters",
        "screen", "preflight",
    }  # fmt: skip
