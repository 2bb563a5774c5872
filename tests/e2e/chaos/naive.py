"""The same run with the naive handler in place of ours: the test of the test."""

import io
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from local.cdk import ROOT
from ses_suppression.core.address import normalise
from ses_suppression.core.record import Record
from tests.e2e.chaos.feedback import BOUNCES, COMPLAINTS, KINDS, Feedback
from tests.e2e.chaos.run import Handler
from tests.e2e.stack import Stack

_HANDLER = ROOT / "benchmarks" / "naive_handler.py"
_ACTION = "dynamodb:UpdateItem"


def install(stack: Stack) -> None:
    """Put the naive handler in place of the functions' code, with the right that it needs."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.write(_HANDLER, _HANDLER.name)
    lambda_ = stack.emulator.client("lambda")
    for kind in KINDS:
        name = stack.function_of(kind)["FunctionName"]
        lambda_.update_function_code(FunctionName=name, ZipFile=code.getvalue())
        lambda_.update_function_configuration(FunctionName=name, Handler=f"{_HANDLER.stem}.handler")
        document = stack.policy_of(kind)
        right = {"Effect": "Allow", "Action": _ACTION, "Resource": "*"}
        stack.put_policy(kind, {**document, "Statement": [*document["Statement"], right]})


def wrong_states(
    stack: Stack, happening: Feedback, expected: Mapping[str, Record]
) -> Iterator[str]:
    """Name each address that is counted wrongly, by what was published alone.

    That it keeps two spellings of an address as two is not held against it here, nor what it knows
    nothing about: operators, deliveries, the end of a hold, messages that are to be rejected.
    """
    del expected
    truth, found = _truth(happening), _found(stack)
    for address in sorted({*truth, *found} - _in_what_is_rejected(happening)):
        if found[address] != truth[address]:
            yield f"{address}: counted {dict(found[address])}, not {dict(truth[address])}"


def _truth(happening: Feedback) -> defaultdict[str, Counter[str]]:
    """Count all sound feedback once, by whichever channel it came."""
    truth: defaultdict[str, Counter[str]] = defaultdict(Counter)
    seen: set[str] = set()
    for post in happening.posts:
        notification = {} if post in happening.rejected else json.loads(post.body)
        said = notification.get("bounce") or notification.get("complaint")
        if not said or said["feedbackId"] in seen:
            continue
        seen.add(said["feedbackId"])
        what = said.get("bounceType", "Complaint")
        for recipient in said.get("bouncedRecipients") or said["complainedRecipients"]:
            truth[normalise(recipient["emailAddress"])][what] += 1
    return truth


def _in_what_is_rejected(happening: Feedback) -> set[str]:
    return {address for post in happening.rejected for address in post.addresses}


def _found(stack: Stack) -> defaultdict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    pages = stack.emulator.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=stack.deployment.table_name):
        for item in page["Items"]:
            counts = {name: int(value["N"]) for name, value in item.items() if "N" in value}
            found[normalise(item["address"]["S"])].update(
                {name: number for name, number in counts.items() if name in _COUNTED}
            )
    return found


_COUNTED = ("Permanent", "Transient", "Undetermined", "Complaint")

NAIVE = Handler(
    rights={BOUNCES: _ACTION, COMPLAINTS: _ACTION},
    wrong=wrong_states,
    knows_operators=False,
    has_to_drain=False,
    install=install,
)
