"""Operators at their shells, while feedback arrives: they import, undo, replay, sync and erase."""

import csv
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from ses_suppression.core.classification import rule_of
from ses_suppression.core.evidence import OPERATOR_KINDS, Evidence, Kind
from ses_suppression.core.policy import Reason
from ses_suppression.core.record import Record
from ses_suppression.core.rules import Rule
from ses_suppression.core.undo import Incident, caused_by, is_voided, revert_undo
from ses_suppression.ses_account.account_list import AccountLevelList
from tests.e2e.chaos.feedback import IMPORT_NOTE, OPERATOR, SETTINGS, Action, Feedback
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.fault_proxy import FaultProxy

NAMES = ("import", "undo", "revert", "replay", "sync", "erase")
_BUCKET = "chaos-lists"
_DONE, _TABLE_FAILED = 0, 3
"""Exit statuses. After the second, the command can be run again."""
_SECONDS_TO_HAVE_WRITTEN = 120
_AT_SES = 10  # addresses on SES's account-level list at the beginning
_ERASED = 10  # addresses that are erased, by turns
_ERASED_A_ROUND = 2
_OTHER_POLICY = {"transient_bounces": 3, "block_hold_days": 2, "transient_hold_days": 3}


class Commands:
    """Runs the commands in turn, as often as there is time for, and knows what they have to leave.

    Args:
        stack: whose table they change.
        proxy: between them and the table.
        happening: what else happens.
        midnight: before which all of that happened.
        folder: where they find their files.

    Attributes:
        written: how many records each command changed while feedback arrived.
        wrong: what a command said that it must not say.
    """

    def __init__(
        self,
        stack: Stack,
        proxy: FaultProxy,
        happening: Feedback,
        *,
        midnight: datetime,
        folder: Path,
    ) -> None:
        self.written: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._stack = stack
        self._operator = Operator(stack)
        self._by_proxy = {"AWS_ENDPOINT_URL_DYNAMODB": proxy.url}
        self._happening = happening
        self._undone = Incident(
            start=midnight - timedelta(days=20),
            end=midnight - timedelta(days=10),
            domains=frozenset({"example.net"}),
            diagnostic="5.1.1",
        )
        self._reverted = Incident(
            start=midnight - timedelta(days=15), end=midnight - timedelta(days=5)
        )
        self._said: dict[str, int] = {}  # the note of an undo -> records that it says it changed
        self._rounds = 0
        self._enough = threading.Event()
        self._exports = folder / "exports.csv"
        self._policies = _write_policies(folder)
        _write_export(self._exports, happening.imports)
        self._fill_the_list_at_ses()
        self._to_erase = cycle(self.erased)

    @property
    def erased(self) -> Sequence[str]:
        """Who is erased: whom only notifications name, and no incident.

        All that was erased comes back with its notifications.
        """
        others = {action.address for action in self._happening.actions}
        for post in self._happening.posts:
            if '"5.1.1"' in post.body:
                others |= post.addresses
        named = {address for post in self._happening.posts for address in post.addresses}
        return sorted(named - others)[:_ERASED]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Run the commands, again and again, until each has changed something."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self._run_in_turn)
            try:
                yield
            finally:
                self._enough.set()
            running.result()

    def settle(self) -> None:
        """Run each once more, when nothing fails and nothing arrives any more."""
        self._by_proxy = {}
        self._round(self._policies["deployed"])
        rest = self._operator.document("sync")
        if (rest["pull"], rest["push"], rest["delete"]) != (0, 0, 0):
            self.wrong.append(f"a sync after a sync would do more: {rest}")

    def actions(self, records: Sequence[Record]) -> Iterator[Action]:
        """Find what the commands did, beside the imports, which are known before."""
        known = {action.evidence.id for action in self._happening.actions}
        for record in records:
            for piece in record.evidence:
                if piece.id not in known and self._is_of_a_command(piece):
                    yield Action(record.address, piece)

    def wrong_undos(self, records: Sequence[Record]) -> Iterator[str]:
        """Name what the undo that stays left or lost, and what the one that was taken back left."""
        yield from not_undone(records, self._undone)
        yield from undone_too_much(records, self._undone)
        yield from not_reverted(records, self._reverted)
        yield from lost_words(records, self._undone, self._said)

    def _is_of_a_command(self, piece: Evidence) -> bool:
        if piece.kind not in OPERATOR_KINDS or piece.by != OPERATOR:
            return False
        is_pulled = piece.kind is Kind.IMPORT and piece.note == "SES's account-level list"
        return is_pulled or piece.undo in {self._undone.id, self._reverted.id}

    def _fill_the_list_at_ses(self) -> None:
        at_ses = AccountLevelList(self._stack.emulator.client("sesv2"))
        actions = self._happening.actions
        for number, address in enumerate(sorted({one.address for one in actions})[:_AT_SES]):
            at_ses.put(address.title(), Reason.COMPLAINT if number % 2 else Reason.BOUNCE)
        self._stack.emulator.client("s3").create_bucket(
            Bucket=_BUCKET,
            CreateBucketConfiguration={"LocationConstraint": self._stack.config.region},
        )

    def _run_in_turn(self) -> None:
        end: float | None = None
        for policy in cycle(self._policies.values()):
            self._round(policy)
            if self._enough.is_set():
                end = end or time.monotonic() + _SECONDS_TO_HAVE_WRITTEN
                if all(self.written[name] for name in NAMES) or time.monotonic() > end:
                    return

    def _round(self, policy: Path) -> None:
        self._rounds += 1
        note = f"round {self._rounds}"
        self._run("import", "new", str(self._exports), "--note", IMPORT_NOTE)
        self._said[note] = self._undo(self._undone, note)
        self._undo(self._reverted, note)
        self._run("replay", "written", "--policy", str(policy), "--apply")
        if self._by_proxy:
            for _ in range(_ERASED_A_ROUND):
                self._run("erase", "evidence", next(self._to_erase), "--apply")
        self._run("undo", "written", "--revert", self._reverted.id, "--apply", counts_as="revert")
        self._run("sync", "pull", "--import-job", f"s3://{_BUCKET}/lists", "--apply")

    def _undo(self, incident: Incident, note: str) -> int:
        options = [
            *("--from", incident.start.isoformat()),
            *("--to", incident.end.isoformat()),
            *("--note", note),
            *(option for domain in incident.domains for option in ("--domain", domain)),
            *(("--diagnostic", incident.diagnostic) if incident.diagnostic else ()),
        ]
        return self._run("undo", "written", *options, "--apply")

    def _run(self, name: str, number: str, *arguments: str, counts_as: str = "") -> int:
        """Run a command; give the number that it says under a name, 0 where it failed before."""
        answer = self._operator.run_process("--json", name, *arguments, environment=self._by_proxy)
        statuses = {_DONE, _TABLE_FAILED} if self._by_proxy else {_DONE}
        if answer.returncode not in statuses or "Traceback" in answer.stderr:
            self.wrong.append(f"{name}: status {answer.returncode}: {answer.stderr}")
        documents: list[dict[str, Any]] = list(map(json.loads, answer.stdout.splitlines()))
        written = sum(int(document[number]) for document in documents)
        if self._by_proxy:
            self.written[counts_as or name] += written
        return written


