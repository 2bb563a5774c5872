import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ses_suppression.client.cache import CacheSettings
from ses_suppression.client.lookup import REQUESTS
from ses_suppression.client.screening import Unknown
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.errors import InvalidAddressError, MissingSettingError
from ses_suppression.store.dynamodb import DynamoDBStore
from tests.builders import JANE, block, complaint, day, hard, record_of
from tests.integration.tables import TABLE_NAME, save


def at(client: Any, moment: datetime) -> SuppressionList:
    return SuppressionList(DynamoDBStore(client, TABLE_NAME), clock=lambda: moment)


def test_an_address_that_nothing_is_known_about_may_be_mailed(client: Any) -> None:
    assert at(client, day(0)).check(JANE) is None


def test_every_spelling_of_a_suppressed_address_is_held_back(client: Any) -> None:
    save(DynamoDBStore(client, TABLE_NAME), record_of(hard(0)))
    for spelling in (JANE, "Jane@EXAMPLE.com", '"Jane" <jane@example.com>', "jane@example.com."):
        suppression = at(client, day(1)).check(spelling)
        assert suppression is not None
        assert (suppression.reason, suppression.evidence_id) == (Reason.BOUNCE, "bounce-0")


def test_a_suppression_that_has_ended_holds_nothing_back_though_the_item_is_still_there(
    client: Any,
) -> None:
    save(DynamoDBStore(client, TABLE_NAME), record_of(block(0)))
    assert at(client, day(6.9)).check(JANE) is not None
    assert at(client, day(7)).check(JANE) is None


def test_a_stream_is_held_back_by_its_own_suppression_and_by_that_of_every_stream(
    client: Any,
) -> None:
    save(DynamoDBStore(client, TABLE_NAME), record_of(complaint(0, stream="news")))
    suppressions = at(client, day(1))
    assert suppressions.check(JANE) is None
    assert suppressions.check(JANE, stream="receipts") is None
    found = suppressions.check(JANE, stream="news")
    assert found is not None
    assert (found.reason, found.stream) == (Reason.COMPLAINT, "news")
    save(DynamoDBStore(client, TABLE_NAME), record_of(hard(0), address="joe@example.com"))
    every = suppressions.check("joe@example.com", stream="receipts")
    assert every is not None
    assert every.stream == "*"


def test_what_is_no_address_is_an_error_and_no_answer(client: Any) -> None:
    with pytest.raises(InvalidAddressError):
        at(client, day(0)).check("jane")


def test_the_table_is_taken_from_the_environment(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(DynamoDBStore(client, TABLE_NAME), record_of(hard(0)))
    monkeypatch.setenv("SUPPRESSION_TABLE_NAME", TABLE_NAME)
    assert SuppressionList.from_env().check(JANE) is not None
    monkeypatch.delenv("SUPPRESSION_TABLE_NAME")
    with pytest.raises(
        MissingSettingError, match="set SUPPRESSION_TABLE_NAME to the stack's output"
    ):
        SuppressionList.from_env()


@pytest.mark.usefixtures("aws")
def test_the_options_reach_the_list_however_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPPRESSION_TABLE_NAME", TABLE_NAME)
    monkeypatch.setenv("SUPPRESSION_POLICY", '{"transient_bounces": 3}')
    options: Any = {
        "unknown": "allow",
        "check_seconds": 2.0,
        "screen_seconds": 9.0,
        "cache": CacheSettings(),
    }
    for suppressions in (
        SuppressionList.from_env(**options),
        SuppressionList.of_table(TABLE_NAME, policy=Policy(transient_bounces=3), **options),
    ):
        assert suppressions._unknown is Unknown.ALLOW
        assert (suppressions._lookup._check_seconds, suppressions._lookup._screen_seconds) == (
            2.0,
            9.0,
        )
        assert suppressions._lookup._cache is not None
        assert suppressions._policy == Policy(transient_bounces=3)


@pytest.mark.usefixtures("aws")
def test_a_sender_is_not_held_up_unless_it_wants_to_be() -> None:
    suppressions = SuppressionList.of_table(TABLE_NAME)
    assert (suppressions._lookup._check_seconds, suppressions._lookup._screen_seconds) == (
        1.0,
        30.0,
    )
    assert suppressions._unknown is Unknown.HOLD
    store: Any = suppressions._store
    config = store._client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (0.3, 0.5)
    assert config.retries["total_max_attempts"] == 2
    assert config.max_pool_connections == REQUESTS


def test_the_example_of_the_readme_runs(
    client: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = Path(__file__).parent.parent.parent / "README.md"
    (example,) = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    monkeypatch.setenv("SUPPRESSION_TABLE_NAME", TABLE_NAME)
    sent: list[str] = []
    exec(example, {"send_the_mail": lambda: sent.append("mail")})  # noqa: S102  # it is our own
    assert sent == ["mail"]
    save(DynamoDBStore(client, TABLE_NAME), record_of(hard(0)))
    exec(example, {})  # noqa: S102
    assert capsys.readouterr().out == "held back: BOUNCE since 2026-01-01 08:00:00+00:00\n"
