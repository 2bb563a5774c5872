"""One bound for the names of streams, in what SES sends and in what is asked."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from ses_suppression.cli.addresses import add, check, remove
from ses_suppression.cli.listing import list_
from ses_suppression.cli.output import Output
from ses_suppression.cli.screening import preflight, screen
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core import actions as operator_actions
from ses_suppression.core.notification import LONGEST_STREAM, Subscription, parse
from ses_suppression.core.policy import Policy
from ses_suppression.errors import InvalidActionError, InvalidPolicyError, InvalidStreamError
from ses_suppression.integrations.boto3 import guard, sending
from ses_suppression.testing import InMemoryStore, InMemorySuppressionList
from tests.builders import (
    JANE,
    attributed,
    bounce_notification,
    changed,
    complaint_notification,
    day,
    evidence_of,
    subscription_event,
)

LONGEST, TOO_LONG = "s" * LONGEST_STREAM, "s" * (LONGEST_STREAM + 1)
BOUND = f"at most {LONGEST_STREAM} characters"


@pytest.mark.parametrize("length", [128, 129, LONGEST_STREAM])
def test_a_topic_is_kept_as_a_whole_like_a_tag(length: int) -> None:
    name = "t" * length
    notification = parse(subscription_event(JANE, topics={name: "OptOut"}))
    assert isinstance(notification, Subscription)
    assert [one.topic for one in notification.preferences] == [name]
    body = changed(complaint_notification(JANE), "mail.tags", {"list": [name]})
    assert evidence_of(attributed(body, stream_tag="list")).stream == name


def test_a_longer_tag_is_cut_to_what_can_be_asked() -> None:
    body = changed(bounce_notification(JANE), "mail.tags", {"list": [TOO_LONG]})
    assert evidence_of(attributed(body, stream_tag="list")).stream == LONGEST


def test_the_longest_stream_that_is_held_back_is_found() -> None:
    suppressions = InMemorySuppressionList()
    suppressions.suppress(JANE, by="test", note="asked", stream=LONGEST)
    assert suppressions.check(JANE, LONGEST) is not None
    assert list(suppressions.screen([JANE], LONGEST).suppressed) == [JANE]


QUESTIONS: dict[str, Callable[[SuppressionList], object]] = {
    "check": lambda suppressions: suppressions.check(JANE, TOO_LONG),
    "check of a tenant": lambda suppressions: suppressions.check(JANE, tenant=TOO_LONG),
    "screen": lambda suppressions: suppressions.screen([JANE], TOO_LONG),
    "iter_screen": lambda suppressions: next(suppressions.iter_screen([JANE], TOO_LONG)),
    "guard": lambda suppressions: guard(
        boto3.client("ses", "eu-west-1"), suppressions, stream=TOO_LONG
    ),
    "sending": lambda _: sending(TOO_LONG).__enter__(),
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_about_a_longer_name_is_refused_with_the_bound(
    question: Callable[[SuppressionList], object],
) -> None:
    with pytest.raises(InvalidStreamError, match=f"^(stream|tenant): {BOUND}.* has 257$"):
        question(InMemorySuppressionList())


def test_an_entry_or_a_policy_with_a_longer_name_is_refused_with_the_bound() -> None:
    who: dict[str, Any] = {"by": "ann", "note": "asked", "at": day(10)}
    for name in (TOO_LONG, "s" * 1_000):
        with pytest.raises(InvalidActionError, match=BOUND):
            operator_actions.suppress(**who, stream=name)
    with pytest.raises(InvalidPolicyError, match=BOUND):
        Policy.from_mapping({"complaints_do_not_block": [TOO_LONG]})


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (check, [JANE]),
        (add, [JANE, "--note", "asked"]),
        (remove, [JANE, "--note", "asked"]),
        (list_, []),
        (preflight, ["list.csv"]),
        (screen, ["list.csv", "--output", "allowed.txt"]),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_command_about_a_longer_name_is_refused_with_the_bound(
    command: Callable[..., None],
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text(f"{JANE}\n")
    store = InMemoryStore()
    session = SimpleNamespace(
        suppressions=SuppressionList(store),
        store=store,
        table_name="suppressions",
        policy=Policy(),
        caller="ann",
        now=day(10),
        out=Output(console=Console(file=io.StringIO())),
    )
    app = typer.Typer()
    app.command()(command)
    error = CliRunner().invoke(app, [*arguments, "--stream", TOO_LONG], obj=session).exception
    assert isinstance(error, InvalidStreamError | InvalidActionError)
    assert BOUND in str(error)
