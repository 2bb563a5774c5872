"""`make acceptance` against the emulator, so that it does not rot."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.cdk import ROOT
from local.deployment import read_config
from local.emulator import ACCOUNT_ID, Emulator, running_emulator
from local.mailbox_simulator import verify_identities
from tests.acceptance import run
from tests.acceptance.report import Outcome
from tests.acceptance.throw_away import STACK, THEIRS

Answer = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    config = read_config()
    with running_emulator(config.region) as running:
        verify_identities(running, config)
        yield running


def acceptance(emulator: Emulator, *options: str) -> Answer:
    return subprocess.run(
        command(*options),
        cwd=ROOT,
        env=environment(emulator),
        capture_output=True,
        text=True,
        check=False,
    )


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "tests.acceptance", "--env", "dev", *options]


def environment(emulator: Emulator) -> dict[str, str]:
    return {**os.environ, **emulator.environment, "CDK_HOME": str(emulator.folder)}


def test_another_account_than_the_confirmed_one_is_refused(emulator: Emulator) -> None:
    answer = acceptance(emulator, "--confirm", "111122223333")
    assert answer.returncode == 1
    assert answer.stderr == (
        f"error: CONFIRM=111122223333: the credentials are of the account {ACCOUNT_ID}; "
        "nothing was started\n"
    )


@contextmanager
def started(emulator: Emulator) -> Iterator[subprocess.Popen[str]]:
    """Start a run, and go on when its first deploy has ended."""
    with subprocess.Popen(
        command("--confirm", ACCOUNT_ID),
        cwd=ROOT,
        env=environment(emulator),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout
            assert any(f"{Outcome.PROVEN}: {run.DEPLOYS}" in line for line in process.stdout)
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_that_is_stopped_removes_what_it_made(emulator: Emulator) -> None:
    with started(emulator) as process:
        assert left(emulator) != []
        process.terminate()
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "stopped: the next run removes what this one could not" in said
    assert_nothing_is_left(emulator)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_proves_its_claims_and_leaves_nothing_even_of_one_that_was_killed(
    emulator: Emulator,
) -> None:
    with started(emulator):
        pass
    assert left(emulator) != []
    answer = acceptance(emulator, "--confirm", ACCOUNT_ID)
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stdout
    assert f"removing the leftovers of an earlier run: {STACK}" in answer.stdout
    table = answer.stdout.partition("What was proven")[2]
    only_aws = [claim.text for claim in run.CLAIMS if claim.not_on_the_emulator]
    for claim in (run.DEPLOYS, *(one.text for one in run.CLAIMS), run.GIVEN_BACK, run.NOTHING_LEFT):
        outcome = Outcome.NOT_HERE if claim in only_aws else Outcome.PROVEN
        assert f"{outcome}: {claim} (" in answer.stdout
    assert table.count("not proven here") == len(only_aws)
    assert "FAILED" not in answer.stdout
    assert_nothing_is_left(emulator)


def assert_nothing_is_left(emulator: Emulator) -> None:
    identity = emulator.client("sesv2").get_email_identity(EmailIdentity="example.com")
    assert identity.get("ConfigurationSetName") in {None, ""}
    assert identity["FeedbackForwardingStatus"] is True
    assert left(emulator) == []


def left(emulator: Emulator) -> list[Any]:
    sets = emulator.client("sesv2").list_configuration_sets()["ConfigurationSets"]
    return [
        *emulator.client("dynamodb").list_tables()["TableNames"],
        *emulator.client("sns").list_topics()["Topics"],
        *emulator.client("sqs").list_queues().get("QueueUrls", []),
        *emulator.client("lambda").list_functions()["Functions"],
        *emulator.client("iam").list_roles()["Roles"],
        *(one for one in sets if STACK in str(one) or THEIRS in str(one)),
    ]
