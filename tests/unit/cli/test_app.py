"""The command line as such: what it says of itself, without AWS."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ses_suppression.cli.app import _COMMANDS, _Run, app
from ses_suppression.cli.output import Output, json_line

ROOT = Path(__file__).parents[3]
COMMANDS = [
    *([command.__name__.rstrip("_")] for command in _COMMANDS),
    *(["dead-letters", name] for name in ("show", "redrive", "drop")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"}, obj=_Run())
    assert result.exit_code == 0
    text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", result.output).split())
    assert f"Example: ses-suppression --env prod {' '.join(command)}" in text


def test_the_help_names_every_command() -> None:
    text = CliRunner().invoke(app, ["--help"]).output
    for name, *_ in COMMANDS:
        assert name in text


def test_without_the_extra_the_command_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['typer'] = None; import runpy; "
    answer = subprocess.run(
        [sys.executable, "-c", f"{hidden}runpy.run_module('ses_suppression', run_name='__main__')"],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 1
    assert answer.stderr == "error: typer is not installed: pip install 'ses-suppression[cli]'\n"


def test_a_document_is_one_line_whatever_is_in_it() -> None:
    document = {"a": "x\ny", "b": None, "ü": "\x1b[2J\u2028\x9b"}
    line = json_line(document)
    assert line.splitlines() == [line.removesuffix("\n")]
    assert line.isascii()
    assert json.loads(line) == document


def test_a_strangers_text_moves_no_cursor_and_is_no_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = Output()
    text = "[red]x[/red] [2001:db8:a:b::1] :smile: [/] \x1b]0;title\x07 \x9b2J\u202eabc"
    out.say(text)
    out.table(["a"], [[text]])
    out.warn(text)
    written, warned = capsys.readouterr()
    for found in (written, warned):
        assert "[red]x[/red] [2001:db8:a:b::1] :smile: [/]" in found
        assert not set(found) & set("\x1b\x07\x9b\u202e")
