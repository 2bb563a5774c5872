"""The two walks of the architecture page are those that the code goes."""

import io
import logging
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from lambdas.ingest import IngestFunction
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.notification import Bounce
from ses_suppression.core.policy import Policy
from ses_suppression.store.dynamodb import DynamoDBStore
from tests.builders import ACCOUNT_ID, NOON, bounce_notification
from tests.integration.tables import TABLE_NAME

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()
_STEP = re.compile(r"^\| (\d) \| `([\w/]+\.py)` \| `(\w+)` \|", re.MULTILINE)


def walks() -> list[list[tuple[str, str]]]:
    """The tables of the page: the file and the function of each step."""
    found: list[list[tuple[str, str]]] = []
    for number, file, function in _STEP.findall(PAGE):
        found += [[]] if number == "1" else []
        found[-1].append((file, function))
    return found


def calls_of(act: Callable[[], object]) -> list[tuple[str, str]]:
    """The file and the name of each function of ours, in the order of their first calls."""
    seen: dict[tuple[str, str], None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(ROOT) and ".venv" not in path.parts:
            seen.setdefault((path.relative_to(ROOT).as_posix(), frame.f_code.co_name))

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
        threading.setprofile(before)
    return list(seen)


def check_walk(walk: list[tuple[str, str]], act: Callable[[], object]) -> None:
    calls = calls_of(act)
    places = [
        next(
            number
            for number, (path, name) in enumerate(calls)
            if path.endswith(file) and name == function
        )
        for file, function in walk
    ]
    assert places == sorted(places)
    assert len({file for file, _ in walk}) == len(walk) <= 6


def test_a_message_goes_from_its_body_to_the_item_as_the_page_says(client: Any) -> None:
    function = IngestFunction(
        store=DynamoDBStore(client, TABLE_NAME),
        policy=Policy(),
        account_ids=frozenset({ACCOUNT_ID}),
        reject=lambda _: None,
        kind=Bounce,
        fingerprint_key="key",
        logger=Logger(service="walk", logger_handler=logging.StreamHandler(io.StringIO())),
        metrics=Metrics(namespace="walk", service="walk"),
        environment="dev",
    )
    context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 30_000)
    record = {
        "messageId": "1",
        "body": bounce_notification("jane@example.com"),
        "attributes": {"SentTimestamp": str(int(NOON.timestamp() * 1000))},
    }
    check_walk(walks()[0], lambda: function({"Records": [record]}, context))


def test_a_question_goes_to_its_answer_as_the_page_says(client: Any) -> None:
    suppressions = SuppressionList(DynamoDBStore(client, TABLE_NAME), check_seconds=30)
    suppressions.suppress("jane@example.com", by="test", note="asked")
    check_walk(walks()[1], lambda: suppressions.check("jane@example.com"))
