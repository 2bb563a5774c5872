"""The custom resource that reports at a deploy whether SES sends for the identities.

A deploy succeeds in the sandbox too, and before an identity is verified. The output `Sending` lists
what `ses-suppression doctor` finds too.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from lambdas.cloudformation import respond
from ses_suppression.ses_account.health import (
    SENDING_ATTRIBUTE,
    Finding,
    Level,
    check_account,
    check_identity,
)

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client

_SECONDS = 45.0  # SES takes about one such call a second; the function has two minutes
_LONGEST = 950  # characters, of the 1,024 that an output may have

logger = Logger(service="identity-notifications")


def report_sending(
    event: Mapping[str, Any],
    sesv2: "SESV2Client",
    *,
    respond: Callable[..., None] = respond,
    seconds: float = _SECONDS,
) -> None:
    """Report to CloudFormation what keeps SES from sending. It never fails a deploy.

    Args:
        event: the request.
        sesv2: a boto3 SES client of the second version.
        respond: tells CloudFormation.
        seconds: how long it may take; the identities that are left then are counted.
    """
    found = ""
    if event["RequestType"] != "Delete":
        try:
            found = _text(_check(event["ResourceProperties"]["Identities"], sesv2, seconds))
        except Exception as error:  # a stack that hangs is worse than any error
            logger.exception("cannot read whether SES sends")
            kind = type(error).__name__
            found = f"cannot read whether SES sends ({kind}): run `ses-suppression doctor`"
    respond(
        event, event.get("PhysicalResourceId", "sending"), None, data={SENDING_ATTRIBUTE: found}
    )


def _check(identities: Sequence[str], sesv2: "SESV2Client", seconds: float) -> Iterator[Finding]:
    end = time.monotonic() + seconds
    yield from check_account(sesv2)
    for number, identity in enumerate(identities):
        if time.monotonic() > end:
            found = f"{len(identities) - number} were not checked"
            yield Finding("identities", Level.WARNING, found, "run ses-suppression doctor")
            return
        yield from check_identity(sesv2, identity)


def _text(findings: Iterable[Finding]) -> str:
    wrong = [one for one in findings if one.level is not Level.OK]
    sentences = [f"{one.check}: {one.found}; {one.advice}" for one in wrong]
    if not sentences:
        return "SES sends for the account and for every identity"
    text, more = sentences[0], len(sentences) - 1
    for sentence in sentences[1:]:
        longer = f"{text}. {sentence}"
        if len(longer) > _LONGEST:
            break
        text, more = longer, more - 1
    return f"{text}. {more} more: run `ses-suppression doctor`" if more else text
