import json
import uuid
from collections.abc import Iterator

import pytest

from local.deployment import configured, deploy
from local.emulator import ACCOUNT_ID, running_emulator
from local.mailbox_simulator import verify_identities
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


@pytest.fixture(scope="session")
def reader_credentials(stack: Stack) -> Iterator[dict[str, str]]:
    """The credentials of an app's role that has the reader's policy attached."""
    iam, sts = stack.emulator.client("iam"), stack.emulator.client("sts")
    name = f"app-{uuid.uuid4().hex[:8]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    policy = stack.deployment.outputs["ReaderPolicyArn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="app")["Credentials"]
    yield {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    iam.detach_role_policy(RoleName=name, PolicyArn=policy)
    iam.delete_role(RoleName=name)
