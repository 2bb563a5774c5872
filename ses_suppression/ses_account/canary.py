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


class Canary:
    """One round trip: mail, bounce, notification, table.

    Args:
        ses: a boto3 SES client.
        store: the table.
        sender: an address of an identity whose notifications come here.
        clock: monotonic, in seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        ses: "SESClient",
        store: Store,
        sender: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ses = ses
        self._store = store
        self._sender = sender
        self._clock = clock
        self._sleep = sleep

    def fly(self, seconds: float) -> float | None:
        """Mail an address that bounces, and wait for its verdict.

        Args:
            seconds: how long to wait.

        Returns:
            How many seconds it took; None: it did not come.
        """
        address = f"bounce+{uuid.uuid4().hex}@{SIMULATOR_DOMAIN}"
        begun = self._clock()
        self._ses.send_email(
            Source=self._sender,
            Destination={"ToAddresses": [address]},
            Message={
                "Subject": {"Data": "ses-suppression canary"},
                "Body": {"Text": {"Data": "Does a bounce still come back?"}},
            },
        )
        while (waited := self._clock() - begun) < seconds:
            found = self._store.find_many([address], deadline=Deadline(_LOOK_EVERY))
            if found.verdicts.get(address):
                return waited
            self._sleep(_LOOK_EVERY)
        return None
