"""A guarded SES client: it does not mail an address that is held back.

It hooks into botocore's own events, so that an app goes on calling its client as before, whichever
of SES's calls it sends mail with. That includes the calls that verify an address: SES mails it a
link. `LEFT_ALONE` names the calls that mail and are not screened, with the reason of each.
"""

import re
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses
from functools import partial
from typing import Any, TypeVar

from botocore.exceptions import ParamValidationError
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from ses_suppression.client.screening import AddressesUnknownError
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.evidence import check_length
from ses_suppression.errors import AllRecipientsSuppressedError, InvalidAddressError

METADATA_KEY = "SuppressedRecipients"
"""Where a response's metadata tells who was held back: address -> suppression."""

_FIELDS = ("ToAddresses", "CcAddresses", "BccAddresses")
_HEADERS = ("To", "Cc", "Bcc")
_TENANT_HEADER = "X-SES-TENANT"
_CONTEXT_KEY = "ses_suppression"
_Client = TypeVar("_Client")
_Params = dict[str, Any]
_GUARDS = "the guard's"
_stream: ContextVar[str | None] = ContextVar("ses_suppression_stream", default=_GUARDS)
_guarded: "weakref.WeakSet[Any]" = weakref.WeakSet()


def guard(client: _Client, suppressions: SuppressionList, *, stream: str | None = None) -> _Client:
    """Let a boto3 client for `ses` or `sesv2` mail only whom it may.

    Recipients that are held back are taken out of To, Cc and Bcc, or a whole entry out of a bulk;
    the response's metadata tells who, under `SuppressedRecipients`. The tenant of the mail is read
    from the call: from `TenantName`, else, but for a bulk, from the mail's header `X-SES-TENANT`.

    Args:
        client: a boto3 client; the same one is given back, guarded.
        suppressions: the list to ask. In its mode `allow`, unknown recipients are mailed.
        stream: the stream of the mail, unless `sending` says otherwise.

    Raises:
        ValueError: it is another service's client, or it is guarded already.
        InvalidStreamError: the stream has more than 256 characters.

    A guarded call can raise:
        AllRecipientsSuppressedError: nobody is left; nothing was sent.
        AddressesUnknownError: DynamoDB did not answer; nothing was sent.
        InvalidAddressError: a recipient can be no address; the error names its place.
        botocore's ParamValidationError: the parameters have not the form that SES wants.

    >>> import boto3
    >>> from ses_suppression.testing import InMemorySuppressionList
    >>> ses = guard(boto3.client("ses", "eu-west-1"), InMemorySuppressionList())
    """
    check_length(stream=stream)
    meta = client.meta  # type: ignore[attr-defined]
    service = meta.service_model.service_id.hyphenize()
    if service not in _OPERATIONS:
        raise ValueError(f"guard takes a client for ses or sesv2, this is one for {service}")
    if client in _guarded:
        raise ValueError("the client is guarded already; `sending` names the stream of a mail")
    _guarded.add(client)
    for operation, screen in _OPERATIONS[service].items():
        before = partial(_screen_call, suppressions, stream, screen)
        # After everybody who may still change the parameters.
        meta.events.register_last(f"before-parameter-build.{service}.{operation}", before)
        meta.events.register(f"after-call.{service}.{operation}", _report)
    return client


@contextmanager
def sending(stream: str | None) -> Iterator[None]:
    """Say of which stream the mail is that is sent within; None: of none.

    It holds for the thread, or the asynchronous task, that says so.

    Raises:
        InvalidStreamError: the stream has more than 256 characters.

    >>> with sending("newsletter"):
    ...     pass  # ses.send_email(...)
    """
    check_length(stream=stream)
    token = _stream.set(stream)
    try:
        yield
    finally:
        _stream.reset(token)


