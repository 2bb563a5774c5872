"""The custom resource that tells at a deploy whether SES sends for the identities.

A deploy succeeds in the sandbox too, and before an identity is verified: what is in the way is an
output of the stack, in the words of `ses-suppression doctor`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from lambdas.cloudformation import respond
from ses_suppression.ses_account.health import FOUND, obstacles

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client

_LONGEST = 1000  # characters, of the 1,024 that an output may have

logger = Logger(service="identity-notifications")


def tell(
    event: Mapping[str, Any],
    sesv2: "SESV2Client",
    *,
    respond: Callable[..., None] = respond,
) -> None:
    """Look, and tell CloudFormation what is in the way. It is no reason to fail.

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
            logger.exception("it was not found out whether SES sends")
            found = f"it was not found out whether SES sends ({type(error).__name__}); ask doctor"
    respond(event, event.get("PhysicalResourceId", "sending"), None, data={FOUND: found})


def _sentences(event: Mapping[str, Any], sesv2: "SESV2Client") -> Iterator[str]:
    for obstacle in obstacles(sesv2, event["ResourceProperties"]["Identities"]):
        yield f"{obstacle.where}: {obstacle.what}; {obstacle.advice}"


def _text(sentences: list[str]) -> str:
    if not sentences:
        return "SES sends for the account and for every identity"
    text, more = sentences[0], len(sentences) - 1
    for sentence in sentences[1:]:
        longer = f"{text}. {sentence}"
        if len(longer) > _LONGEST:
            break
        text, more = longer, more - 1
    return f"{text}. {more} more: ask doctor" if more else text
