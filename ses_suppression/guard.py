"""A guarded SES client: it cannot mail an address that is held back.

It hooks into botocore's own events, so that an app goes on calling its client as before, whichever
of SES's sending calls it uses.
"""

import email.message
import email.policy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from email.utils import getaddresses
from typing import Any, TypeVar

from ses_suppression.client import AddressesUnknownError, SuppressionList
from ses_suppression.errors import AllRecipientsSuppressedError, InvalidAddressError

METADATA_KEY = "SuppressedRecipients"
"""Where a response's metadata tells who was held back: address -> suppression."""

_FIELDS = ("ToAddresses", "CcAddresses", "BccAddresses")
_HEADERS = ("To", "Cc", "Bcc")
_CONTEXT_KEY = "ses_suppression"
_Client = TypeVar("_Client")
_Params = dict[str, Any]
_stream: ContextVar[str | None] = ContextVar("ses_suppression_stream", default=None)


def guard(client: _Client, suppressions: SuppressionList, *, stream: str | None = None) -> _Client:
    """Let a boto3 client for `ses` or `sesv2` mail only whom it may.

    Recipients that are held back are taken out of To, Cc and Bcc, or a whole entry out of a bulk;
    the response's metadata tells who, under `SuppressedRecipients`.

    Args:
        client: a boto3 client; the same one is given back, guarded.
        suppressions: the list to ask. In its mode `allow`, unknown recipients are mailed.
        stream: the stream of the mail, unless `sending` says otherwise.

    A guarded call can raise:
        AllRecipientsSuppressedError: nobody is left; nothing was sent.
        AddressesUnknownError: DynamoDB did not answer; nothing was sent.
        InvalidAddressError: a recipient can be no address; the error names its place.
    """
    events = client.meta.events  # type: ignore[attr-defined]
    service = client.meta.service_model.service_id.hyphenize()  # type: ignore[attr-defined]
    for operation, screen in _OPERATIONS[service].items():
        hook = _Hook(suppressions, stream, screen)
        events.register(f"provide-client-params.{service}.{operation}", hook.before)
        events.register(f"after-call.{service}.{operation}", hook.after)
    return client


@contextmanager
def sending(stream: str | None) -> Iterator[None]:
    """Say of which stream the mail is that is sent within.

    >>> with sending("newsletter"):
    ...     pass  # ses.send_email(...)
    """
    token = _stream.set(stream)
    try:
        yield
    finally:
        _stream.reset(token)


