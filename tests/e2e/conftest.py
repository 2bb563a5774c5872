import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.deployment import configured, deploy
from local.emulator import ACCOUNT_ID, running_emulator
from local.mailbox_simulator import verify_identities
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The unmodified app, deployed once for all tests."""
    config = configured()
    with running_emulator(config.region) as emulator:
        verify_identities(emulator, config)
        yield Stack(emulator, config, deploy(emulator))


@pytest.fixture
def operator(stack: Stack) -> Operator:
    return Operator(stack)


@contextmanager
def role_with(stack: Stack, attach: Callable[[Any, str], None]) -> Iterator[dict[str, str]]:
    """Give the credentials of a role of its own, to which something is attached."""
    iam, sts = stack.emulator.client("iam"), stack.emulator.client("sts")
    name = f"role-{uuid.uuid4().hex[:8]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    attach(iam, name)
    given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    yield {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


@pytest.fixture(scope="session")
def reader_credentials(stack: Stack) -> Iterator[dict[str, str]]:
    """The credentials of an app's role that has the reader's policy attached."""
    policy = stack.deployment.outputs["ReaderPolicyArn"]

    def attach(iam: Any, name: str) -> None:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)

    with role_with(stack, attach) as credentials:
        yield credentials
