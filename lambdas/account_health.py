"""The custom resource that reports at a deploy whether SES sends for the identities.

A deploy succeeds in the sandbox too, and before an identity is verified. The output `Sending` lists
what `ses-suppression doctor` finds too.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from lambdas.cloudformation import respond
from ses_suppression.ses_account.health import SENDING_ATTRIBUTE, check_sending

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
) -> None:
    """Report to CloudFormation what keeps SES from sending. It never fails a deploy.

    Args:
        event: the request.
        sesv2: a boto3 SES client of the second version.
        respond: tells CloudFormation.
    """
    found = ""
    if event["RequestType"] != "Delete":
        try:
            found = _text(list(_sentences(event, sesv2)))
        except Exception as error:  # a stack that hangs is worse than any error
            logger.exception("cannot read whether SES sends")
            kind = type(error).__name__
            found = f"cannot read whether SES sends ({kind}): run `ses-suppression doctor`"
    respond(
        event, event.get("PhysicalResourceId", "sending"), None, data={SENDING_ATTRIBUTE: found}
    )


def _sentences(event: Mapping[str, Any], sesv2: "SESV2Client") -> Iterator[str]:
    end = time.monotonic() + _SECONDS
    identities = event["ResourceProperties"]["Identities"]
    for finding in check_sending(sesv2, identities, is_over=lambda: time.monotonic() > end):
        yield f"{finding.check}: {finding.found}; {finding.advice}"


def _text(sentences: list[str]) -> str:
    if not sentences:
        return "SES sends for the account and for every identity"
    text, more = sentences[0], len(sentences) - 1
    for sentence in sentences[1:]:
        longer = f"{text}. {sentence}"
        if len(longer) > _LONGEST:
            break
        text, more = longer, more - 1
    return f"{text}. {more} more: run `ses-suppression doctor`" if more else text