class _Call:
    """One call that is screened: who is to get it, and who of them may."""

    def __init__(self, suppressions: SuppressionList, stream: str | None) -> None:
        self._suppressions = suppressions
        self._stream = stream
        self._allowed: frozenset[str] = frozenset()
        self.suppressed: Mapping[str, Any] = {}
        self.removed_entries: list[int] = []

    def screen(self, recipients: Mapping[str, str]) -> None:
        """Ask about all recipients of the call at once: place in the call -> address."""
        screening = self._suppressions.screen(recipients.values(), self._stream)
        for place, text in recipients.items():
            if text in screening.invalid:
                raise InvalidAddressError(f"{place}: {screening.invalid[text]}")
        if screening.unknown:
            raise AddressesUnknownError(screening)
        self._allowed = frozenset(screening.allowed)
        self.suppressed = dict(screening.suppressed)

    def keep(self, destination: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Give a destination with those recipients that may be mailed."""
        kept = {
            name: [text for text in texts if text in self._allowed] if name in _FIELDS else texts
            for name, texts in destination.items()
        }
        return {name: texts for name, texts in kept.items() if texts}

    def keep_list(self, texts: list[str]) -> list[str]:
        """Give those of a list who may be mailed."""
        return [text for text in texts if text in self._allowed]

    def refuse_if_empty(self, left: object) -> None:
        """Refuse a call that had recipients and has none left."""
        if self.suppressed and not left:
            raise AllRecipientsSuppressedError(self.suppressed)


class _Hook:
    """What is hooked into one operation of a client."""

    def __init__(
        self,
        suppressions: SuppressionList,
        stream: str | None,
        screen: Callable[[_Call, _Params], _Params],
    ) -> None:
        self._suppressions = suppressions
        self._stream = stream
        self._screen = screen

    def before(self, params: _Params, context: _Params, **_: object) -> _Params:
        """Give the call's parameters without those who are held back."""
        call = _Call(self._suppressions, _stream.get() or self._stream)
        screened = self._screen(call, params)
        context[_CONTEXT_KEY] = call
        return screened

    def after(self, parsed: _Params, context: _Params, **_: object) -> None:
        """Tell in the response who was held back, and let a bulk's results line up again."""
        call: _Call = context[_CONTEXT_KEY]
        parsed.setdefault("ResponseMetadata", {})[METADATA_KEY] = call.suppressed
        for name, status in _RESULTS.items():
            if name in parsed:
                for index in call.removed_entries:
                    held = {"Status": status, "Error": "held back by the suppression list"}
                    parsed[name].insert(index, held)


_RESULTS = {"Status": "Failed", "BulkEmailEntryResults": "FAILED"}


def _send_email(call: _Call, params: _Params) -> _Params:
    raw = params.get("Content", {}).get("Raw")
    if raw is not None and not any(_recipients(params.get("Destination", {}), "Destination")):
        named = _header_recipients(raw["Data"], "Content.Raw.Data")
        call.screen(named)
        left = call.keep_list(list(named.values()))
        call.refuse_if_empty(left)
        # What only headers name is named outright: SES would mail all of them otherwise.
        return {**params, "Destination": {"ToAddresses": left}} if call.suppressed else params
    destination = params.get("Destination", {})
    call.screen(dict(_recipients(destination, "Destination")))
    kept = call.keep(destination)
    call.refuse_if_empty(any(_recipients(kept, "")))
    return {**params, "Destination": kept} if call.suppressed else params


def _send_raw_email(call: _Call, params: _Params) -> _Params:
    # The envelope's destinations are what SES delivers to; the headers are only shown.
    if params.get("Destinations"):
        named = {f"Destinations[{n}]": text for n, text in enumerate(params["Destinations"])}
    else:
        named = _header_recipients(params["RawMessage"]["Data"], "RawMessage.Data")
    call.screen(named)
    left = call.keep_list(list(named.values()))
    call.refuse_if_empty(left)
    return {**params, "Destinations": left} if call.suppressed else params


def _bulk(name: str) -> Callable[[_Call, _Params], _Params]:
    def screen(call: _Call, params: _Params) -> _Params:
        entries: list[_Params] = params.get(name, [])
        named: dict[str, str] = {}
        for number, entry in enumerate(entries):
            named.update(_recipients(entry.get("Destination", {}), f"{name}[{number}].Destination"))
        call.screen(named)
        left: list[_Params] = []
        for number, entry in enumerate(entries):
            destination = entry.get("Destination", {})
            kept = call.keep(destination)
            if any(_recipients(destination, "")) and not any(_recipients(kept, "")):
                call.removed_entries.append(number)
            else:
                left.append({**entry, "Destination": kept})
        call.refuse_if_empty(left)
        return {**params, name: left} if call.suppressed else params

    return screen


_OPERATIONS: Mapping[str, Mapping[str, Callable[[_Call, _Params], _Params]]] = {
    "ses": {
        "SendEmail": _send_email,
        "SendTemplatedEmail": _send_email,
        "SendRawEmail": _send_raw_email,
        "SendBulkTemplatedEmail": _bulk("Destinations"),
    },
    "sesv2": {"SendEmail": _send_email, "SendBulkEmail": _bulk("BulkEmailEntries")},
}


def _recipients(destination: Mapping[str, list[str]], path: str) -> Iterator[tuple[str, str]]:
    for name in _FIELDS:
        for number, text in enumerate(destination.get(name, ())):
            yield f"{path}.{name}[{number}]", text


def _header_recipients(data: bytes | str, path: str) -> dict[str, str]:
    raw = data.encode() if isinstance(data, str) else data
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    named: dict[str, str] = {}
    for header in _HEADERS:
        values = [str(value) for value in message.get_all(header, [])]
        for number, (_, address) in enumerate(getaddresses(values)):
            named[f"{path}: {header}[{number}]"] = address
    return named
