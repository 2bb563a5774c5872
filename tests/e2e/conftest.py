from collections.abc import Iterator

import pytest

from local.deployment import deploy, read_config
from local.emulator import ACCOUNT_ID, running_emulator
from local.mailbox_simulator import verify_identities
from tests.denials import role_with
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The unmodified app, deployed once for all tests."""
    config = read_config()
    with running_emulator(config.region) as emulator:
        verify_identities(emulator, config)
        yield Stack(emulator, config, deploy(emulator))


@pytest.fixture
def operator(stack: Stack) -> Operator:
    return Operator(stack)


@pytest.fixture(scope="session")
def reader_credentials(stack: Stack) -> Iterator[dict[str, str]]:
    """The credentials of an app's role that has the reader's policy attached."""
    policy = stack.deployment.outputs["ReaderPolicyArn"]
    with role_with(stack.emulator.client, ACCOUNT_ID, policies=[policy]) as credentials:
        yield credentials
