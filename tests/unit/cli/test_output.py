"""What a stranger writes reaches no terminal as it is, through whichever command."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ses_suppression import cli
from ses_suppression.cli.app import _COMMANDS, run
from ses_suppression.cli.output import Output, printable
from ses_suppression.cli.session import Session
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.evidence import Evidence, Kind
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.record import Record, update
from ses_suppression.errors import UnreadableItemError
from ses_suppression.ses_account.account_list import AccountLevelEntry
from ses_suppression.ses_account.environment import Stack
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Loaded
from ses_suppression.testing import InMemoryStore
from tests.builders import JANE, complaint, day, hard, piece
from tests.command import Refusing

CONTROLS = [
    *map(chr, [*range(0x20), *range(0x7F, 0xA0)]),  # C0, DEL, C1
    *"\xad\u061c\u200b\u200c\u200d\u200e\u200f\u2028\u2029\ufeff",
    *map(chr, [*range(0x202A, 0x202F), *range(0x2060, 0x206A)]),  # bidi and invisible controls
    *map(chr, [0xD800, 0xDC80, 0xDFFF]),  # lone surrogates
]
MARKUP = "[red]x[/red] [/] [link=https://x.example]x[/link] [2001:db8::1] :smile: \\[x]"
SHORT = "".join(CONTROLS[1:-3]) + "\nerror: forged \u2028error: forged [red]x[/]"
HOSTILE = "".join(f"{control}error: forged " for control in CONTROLS) + MARKUP + SHORT
HARMLESS = "x"
_IN_A_FILE_NAME = "".join(CONTROLS[1:-3]) + chr(0xDC80) + "[red][-]"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def stored(text: str) -> str:
    """Give a text as DynamoDB and files can hold it: in UTF-8."""
    return text.encode(errors="ignore").decode()


class Store(InMemoryStore):
    """Records whose every text is a stranger's, and an item that cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(clock=lambda: day(1))
        self._text = text
        at_a_strange_domain = f"joe@{text}.example"
        for address in (JANE, at_a_strange_domain):
            record = update(Record(address=address), evidence(text), Policy())
            assert record
            self.save([record], deadline=Deadline(1))

    def scan(self) -> Iterator[Loaded]:
        yield from super().scan()
        yield Loaded(failures={self._text: UnreadableItemError(self._text)})


def evidence(text: str) -> list[Evidence]:
    return [
        hard(0, diagnostic=text, status=text, action=text, reported_as=text, stream=text),
        hard(0.1, diagnostic=text, bounce_sub_type=text),
        complaint(0.2, feedback_type=text, sub_type=text, tenant=text),
        piece(Kind.SUPPRESS, 0.3, by=text, note=text, stream=text),
        piece(Kind.IMPORT, 0.4, by=text, note=text, reason="BOUNCE"),
        piece(Kind.SUBSCRIPTION, 0.5, stream=text, subscribed=False),
        piece(Kind.VOID, 0.6, by=text, note=text, voids=text, undo=text),
    ]


class AccountLevelList:
    """SES's list, with one entry in a strange spelling."""

    def __init__(self, text: str) -> None:
        self._entry = AccountLevelEntry(text, Reason.BOUNCE, day(0))

    def entries(self, **_: object) -> Iterator[AccountLevelEntry]:
        yield self._entry
        yield AccountLevelEntry("new@example.com", Reason.BOUNCE, day(0))

    def find(self, *_: str) -> list[AccountLevelEntry]:
        return [self._entry]

    def get(self, _: str) -> AccountLevelEntry:
        return self._entry

    def delete(self, _: str) -> None: ...