@dataclass
class _Call:
    """One call that is screened: who is to get it, and who of them may."""

    suppressions: SuppressionList
    stream: str | None
    tenant: str | None
    allowed: frozenset[str] = frozenset()
    suppressed: Mapping[str, Any] = field(default_factory=dict)
    removed_entries: list[int] = field(default_factory=list)

    def screen(self, recipients: Mapping[str, str]) -> None:
        """Ask about all recipients of the call at once: place in the call -> address."""
        screening = self.suppressions.screen(recipients.values(), self.stream, tenant=self.tenant)
        for place, text in recipients.items():
            if text in screening.invalid:
                raise InvalidAddressError(f"{place}: {screening.invalid[text]}")
        if screening.unknown:
            raise AddressesUnknownError(screening)
        self.allowed = frozenset(screening.allowed)
        self.suppressed = dict(screening.suppressed)

    def keep(self, destination: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Give a destination with those recipients that may be mailed."""
        kept = {
            name: self._may_be_mailed(texts) if name in _FIELDS else texts
            for name, texts in destination.items()
        }
        return {name: texts for name, texts in kept.items() if texts}

    def screen_envelope(self, recipients: Mapping[str, str]) -> list[str]:
        """Ask about the recipients of a raw mail, and give those who may be mailed."""
        self.screen(recipients)
        left = self._may_be_mailed(recipients.values())
        self.refuse_if_empty(left)
        return left

    def _may_be_mailed(self, texts: Iterable[str]) -> list[str]:
        return [text for text in texts if text in self.allowed]

    def refuse_if_empty(self, left: object) -> None:
        """Refuse a call that had recipients and has none left."""
        if self.suppressed and not left:
            raise AllRecipientsSuppressedError(self.suppressed)


def _screen_call(
    suppressions: SuppressionList,
    guards_stream: str | None,
    screen: Callable[[_Call, _Params], _Params],
    *,
    params: _Params,
    model: OperationModel,
    context: _Params,
    **_: object,
) -> None:
    """Take out of the call's parameters who is held back; the caller's own stay as they are."""
    # What has not the right form cannot be screened, and botocore can be told not to look.
    report = ParamValidator().validate(params, model.input_shape)  # type: ignore[arg-type]
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())
    said = _stream.get()
    stream = guards_stream if said is _GUARDS else said
    call = context[_CONTEXT_KEY] = _Call(suppressions, stream, _tenant(params))
    screened = screen(call, params)
    if screened is not params:
        params.clear()
        params.update(screened)


def _report(parsed: _Params, context: _Params, **_: object) -> None:
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
        left = call.screen_envelope(_header_recipients(raw["Data"], "Content.Raw.Data"))
        # What only headers name is named outright: SES may read them otherwise than this does.
        return {**params, "Destination": {"ToAddresses": left}}
    destination = params.get("Destination", {})
    call.screen(dict(_recipients(destination, "Destination")))
    kept = call.keep(destination)
    call.refuse_if_empty(any(_recipients(kept, "")))
    return {**params, "Destination": kept} if call.suppressed else params


def _send_raw_email(call: _Call, params: _Params) -> _Params:
    # The envelope's destinations are what SES delivers to; the headers are only shown.
    # ("SendRawEmail", SES API reference)
    if params.get("Destinations"):
        named = {f"Destinations[{n}]": text for n, text in enumerate(params["Destinations"])}
    else:
        named = _header_recipients(params["RawMessage"]["Data"], "RawMessage.Data")
    return {**params, "Destinations": call.screen_envelope(named)}


def _verify_address(call: _Call, params: _Params) -> _Params:
    call.screen({"EmailAddress": params["EmailAddress"]})
    call.refuse_if_empty(left=None)
    return params


def _create_email_identity(call: _Call, params: _Params) -> _Params:
    # A domain is verified by its DNS records: SES mails only an address.
    # ("CreateEmailIdentity", SES API v2 reference)
    if "@" in params["EmailIdentity"]:
        call.screen({"EmailIdentity": params["EmailIdentity"]})
        call.refuse_if_empty(left=None)
    return params


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
        "SendCustomVerificationEmail": _verify_address,
        "VerifyEmailAddress": _verify_address,
        "VerifyEmailIdentity": _verify_address,
    },
    "sesv2": {
        "SendEmail": _send_email,
        "SendBulkEmail": _bulk("BulkEmailEntries"),
        "SendCustomVerificationEmail": _verify_address,
        "CreateEmailIdentity": _create_email_identity,
    },
}

LEFT_ALONE: Mapping[str, Mapping[str, str]] = {
    "ses": {"SendBounce": "it answers a mail that came in, to its sender"},
    "sesv2": {
        "CreateDeliverabilityTestReport": "SES mails test mailboxes of its own",
        "PutAccountDetails": "AWS writes to the account's own contacts",
    },
}
"""The operations that mail and are not screened: service -> operation -> the reason."""


def _recipients(destination: Mapping[str, list[str]], path: str) -> Iterator[tuple[str, str]]:
    for name in _FIELDS:
        for number, text in enumerate(destination.get(name, ())):
            yield f"{path}.{name}[{number}]", text


def _header_recipients(data: bytes | str, path: str) -> dict[str, str]:
    """Give the recipients that the headers of a raw mail name: place -> address.

    Raises:
        InvalidAddressError: the headers name nobody, or cannot be trusted to name everybody.
    """
    message = _headers(data)
    if message.defects:
        raise InvalidAddressError(f"{path}: the headers are malformed; name the Destinations")
    named: dict[str, str] = {}
    for header in _HEADERS:
        texts = [text for text in _values(message, header) if not _NOBODY.fullmatch(text)]
        try:
            addresses = getaddresses(texts)
        except RecursionError:  # of comments or groups in each other
            raise InvalidAddressError(f"{path}: {header} is malformed") from None
        for number, (_, address) in enumerate(addresses):
            named[f"{path}: {header}[{number}]"] = address
    if not named:
        raise InvalidAddressError(f"{path}: neither To nor Cc nor Bcc names anybody")
    return named


def _tenant(params: _Params) -> str | None:
    """Return the tenant of SES that a call names: as its parameter, or in a header of the mail."""
    named: str | None = params.get("TenantName")
    return named or next(filter(None, map(str.strip, _tenant_headers(params))), None)


def _tenant_headers(params: _Params) -> Iterator[str]:
    content = params.get("Content", {})
    if raw := params.get("RawMessage") or content.get("Raw"):
        yield from _values(_headers(raw["Data"]), _TENANT_HEADER)
    for part in ("Simple", "Template"):
        for header in content.get(part, {}).get("Headers", ()):
            if header["Name"].lower() == _TENANT_HEADER.lower():
                yield header["Value"]


def _headers(data: bytes | str) -> Message:
    raw = data.encode() if isinstance(data, str) else bytes(data)
    return BytesHeaderParser(policy=compat32).parsebytes(raw)


def _values(message: Message, header: str) -> Iterator[str]:
    for name, value in message.raw_items():
        if name.lower() == header.lower():
            # The parser keeps bytes that are not ASCII as surrogates; mail has UTF-8 there.
            raw = str(value).encode("utf-8", "surrogateescape")
            yield _FOLD.sub("", raw.decode("utf-8", "replace"))


_FOLD = re.compile(r"[\r\n]+")
_NOBODY = re.compile(r"\s*|[^:;<>@,]*:\s*;\s*")  # nothing, or «undisclosed-recipients:;»
