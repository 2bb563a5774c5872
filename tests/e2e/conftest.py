from collections.abc import Iterator

import pytest

from local.deployment import configured, deploy
from local.emulator import running_emulator
from local.mailbox_simulator import verify_identities
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The unmodified app, deployed once for all tests."""
    config = configured()
    with running_emulator(config.region) as emulator:
        verify_identities(emulator, config)
        yield Stack(emulator, config, deploy(emulator))
