"""The recipes of docs/data-model.md, run as they stand there, with the reader's policy."""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest

from ses_suppression.core.actions import suppress
from ses_suppression.core.evidence import EVERY_STREAM
from ses_suppression.core.policy import Policy
from ses_suppression.ingest import apply
from ses_suppression.store.deadline import Deadline
from tests.builders import bounce_notification
from tests.e2e.stack import Stack
from tests.spellings import HELD, MAILBOX, SPELLINGS

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "data-model.md").read_text()
RECIPES = dict(re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))

# What an app would write around each recipe; the arguments are address, stream, address, stream …
DRIVERS = {
    "sh": """
while [ $# -gt 0 ]; do
  may_send "$1" "$2"; status=$?
  case $status in 0) echo true;; 1) echo false;; *) exit $status;; esac
  shift 2
done
""",
    "python": """
import sys
for address, stream in zip(sys.argv[1::2], sys.argv[2::2]):
    print(str(may_send(address, stream)).lower())
""",
    "js": """
const given = process.argv.slice(2);
for (let i = 0; i < given.length; i += 2) console.log(await maySend(given[i], given[i + 1]));
""",
}
PROJECTION = re.compile(
    r"""projection-?expression\W+(?:aws\.String\W+)?([\w, ]+?)["' ]""", re.IGNORECASE
)
# As above, from JSON, which has every character; each answer is one of true, false and error.
SURVEYS = {
    "sh": """
for address; do
  may_send "$address" 2>/dev/null; status=$?
  case $status in 0) echo true;; 1) echo false;; *) echo error;; esac
done
""",
    "python": """
import json, sys
for address in map(json.loads, sys.argv[1:]):
    try:
        print(str(may_send(address)).lower())
    except ValueError:
        print("error")
""",
    "js": """
for (const given of process.argv.slice(2)) {
  console.log(await maySend(JSON.parse(given)).catch(() => "error"));
}
""",
}
INTERPRETERS = {"sh": shutil.which("sh"), "python": sys.executable, "js": shutil.which("node")}
SUFFIXES = {"sh": "sh", "python": "py", "js": "mjs"}
INTERNATIONAL = ("python", "js")

Answer = subprocess.CompletedProcess[str]


