"""From the last release to today, with mail in flight."""

import io
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.cdk import ROOT
from local.deployment import cdk_of, deploy, read_config
from local.emulator import Emulator, running_emulator
from local.mailbox_simulator import sender_of, verify_identities
from local.waiting import wait_for
from stacks.bundle import WHEELS
from tests.e2e.in_flight import mail_in_flight
from tests.e2e.stack import Stack

RELEASE = "90265dc3873e66626d3cf14bfb0588b76a9746c3"  # 0.1.0
STACK = "ses-suppression-dev"
HOLD_DATA = {
    "AWS::DynamoDB::GlobalTable", "AWS::KMS::Key", "AWS::SNS::Topic", "AWS::SQS::Queue",
}  # fmt: skip


@dataclass(frozen=True)
class Update:
    """What there was before, who was mailed in the meantime, and what there is now."""

    stack: Stack
    before: Mapping[str, str]
    addresses: Sequence[str]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app of the last release, as the repository's history has it."""
    folder = tmp_path_factory.mktemp("released")
    git = shutil.which("git")
    if not git:
        pytest.skip("git is not installed")
    found = subprocess.run(  # our own command
        [git, "archive", "--format=zip", RELEASE], cwd=ROOT, capture_output=True, check=False
    )
    if found.returncode:
        pytest.skip(f"the history ends before {RELEASE}: git fetch --unshallow")
    with zipfile.ZipFile(io.BytesIO(found.stdout)) as archive:
        archive.extractall(folder)
    (folder / WHEELS.name).symlink_to(WHEELS)
    return folder


@pytest.fixture(scope="module")
def updated(released: Path) -> Iterator[Update]:
    """The last release, and today's deployed over it, with mail in flight."""
    config = read_config()
    with running_emulator(config.region) as emulator:
        verify_identities(emulator, config)
        old = Stack(emulator, config, deploy(emulator, project=released))
        before = physical_ids(emulator)
        with old.quick_retries("Bounces"):
            with mail_in_flight(emulator, sender_of(config)) as addresses:
                wait_for("the first mails", lambda: len(addresses) >= 3, seconds=30)
                sent_before = len(addresses)
                stack = Stack(emulator, config, deploy(emulator))
                wait_for("mails afterwards", lambda: len(addresses) > sent_before, seconds=30)
            for address in addresses:
                stack.await_suppression(address)
        yield Update(stack, before, addresses)


def test_an_update_from_the_last_release_loses_no_mail_that_is_in_flight(updated: Update) -> None:
    stack = updated.stack
    for address in updated.addresses:
        assert stack.await_suppression(address).reason == "BOUNCE"
    for kind in ("Bounces", "Complaints", "Deliveries"):
        stack.await_drained(kind)
        assert stack.waiting(f"{kind}DeadLetter") == 0


def test_an_update_replaces_nothing_that_holds_data(updated: Update) -> None:
    assert len(updated.before) == 1 + 1 + 4 + 9  # table, key, topics, queues
    assert physical_ids(updated.stack.emulator).items() >= updated.before.items()


@pytest.mark.slow
def test_a_removal_lets_ses_mail_again_and_keeps_the_table(updated: Update) -> None:
    stack = updated.stack
    emulator, (identity,) = stack.emulator, stack.config.identities
    cdk_of(emulator).destroy("dev")
    ses = emulator.client("ses")
    found = ses.get_identity_notification_attributes(Identities=[identity.name])
    assert found["NotificationAttributes"][identity.name] == {"ForwardingEnabled": True}
    assert emulator.client("sns").list_topics()["Topics"] == []
    assert stack.suppressions.check(updated.addresses[0]) is not None


def physical_ids(emulator: Emulator) -> dict[str, str]:
    """Give the physical ids of what holds data."""
    pages = (
        emulator.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName=STACK)
    )
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] in HOLD_DATA
    }
