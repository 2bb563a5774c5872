"""The answer of `check`, against memory."""

import io
from types import SimpleNamespace

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from ses_suppression.cli.addresses import check
from ses_suppression.cli.output import Output
from tests.answering_store import VERDICTS, AnsweringStore, asking

HELD = "tenant@example.com"


@pytest.mark.parametrize(
    ("options", "status", "answer"),
    [
        ([], 0, f"{HELD}: may be mailed\n"),
        (["--tenant", "initech"], 0, f"{HELD}: may be mailed\n"),
        (["--tenant", "acme"], 1, f"{HELD}: tenant acme suppressed: BOUNCE (hard-bounce), since"),
        (["--stream", "news", "--tenant", "acme"], 1, f"{HELD}: tenant acme suppressed: BOUNCE"),
    ],
)
def test_a_check_asks_in_the_name_of_a_tenant(options: list[str], status: int, answer: str) -> None:
    app, written = typer.Typer(), io.StringIO()
    app.command()(check)
    session = SimpleNamespace(
        suppressions=asking(AnsweringStore(VERDICTS)),
        out=Output(console=Console(file=written, width=200)),
    )
    assert CliRunner().invoke(app, [HELD, *options], obj=session).exit_code == status
    assert written.getvalue().startswith(answer)
