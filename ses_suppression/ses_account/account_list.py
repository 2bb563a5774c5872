"""SES's own account-level suppression list, which holds mail back after ours has let it through.

It ignores case when it sends, but its API wants the exact spelling that it stored ("Using the
account-level suppression list", SES developer guide).
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ses_suppression.core.address import normalise_reported
from ses_suppression.core.policy import Reason
from ses_suppression.errors import InvalidAddressError
from ses_suppression.store.rate_limit import Pace

if TYPE_CHECKING:
    from types_boto3_sesv2 import SESV2Client

REQUESTS_A_SECOND = 10
"""So many requests are made. SES states no figure for them; what is too fast it answers with
`TooManyRequestsException`, for which the SDK waits."""


@dataclass(frozen=True, slots=True)
class AccountLevelEntry:
    """An entry of the list.

    Attributes:
        spelling: the address as SES spells it.
        reason: BOUNCE or COMPLAINT.
        at: since when, UTC.
    """

    spelling: str
    reason: Reason
    at: datetime

    @property
    def address(self) -> str | None:
        """The address, normalised; None where that cannot be done."""
        try:
            return normalise_reported(self.spelling)
        except InvalidAddressError:
            return None


class AccountLevelList:
    """The list.

    Args:
        client: a boto3 SESv2 client.
        pace: how fast it may be asked; None: ten requests a second.
    """

    def __init__(self, client: "SESV2Client", *, pace: Pace | None = None) -> None:
        self._client = client
        self._pace = pace or Pace(REQUESTS_A_SECOND)

    def entries(
        self,
        *,
        reasons: Collection[Reason] = (Reason.BOUNCE, Reason.COMPLAINT),
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Iterator[AccountLevelEntry]:
        """Give the entries that SES dated in a span of time; without one, all."""
        options: dict[str, Any] = {"Reasons": list(reasons), "PageSize": 1000}
        options |= {"StartDate": start} if start else {}
        options |= {"EndDate": end} if end else {}
        while True:
            self._pace.spend()
            answer = self._client.list_suppressed_destinations(**options)
            yield from map(_entry, answer.get("SuppressedDestinationSummaries", []))
            if not answer.get("NextToken"):
                return
            options["NextToken"] = answer["NextToken"]

    def get(self, spelling: str) -> AccountLevelEntry | None:
        """Give the entry with this exact spelling."""
        self._pace.spend()
        try:
            answer = self._client.get_suppressed_destination(EmailAddress=spelling)
        except self._client.exceptions.NotFoundException:
            return None
        return _entry(answer["SuppressedDestination"])

    def find(self, *spellings: str) -> list[AccountLevelEntry]:
        """Find the entries of an address: by these spellings, else by looking through the list.

        Where one of these is found, an entry in yet another spelling is not looked for: to read the
        whole list takes minutes. `sync` finds it.
        """
        found = [entry for one in dict.fromkeys(spellings) if (entry := self.get(one))]
        if found:
            return found
        wanted = {normalise_reported(spelling) for spelling in spellings}
        return [entry for entry in self.entries() if entry.address in wanted]

    def delete_if_unchanged(self, entry: AccountLevelEntry) -> bool:
        """Delete an entry that is still as it was read; False: it is not, and it stays.

        SES may have recorded a complaint since.
        """
        if self.get(entry.spelling) != entry:
            return False
        self.delete(entry.spelling)
        return True

    def put(self, address: str, reason: Reason) -> None:
        """Put an address on the list, for BOUNCE or COMPLAINT."""
        self._pace.spend()
        self._client.put_suppressed_destination(EmailAddress=address, Reason=reason.value)  # type: ignore[arg-type]

    def delete(self, spelling: str) -> None:
        """Delete the entry with this exact spelling; none is no error."""
        self._pace.spend()
        with suppress(self._client.exceptions.NotFoundException):
            self._client.delete_suppressed_destination(EmailAddress=spelling)


def _entry(found: Any) -> AccountLevelEntry:  # noqa: ANN401  # two shapes of the SDK, alike
    return AccountLevelEntry(
        found["EmailAddress"], Reason(found["Reason"]), found["LastUpdateTime"].astimezone(UTC)
    )
