"""What a role must not do is refused by IAM: it is tried with the role's own policy."""

from collections.abc import Iterator

import pytest

from local.emulator import ACCOUNT_ID
from tests.denials import ALLOWED, Caller, attempts_of, not_refused, role_with
from tests.e2e.stack import Stack


@pytest.fixture(scope="module", params=ALLOWED)
def caller(stack: Stack, request: pytest.FixtureRequest) -> Iterator[tuple[str, Caller]]:
    role: str = request.param
    client, outputs = stack.emulator.client, stack.deployment.outputs
    is_reader = role == "Reader"
    with role_with(
        client,
        ACCOUNT_ID,
        documents=[] if is_reader else [stack.policy_of(role)],
        policies=[outputs["ReaderPolicyArn"]] if is_reader else [],
    ) as credentials:
        yield role, Caller(client, credentials, outputs, stack.config.identities[0].name)


def test_a_role_is_refused_what_it_must_not_do(caller: tuple[str, Caller]) -> None:
    role, own = caller
    assert len(attempts_of(own, role)) >= 12
    assert not_refused(own, role) == []


def test_a_role_may_do_its_own_work(caller: tuple[str, Caller]) -> None:
    """Else a refusal above would prove nothing."""
    role, own = caller
    ALLOWED[role](own)
