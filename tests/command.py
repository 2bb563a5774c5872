"""The command line over a table in memory: what it decides, without AWS."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ses_suppression.cli.app import run
from ses_suppression.cli.output import Output
from ses_suppression.cli.session import Session
from ses_suppression.core.policy import Policy, Reason
from ses_suppression.ses_account.account_list import AccountLevelEntry, AccountLevelList
from ses_suppression.store.protocol import Store


def command(store: Store, *arguments: str, **parts: Any) -> int:
    """Run a command; give its exit status.

    Args:
        store: the table.
        arguments: the command line.
        parts: of the session, such as its `account_level_list`.
    """

    def make(out: Output, **options: Any) -> Session:
        session = Session(out, **options)
        # Each of these is made once, when it is first asked for: here it is already.
        vars(session).update({"store": store, "caller": "ann", "policy": Policy(), **parts})
        return session

    with pytest.raises(SystemExit) as ended:
        run(["--table", "t", *arguments], make)
    return int(ended.value.code or 0)


class ListAtSES:
    """SES's account-level list, in memory.

    Args:
        entries: what is on it.
        meanwhile: what takes the place of those once they have been read.
    """

    class exceptions:  # noqa: N801  # boto3's name
        """The errors of the client."""

        class NotFoundException(ClientError):  # noqa: N818  # the same
            """There is no such entry."""

    def __init__(
        self,
        entries: Iterable[AccountLevelEntry] = (),
        *,
        meanwhile: Iterable[AccountLevelEntry] = (),
    ) -> None:
        self.listed = {entry.spelling: entry for entry in entries}
        self._meanwhile = list(meanwhile)

    def opened(self) -> AccountLevelList:
        """Give the list, as a session has it."""
        return AccountLevelList(self)  # type: ignore[arg-type]  # as much of a client as is used

    def list_suppressed_destinations(self, **_: object) -> dict[str, Any]:
        """Give the list."""
        return {"SuppressedDestinationSummaries": [_answer(one) for one in self._read()]}

    def get_suppressed_destination(self, **options: str) -> dict[str, Any]:
        """Give an entry."""
        found = [one for one in self._read() if one.spelling == options["EmailAddress"]]
        if not found:
            raise _not_found()
        return {"SuppressedDestination": _answer(found[0])}

    def _read(self) -> Iterator[AccountLevelEntry]:
        found = list(self.listed.values())
        self.listed.update({entry.spelling: entry for entry in self._meanwhile})
        yield from found

    def put_suppressed_destination(self, **options: str) -> None:
        """Add an entry."""
        entry = AccountLevelEntry(
            options["EmailAddress"], Reason(options["Reason"]), datetime.now(UTC)
        )
        self.listed[entry.spelling] = entry

    def delete_suppressed_destination(self, **options: str) -> None:
        """Delete an entry."""
        if not self.listed.pop(options["EmailAddress"], None):
            raise _not_found()


def _answer(entry: AccountLevelEntry) -> dict[str, Any]:
    return {
        "EmailAddress": entry.spelling,
        "Reason": entry.reason.value,
        "LastUpdateTime": entry.at,
    }


def _not_found() -> ClientError:
    return ListAtSES.exceptions.NotFoundException(
        {"Error": {"Code": "NotFoundException"}}, "SuppressedDestination"
    )


class Refusing:
    """A service of AWS that refuses everything, in strange words."""

    def __init__(self, text: str) -> None:
        self._error = ClientError({"Error": {"Code": text, "Message": text}}, text)

    def __getattr__(self, _: str) -> Callable[..., Any]:
        def refuse(*_: object, **__: object) -> Any:
            raise self._error

        return refuse