class Queue:
    """Of SQS: one dead letter that was rejected for a strange reason."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_queue_attributes(self, **_: object) -> Any:
        return {"Attributes": {"ApproximateNumberOfMessages": "1"}}

    def receive_message(self, **_: object) -> Any:
        letter = {"MessageId": "1", "ReceiptHandle": "r", "Body": self._text}
        reason = {"Reason": {"StringValue": self._text}}
        sent = {"SentTimestamp": "0"}
        return {"Messages": [{**letter, "Attributes": sent, "MessageAttributes": reason}]}

    def change_message_visibility(self, **_: object) -> None: ...


def sessions(text: str) -> Callable[..., Session]:
    """Give what makes a session in memory, on a screen on which no line has to be broken."""

    def make(out: Output, **options: Any) -> Session:
        out.console.width = out.errors.width = 1_000_000
        refusing = Refusing(text)
        services = ("ses", "sesv2", "sns", "lambda", "cloudwatch", "kms", "s3")
        clients: dict[tuple[str, str | None], object] = {
            **{(service, None): refusing for service in services},
            ("sqs", None): Queue(text),
        }
        options["table"] = stored(text)
        session = Session(out, _clients=clients, **options)
        store = Store(stored(text))
        outputs = {"BouncesTopicArn": text, "BouncesQueueUrl": text}
        # Each of these is made once, when it is first asked for: here it is already.
        vars(session).update(
            store=store,
            suppressions=SuppressionList(store),
            policy=Policy(),
            caller=stored(text),
            fingerprint_key="key",
            account_level_list=AccountLevelList(text),
            stack=Stack(text, outputs, "key"),
        )
        return session

    return make


def folder(at: Path, text: str) -> Path:
    """Write files with strange content and a strange name."""
    name = _IN_A_FILE_NAME if text is HOSTILE else text
    inside = at / name
    inside.mkdir(parents=True)
    text = stored(text)
    quoted = '"' + text.replace("\r", "").replace("\n", "").replace("\0", "") + '"'
    contents = {
        "header.csv": f"{quoted},phone\n",
        "rows.csv": f"email,created\n{quoted},{quoted}\njane@example.com,{quoted}\n",
        "list.csv": f"email\n{quoted}\nnew@{'a' * 300}\nnew@example.com\n",
        "policy.json": '{"transient_bounces": 3}',
        "bad.json": f'{{"{quoted[1:-1].encode("unicode_escape").decode()}": 3}}',
        "strange.txt": text,
    }
    for file, content in contents.items():
        (inside / file).write_text(content, newline="")
    return inside


# In which `@` is a strange text, `%` one that is short and UTF-8, and `/` begins a strange path.
COMMANDS = [
    "check jane@example.com @ @@example.com",
    "check jane@example.com --stream @ --tenant @",
    "explain jane@example.com",
    "explain @",
    "add jane@example.com --note % --stream %",
    "add jane@example.com --note x --until @",
    "add new@example.com --note x --stream tenant:@",
    "remove jane@example.com --ses --consent % --note %",
    "remove jane@example.com --note @",
    "remove jane@example.com --stream % --note %",
    "erase jane@example.com",
    "erase jane@example.com --apply",
    "erase @",
    "fingerprint @",
    "list",
    "list --state all --sub-type @",
    "list --domain @",
    "list --since @",
    "list --reason @",
    "stats",
    "export --output /out.csv",
    "export --output /nowhere/out.csv",
    "export --format @",
    "import /rows.csv",
    "import /rows.csv --note % --dry-run",
    "import /header.csv",
    "import /no.csv",
    "import /rows.csv --rejects /rows.csv",
    "undo --from 2020-01-01 --to 2030-01-01 --sub-type General",
    "undo --from 2020-01-01 --to 2030-01-01 --diagnostic % --ses",
    "undo --from 2020-01-01 --to 2030-01-01 --diagnostic @",
    "undo --from @ --to 2030-01-01",
    "undo --from 2020-01-01 --to 2030-01-01 --domain @",
    "undo --revert %",
    "undo --revert @",
    "replay --policy /policy.json",
    "replay --policy /bad.json",
    "replay --policy /strange.txt",
    "sync",
    "sync --import-job @",
    "doctor",
    "doctor --send @",
    "dead-letters show",
    "dead-letters show --kind @",
    "dead-letters redrive",
    "dead-letters drop --to /letters.jsonl",
    "dead-letters @",
    "screen /list.csv --output /allowed.txt --held-back /held-back.csv",
    "screen /list.csv --output /nowhere/allowed.txt",
    "screen /list.csv --output /list.csv",
    "screen /strange.txt --output /allowed.txt",
    "preflight /list.csv",
    "preflight /header.csv",
    "preflight /strange.txt",
    "@",
    "--@ list",
    "list --@",
    "list @",
]


def shown(
    capsys: pytest.CaptureFixture[str], at: Path, text: str, command: str, *options: str
) -> tuple[object, str, str]:
    """Run a command; give its exit status, and what is written to both outputs."""
    files = folder(at, text)
    short = SHORT if text is HOSTILE else text
    arguments = [
        f"{files}{word}"
        if word.startswith("/")
        else re.sub(r"(?<!\w)@(?!@)|@$", lambda _: text, word).replace("%", short)
        for word in command.split()
    ]
    with pytest.raises(SystemExit) as ended:
        run([*options, *arguments], sessions(text))
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize("options", [(), ("--json",), ("--debug",)], ids=str)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_strangers_text_moves_no_cursor_and_forges_no_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, options: tuple[str, ...]
) -> None:
    harmless = shown(capsys, tmp_path / "1", HARMLESS, command, *options)
    hostile = shown(capsys, tmp_path / "2", HOSTILE, command, *options)
    for expected, found in zip(harmless[1:], hostile[1:], strict=True):
        assert [line for line in found.split("\n") if not line.isprintable()] == []
        assert not any(line.startswith("error: forged") for line in found.split("\n"))
        if "--debug" not in options and hostile[0] == harmless[0]:
            assert found.count("\n") == expected.count("\n")


def test_every_command_is_tried() -> None:
    names = {command.__name__.rstrip("_") for command in _COMMANDS}
    assert {command.split()[0] for command in COMMANDS} >= names


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_a_control_character_is_shown_as_its_escape(control: str) -> None:
    escape = control.encode("unicode_escape").decode()
    assert printable(f"a{control}b") == f"a{escape}b"
    for force_terminal in (False, True):
        screen, beside = io.StringIO(), io.StringIO()
        out = Output(
            console=Console(file=screen, force_terminal=force_terminal, width=200, markup=False),
            errors=Console(file=beside, force_terminal=force_terminal, width=200, markup=False),
        )
        text = f"a{control}b"
        out.say(text)
        out.warn(text)
        out.fail(text, [text])
        out.table([text], [[text]])
        out.emit({text: text})
        for written, lines in ((screen, 4), (beside, 3)):
            plain = _COLOURS.sub("", written.getvalue())
            assert plain.count("\n") == lines
            assert plain.replace("\n", "").isprintable()
            assert plain.count(f"a{escape}b") >= lines - 1


def test_a_row_of_an_export_is_data_in_a_pipe_and_escaped_on_a_screen() -> None:
    row = 'jane@example.com,"news\x1b[2J\nforged"\n'
    pipe, screen = io.StringIO(), io.StringIO()
    Output(console=Console(file=pipe)).write(row)
    Output(console=Console(file=screen, force_terminal=True, highlight=False)).write(row)
    assert pipe.getvalue() == row
    assert screen.getvalue() == 'jane@example.com,"news\\x1b[2J\\nforged"\n'


def test_an_error_of_our_own_holds_mail_back_and_shows_no_text_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object, **__: object) -> Session:
        raise RuntimeError(HOSTILE)

    with pytest.raises(SystemExit) as ended:
        run(["check", JANE], broken)
    written, warned = capsys.readouterr()
    assert (ended.value.code, written) == (1, "")
    assert warned.startswith("error: RuntimeError: \\x00error: forged ")
    assert "Traceback" in warned
    assert all(line.isprintable() for line in warned.split("\n"))


def test_only_one_module_writes_to_a_screen() -> None:
    writes = re.compile(
        r"\bprint\(|\becho\(|out\.(console|errors)\b|std(out|err)\.write|\bConsole\b"
    )
    for path in Path(cli.__file__).parent.glob("*.py"):
        if path.name != "output.py":
            assert not writes.search(path.read_text()), path.name