class Recipe:
    """A recipe, run in a process of its own as the reader."""

    def __init__(self, stack: Stack, credentials: Mapping[str, str], folder: Path) -> None:
        self._folder = folder
        # Node looks for packages where the program stands.
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        self._environment = {
            **os.environ,
            **stack.emulator.environment,
            **{name.upper(): value for name, value in credentials.items()},
            "SUPPRESSION_TABLE_NAME": stack.deployment.table_name,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, language: str, *questions: tuple[str, str], **environment: str) -> Answer:
        return self._run(language, DRIVERS[language], chain(*questions), **environment)

    def _run(
        self, language: str, driver: str, arguments: Iterable[str], **environment: str
    ) -> Answer:
        program = self._folder / f"recipe.{SUFFIXES[language]}"
        program.write_text(RECIPES[language] + driver)
        interpreter = INTERPRETERS[language]
        assert interpreter
        return subprocess.run(
            [interpreter, program, *arguments],
            env={**self._environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def survey(self, language: str, spellings: Iterable[str]) -> list[str]:
        encode = str if language == "sh" else json.dumps
        answer = self._run(language, SURVEYS[language], map(encode, spellings))
        assert (answer.returncode, answer.stderr) == (0, "")
        return answer.stdout.split()

    def answers(self, language: str, *questions: tuple[str, str]) -> list[bool]:
        answer = self.run(language, *questions)
        assert (answer.returncode, answer.stderr) == (0, "")
        return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.fixture
def recipe(stack: Stack, reader_credentials: dict[str, str], tmp_path: Path) -> Recipe:
    return Recipe(stack, reader_credentials, tmp_path)


@pytest.mark.parametrize("language", DRIVERS)
def test_a_recipe_answers_as_the_package_does(stack: Stack, recipe: Recipe, language: str) -> None:
    name = uuid.uuid4().hex
    held, over, on_news = (f"{name}-{word}@example.net" for word in ("held", "over", "news"))
    stack.publish("Bounces", bounce_notification(held, at=datetime.now(UTC), feedback_id=name))
    stack.await_suppression(held)
    stack.suppressions.suppress(on_news, by="test", note="on a stream", stream="news")
    last_year = datetime.now(UTC) - timedelta(days=365)
    ended = suppress(
        by="test", note="over by now", at=last_year, until=last_year + timedelta(days=1)
    )
    apply({over: [ended]}, store=stack.store, policy=Policy(), deadline=Deadline(30))
    questions = [
        (held, EVERY_STREAM),
        (f" {held.upper()}", "news") if language in INTERNATIONAL else (held.upper(), "news"),
        (over, EVERY_STREAM),
        (on_news, EVERY_STREAM),
        (on_news, "news"),
        (on_news, "receipts"),
        (f"{name}@example.net", "news"),
    ]
    expected = [stack.suppressions.check(one, stream) is None for one, stream in questions]
    assert expected == [False, False, True, True, False, True, True]
    assert recipe.answers(language, *questions) == expected


@pytest.mark.parametrize("language", INTERNATIONAL)
def test_a_recipe_asks_for_the_a_label(stack: Stack, recipe: Recipe, language: str) -> None:
    name = uuid.uuid4().hex
    stack.suppressions.suppress(f"{name}@xn--strae-oqa.example", by="test", note="recipes")
    questions = [
        (f"{name}@{domain}", EVERY_STREAM) for domain in ("STRAßE.example.", "strasse.example")
    ]
    assert recipe.answers(language, *questions) == [False, True]


INVISIBLE = ("\u200f", "\u00ad", "\u200c", "\ufeff", "\u2800")


@pytest.mark.parametrize("language", DRIVERS)
def test_an_invisible_character_never_turns_a_no_into_a_yes(
    stack: Stack, recipe: Recipe, language: str
) -> None:
    name = uuid.uuid4().hex
    stack.suppressions.suppress(f"{name}@example.net", by="test", note="recipes")
    spellings = [
        spelling
        for mark in INVISIBLE
        for spelling in (
            f"{mark}{name}@example.net",
            f"{name}{mark}@example.net",
            f"{name}@exam{mark}ple.net",
            f"{name}@example.net {mark}",
        )
    ]
    answers = zip(spellings, recipe.survey(language, spellings), strict=True)
    assert [ascii(spelling) for spelling, answer in answers if answer == "true"] == []


@pytest.mark.parametrize("language", INTERNATIONAL)
def test_a_recipe_keeps_the_joiner_of_a_persian_domain(
    stack: Stack, recipe: Recipe, language: str
) -> None:
    name = uuid.uuid4().hex
    stack.suppressions.suppress(f"{name}@نامه\u200cای.example", by="test", note="recipes")
    questions = [(f"{name}@{label}.example", EVERY_STREAM) for label in ("نامه\u200cای", "نامهای")]
    assert recipe.answers(language, *questions) == [False, True]


@pytest.mark.parametrize("language", DRIVERS)
def test_a_recipe_that_gets_no_answer_says_neither_yes_nor_no(
    recipe: Recipe, language: str
) -> None:
    answer = recipe.run(
        language, ("jane@example.com", EVERY_STREAM), SUPPRESSION_TABLE_NAME="of-somebody-else"
    )
    assert answer.returncode != 0
    assert answer.stdout == ""
    assert "AccessDenied" in answer.stderr


NO_ADDRESSES = (
    "jane", "jane@", "@example.com", "Jane <jane@example.com>", "jane@example.com>",
    "a b@example.com", "a@example.com,b@example.com", "jane@exam ple.com",
)  # fmt: skip


@pytest.mark.parametrize("language", DRIVERS)
def test_a_recipe_refuses_what_is_no_address(recipe: Recipe, language: str) -> None:
    answer = recipe.run(language, (NO_ADDRESSES[0], EVERY_STREAM))
    assert answer.returncode != 0
    assert answer.stdout == ""
    answers = zip(NO_ADDRESSES, recipe.survey(language, NO_ADDRESSES), strict=True)
    assert [text for text, said in answers if said != "error"] == []


@pytest.mark.parametrize("language", DRIVERS)
def test_a_recipe_takes_a_spelling_for_the_mailbox_or_as_an_error(
    stack: Stack, recipe: Recipe, language: str
) -> None:
    name = uuid.uuid4().hex
    stack.suppressions.suppress(MAILBOX.format(name), by="test", note="recipes")
    expected = {
        what: "false" if taken is HELD else "error"
        for what, (spelling, _, taken) in SPELLINGS.items()
        if language != "sh" or "\x00" not in spelling  # a shell has none
    }
    texts = [SPELLINGS[what][0].format(name) for what in expected]
    assert dict(zip(expected, recipe.survey(language, texts), strict=True)) == expected


def test_there_is_a_recipe_for_each_language() -> None:
    assert list(RECIPES) == ["sh", "python", "js", "go", "java", "php"]


@pytest.mark.parametrize("language", RECIPES)
def test_a_recipe_asks_for_nothing_that_the_policy_refuses(language: str) -> None:
    """Also those that no test runs."""
    assert PROJECTION.findall(RECIPES[language]) == ["suppressions"]
