"""Every notification in `tests/notifications/`, with the outcome that stands beside it."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ses_suppression.core import actions as operator_actions
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.explanation import explain
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.core.rules import Rule
from ses_suppression.ingest import Message, Outcome, apply, ingest
from ses_suppression.store.deadline import Deadline
from ses_suppression.testing import InMemoryStore
from tests.builders import ACCOUNT_ID

CASES = sorted((Path(__file__).parent.parent / "notifications").glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text())
    return case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_notification_has_the_outcome_that_stands_beside_it(path: Path) -> None:
    case = read(path)
    expected = case["expected"]
    policy = Policy.from_mapping(case.get("policy", {}))
    last = max(moment(entry.get("received_at") or entry["at"]) for entry in case["messages"])
    store = InMemoryStore(clock=lambda: last)
    outcomes: list[Outcome] = []
    actions: dict[str, str] = {}
    for number, entry in enumerate(case["messages"]):
        if "operator" in entry:
            action = acted(entry)
            actions[entry["operator"]] = action.id
            applied = apply(
                {entry["address"]: [action]}, store=store, policy=policy, deadline=Deadline(5)
            )
            assert applied.failures == {}
        else:
            outcomes += ingested(store, str(number), entry, policy)

    assert [outcome.status for outcome in outcomes] == expected["outcomes"]
    if "reasons" in expected:
        assert [outcome.reason for outcome in outcomes] == expected["reasons"]
    lines = {
        address: [f"{line.rule}: {line.effect}" for line in explain(record, policy).lines]
        for address, record in store.records.items()
    }
    assert lines == {
        address: [line.format_map(actions) for line in found]
        for address, found in expected["evidence"].items()
    }
    for address, pieces in expected.get("fields", {}).items():
        for piece, fields in zip(store.records[address].evidence, pieces, strict=True):
            assert {name: getattr(piece, name) for name in fields} == fields
    assert verdicts(store) == expected["verdict"]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ingested(
    store: InMemoryStore, number: str, entry: Mapping[str, Any], policy: Policy
) -> list[Outcome]:
    body = entry["body"]
    message = Message(
        id=number,
        body=body if isinstance(body, str) else json.dumps(body),
        received_at=moment(entry["received_at"]),
    )
    return ingest(
        [message],
        store=store,
        policy=policy,
        deadline=Deadline(5),
        account_ids=frozenset({ACCOUNT_ID}),
    )


def acted(entry: Mapping[str, Any]) -> Evidence:
    who: dict[str, Any] = {"by": entry["by"], "note": entry["note"], "at": moment(entry["at"])}
    match entry["operator"]:
        case "suppress":
            until = moment(entry["until"]) if "until" in entry else None
            return operator_actions.suppress(**who, stream=entry.get("stream"), until=until)
        case "reactivate":
            return operator_actions.reactivate(
                **who, stream=entry.get("stream"), consent=entry["consent"]
            )
        case "void":
            return operator_actions.void(
                **who, evidence_id=entry["evidence_id"], undo=entry["undo"]
            )
        case "import":
            reason = Reason(entry["reason"])
            return operator_actions.import_entry(**who, address=entry["address"], reason=reason)
        case other:
            raise AssertionError(other)


def verdicts(store: InMemoryStore) -> dict[str, Any]:
    return {
        address: {
            stream: {
                "reason": found.reason,
                "rule": found.rule,
                "origin": found.origin,
                "since": found.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "until": found.until.strftime("%Y-%m-%dT%H:%M:%SZ") if found.until else None,
                "certain": found.certain,
            }
            for stream, found in record.suppressions.items()
        }
        for address, record in store.records.items()
        if record.suppressions
    }


def test_there_are_sixty_and_more_and_each_says_what_it_is() -> None:
    assert len(CASES) >= 60
    assert all(read(path)["about"] for path in CASES)


def test_every_rule_is_met_at_least_twice() -> None:
    met = Counter(
        line.partition(":")[0]
        for path in CASES
        for lines in read(path)["expected"]["evidence"].values()
        for line in lines
    )
    # A delivery is kept only where it can strike something out: see `deliveries` below.
    assert {rule for rule in Rule if met[rule] < 2} == set()


def test_every_surprise_is_met_at_least_twice() -> None:
    met = Counter(
        int(number)
        for path in CASES
        for number in re.findall(r"Surprise (\d+)", read(path)["about"])
    )
    assert {number: met[number] for number in range(1, 13) if met[number] < 2} == {}


def test_never_suppressed_and_simulated_addresses_are_met_at_least_twice() -> None:
    names = [path.stem for path in CASES]
    for prefix in ("never-suppressed", "simulator", "delivery", "set-up-notice", "timestamp"):
        assert sum(name.startswith(prefix) for name in names) >= 2
