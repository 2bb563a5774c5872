"""Would `tests/denials.py` notice what is not refused?"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.denials import ALLOWED, Caller, attempts_of, not_refused

OUTPUTS = {
    "SuppressionTableName": "table",
    "BouncesTopicArn": "topic",
    "BouncesQueueUrl": "bounces",
    "ComplaintsQueueUrl": "complaints",
}


class Service:
    """Answers every call, or refuses it with a code."""

    def __init__(self, code: str | None) -> None:
        self._code = code

    def __getattr__(self, call: str) -> Any:
        def answer(**_arguments: Any) -> None:
            if self._code:
                raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, call)

        return answer


def caller(code: str | None, identity: str = "shop.example") -> Caller:
    return Caller(lambda _service: Service(code), {}, OUTPUTS, identity)


@pytest.mark.parametrize("role", ALLOWED)
def test_what_succeeds_is_named_and_so_is_what_fails_for_another_reason(role: str) -> None:
    assert not_refused(caller(None), role) == [*attempts_of(caller(None), role)]
    throttled = not_refused(caller("ThrottlingException"), role)
    assert len(throttled) == len(attempts_of(caller(None), role))
    assert not_refused(caller("AccessDeniedException"), role) == []


def test_an_address_that_mail_is_sent_from_is_the_canarys_too() -> None:
    another = "mail from another address"
    assert another in attempts_of(caller(None), "Canary")
    assert another not in attempts_of(caller(None, "news@shop.example"), "Canary")