def not_undone(records: Iterable[Record], incident: Incident) -> Iterator[str]:
    """Name each address with a bounce of an incident that is not voided."""
    for record in records:
        caused = caused_by(record, incident)
        if any(not is_voided(record, piece.id, incident.id) for piece in caused):
            yield f"{record.address}: undo {incident.id} has left a bounce"


def undone_too_much(records: Iterable[Record], incident: Incident) -> Iterator[str]:
    """Name each address with evidence that an undo voids, and its incident did not cause.

    The echoes from SES's account-level list, which go with their cause, may be voided too.
    """
    for record in records:
        for piece in record.evidence:
            is_its = incident.caused(record.address, piece) or (
                rule_of(piece) is Rule.ACCOUNT_LEVEL_BOUNCE
            )
            if not is_its and is_voided(record, piece.id, incident.id):
                yield f"{record.address}: undo {incident.id} voids {piece.id}"


def not_reverted(records: Iterable[Record], incident: Incident) -> Iterator[str]:
    """Name each address with evidence that an undo which was taken back voids."""
    for record in records:
        if revert_undo(record, incident.id, by=OPERATOR, note="asked by a test", at=incident.end):
            yield f"{record.address}: undo {incident.id} was taken back and voids"


def lost_words(
    records: Iterable[Record], incident: Incident, said: Mapping[str, int]
) -> Iterator[str]:
    """Name each run of an undo of which fewer records hold a word than it says that it changed.

    More may: where an answer was lost, the run finds its own word and counts no change.

    Args:
        records: the whole table.
        incident: what was undone.
        said: the note of a run -> the records that it says it changed.
    """
    found: Counter[str] = Counter()
    for record in records:
        found.update({one.note or "" for one in record.evidence if one.undo == incident.id})
    for note, number in said.items():
        if found[note] < number:
            yield f"{note}: {found[note]} records hold what it wrote to {number}"


def _write_export(file: Path, imports: Sequence[Action]) -> None:
    with file.open("w", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(("address", "reason", "since", "until", "stream", "note"))
        for action in imports:
            piece, note = action.evidence, action.evidence.note or ""
            row = (action.address, piece.reason, piece.at.isoformat(), "", piece.stream)
            table.writerow((*row, note.removeprefix(f"{IMPORT_NOTE}: ")))


def _write_policies(folder: Path) -> Mapping[str, Path]:
    """Write another policy than the deployed one, and the deployed one."""
    files = {"other": {**SETTINGS, **_OTHER_POLICY}, "deployed": SETTINGS}
    for name, settings in files.items():
        (folder / f"{name}.json").write_text(json.dumps(settings))
    return {name: folder / f"{name}.json" for name in files}
