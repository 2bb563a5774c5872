"""A round trip: a mail that bounces, its notification, the verdict in the table.

When SES stops publishing, nothing fails and nothing comes. Only a mail of one's own tells.
"""

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from ses_suppression.core.address import SIMULATOR_DOMAIN
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Store

if TYPE_CHECKING:
    from types_boto3_ses import SESClient

_LOOK_EVERY = 1.0  # seconds


def run_canary(
    ses: "SESClient",
    store: Store,
    sender: str,
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float | None:
    """Mail an address that bounces, and wait for its verdict.

    Args:
        ses: a boto3 SES client.
        store: the table.
        sender: an address of an identity whose notifications come here.
        seconds: how long to wait.
        clock: monotonic, in seconds.
        sleep: waits for a number of seconds.

    Returns:
        The seconds it took; None: the verdict did not come.
    """
    address = f"bounce+{uuid.uuid4().hex}@{SIMULATOR_DOMAIN}"
    begun = clock()
    ses.send_email(
        Source=sender,
        Destination={"ToAddresses": [address]},
        Message={
            "Subject": {"Data": "ses-suppression canary"},
            "Body": {"Text": {"Data": "Does a bounce still come back?"}},
        },
    )
    while (waited := clock() - begun) < seconds:
        found = store.find_many([address], deadline=Deadline(_LOOK_EVERY))
        if found.verdicts.get(address):
            return waited
        sleep(_LOOK_EVERY)
    return None
