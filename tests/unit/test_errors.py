"""Frameworks log and store errors: no part of one shows an address."""

import copy
import importlib
import pickle
import pkgutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import boto3
import pytest

import ses_suppression
from ses_suppression.cli.session import NoSuchStackError
from ses_suppression.client.screening import AddressesUnknownError, Screening, Unknown
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core import actions as operator_actions
from ses_suppression.core.address import normalise
from ses_suppression.core.notification import parse
from ses_suppression.core.policy import Policy
from ses_suppression.errors import (
    AllRecipientsSuppressedError,
    ConflictError,
    InvalidActionError,
    InvalidAddressError,
    InvalidNotificationError,
    InvalidPolicyError,
    InvalidStreamError,
    MissingSettingError,
    NoEffectError,
    SESSuppressionError,
    StoreUnavailableError,
    UnreadableItemError,
)
from ses_suppression.integrations.boto3 import guard
from ses_suppression.integrations.webhook import RefusedMessageError, receive
from ses_suppression.lists.address_csv import UnknownListError, read_addresses
from ses_suppression.lists.csv_file import UnreadableFileError, read_lines
from ses_suppression.lists.exports import UnknownFormatError, read_export
from ses_suppression.ses_account.identity_feedback import RefusedError
from ses_suppression.store.items import to_record
from tests.answering_store import NOW, AnsweringStore
from tests.builders import JANE, hard, verdict

HELD = verdict(hard(0))
INVALID = f"{JANE} {JANE}"
NEVER = datetime(1, 1, 1, tzinfo=UTC)


def utf_16(text: str) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(text.encode("utf-16"))
        file.flush()
        list(read_lines(Path(file.name)))


def asking(store: AnsweringStore) -> SuppressionList:
    return SuppressionList(store, unknown=Unknown.RAISE, clock=lambda: NOW)


def mail(store: AnsweringStore) -> None:
    client = boto3.client(
        "ses", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    guard(client, asking(store)).send_email(
        Source="shop@example.com",
        Destination={"ToAddresses": [JANE]},
        Message={"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}},
    )


def export_of(text: str) -> None:
    read_export([text], now=NOW, undated=NOW, policy=Policy())


# How each error comes about where an address is at hand.
RAISED: dict[type[SESSuppressionError], Callable[[], object]] = {
    InvalidAddressError: lambda: normalise(INVALID),
    InvalidNotificationError: lambda: parse(
        '{"notificationType": "Bounce", "bounce": "' + JANE + '"}'
    ),
    InvalidPolicyError: lambda: Policy.from_json(JANE, source="SUPPRESSION_POLICY"),
    UnreadableFileError: lambda: utf_16(JANE),
    InvalidActionError: lambda: operator_actions.suppress(by=JANE, note=JANE, at=NOW, until=NEVER),
    StoreUnavailableError: lambda: asking(AnsweringStore({}, silent=[JANE])).check(JANE),
    UnreadableItemError: lambda: to_record({"address": {"S": JANE}}),
    AddressesUnknownError: lambda: asking(AnsweringStore({}, silent=[JANE])).screen([JANE]),
    AllRecipientsSuppressedError: lambda: mail(AnsweringStore({JANE: HELD})),
    UnknownFormatError: lambda: export_of(f"{JANE},{JANE}"),
    UnknownListError: lambda: list(read_addresses([f"{JANE},{JANE}"])),
    RefusedMessageError: lambda: receive(JANE, {}, topics=["arn"]),
}
# Their texts are constants, or name settings.
MADE: tuple[SESSuppressionError, ...] = (
    SESSuppressionError("what"),
    ConflictError("another writer changed the record in between"),
    NoEffectError("the address is in never_suppress"),
    InvalidStreamError("stream: at most 256 characters"),
    MissingSettingError("set SUPPRESSION_TABLE_NAME"),
    NoSuchStackError("there is no stack ses-suppression-prod"),
    RefusedError("SES does not know the identity example.com"),
    RefusedMessageError(HTTPStatus.FORBIDDEN, "not a topic of ours"),
    AddressesUnknownError(Screening(unknown={JANE: StoreUnavailableError("X", "y")})),
    AddressesUnknownError(
        Screening(
            allowed=(JANE,),
            suppressed={JANE: HELD["*"]},
            unknown={JANE: ConflictError("x")},
            invalid={INVALID: InvalidAddressError("x")},
        )
    ),
)


def all_errors(base: type[SESSuppressionError] = SESSuppressionError) -> Iterator[type]:
    yield base
    for derived in base.__subclasses__():
        yield from all_errors(derived)


def raised(cause: Callable[[], object]) -> SESSuppressionError:
    with pytest.raises(SESSuppressionError) as found:
        cause()
    return found.value


def shown(error: BaseException) -> str:
    parts = [repr(error), str(error), repr(error.args), repr(vars(error))]
    return "\n".join([*parts, *map(repr, vars(error).values()), *map(str, error.args)])


@pytest.mark.filterwarnings("ignore:ses_suppression:DeprecationWarning")  # of former modules
def test_every_error_of_the_package_is_tried() -> None:
    for module in pkgutil.walk_packages(ses_suppression.__path__, "ses_suppression."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = {kind for kind in all_errors() if kind.__module__.startswith("ses_suppression.")}
    assert ours == {*RAISED, *map(type, MADE)}


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_an_error_that_is_raised_shows_no_address(kind: type[SESSuppressionError]) -> None:
    error = raised(RAISED[kind])
    assert type(error) is kind
    shows_no_address(error)
    assert "jane" not in "".join(traceback.format_exception_only(error)).lower()


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_an_error_that_is_made_shows_no_address(error: SESSuppressionError) -> None:
    shows_no_address(error)


def shows_no_address(error: SESSuppressionError) -> None:
    copies = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(6)]  # noqa: S301
    for one in (error, copy.copy(error), *copies):
        assert (type(one), str(one), one.args) == (type(error), str(error), error.args)
        assert vars(one).keys() == vars(error).keys()
        assert "jane" not in shown(one).lower()


def test_a_screening_shows_numbers_and_no_address() -> None:
    screening = asking(AnsweringStore({JANE: HELD})).screen([JANE, INVALID, "x@example.com"])
    assert repr(screening) == "<Screening allowed: 1, suppressed: 1, unknown: 0, invalid: 1>"


def test_a_copy_of_an_error_still_knows_whom_it_is_about() -> None:
    suppressed = raised(RAISED[AllRecipientsSuppressedError])
    copied = pickle.loads(pickle.dumps(suppressed))  # noqa: S301  # our own
    assert isinstance(copied, AllRecipientsSuppressedError)
    assert copied.suppressed == {JANE: HELD["*"]}
    unknown = pickle.loads(pickle.dumps(raised(RAISED[AddressesUnknownError])))  # noqa: S301
    assert list(unknown.screening.unknown) == [JANE]
