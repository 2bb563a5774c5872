import pytest
from aws_cdk.assertions import Template

from tests.infrastructure.templates import synthesized


@pytest.fixture(scope="session")
def template() -> Template:
    return synthesized(identities=["example.com", "mail.example.net"])
