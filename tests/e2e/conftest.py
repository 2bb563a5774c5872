from collections.abc import Iterator

import pytest

from local.deployment import deploy
from local.emulator import running_emulator
from local.mailbox_simulator import verify_identity
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The unmodified app, deployed once for all tests."""
    with running_emulator() as emulator:
        verify_identity(emulator)
        yield Stack(emulator, deploy(emulator))
