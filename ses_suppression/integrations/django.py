"""An e-mail backend for Django that mails only whom it may, through any other backend.

In the settings:

    EMAIL_BACKEND = "ses_suppression.integrations.django.EmailBackend"
    SES_SUPPRESSION = {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",  # what really sends
        "TABLE_NAME": "…",  # else the environment variable SUPPRESSION_TABLE_NAME
        "UNKNOWN": "hold",  # or "allow"
        "STREAM": None,  # unless a message has an attribute `suppression_stream`
    }

A message names its tenant of SES, if it has one, in the header `X-SES-TENANT`.

The logger `ses_suppression` warns when recipients are held back, with their number and without
their addresses. Django shows it on the terminal unless LOGGING says otherwise, so `manage.py
sendtestemail` does not fail silently.
"""

import copy
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import TracebackType
from typing import Any, NamedTuple, Self

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.utils.encoding import force_str

from ses_suppression.client.screening import AddressesUnknownError, Screening
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.address import domain_of, normalise
from ses_suppression.errors import InvalidAddressError, InvalidStreamError, SESSuppressionError

DEFAULT_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

_FIELDS = ("to", "cc", "bcc")
_TENANT_HEADER = "x-ses-tenant"
_SentAs = tuple[str | None, str | None]
_OPTIONS = ("BACKEND", "TABLE_NAME", "UNKNOWN", "STREAM")
_LEFT = "_ses_suppression_left"
_OURS = (*_FIELDS, "connection", "extra_headers", "suppressed_recipients", _LEFT)

# A failing backend may mail the admins through this one; a circle has no end.
_MOST_NESTED = 5
_nested: ContextVar[int] = ContextVar("ses_suppression_nested", default=0)

logger = logging.getLogger("ses_suppression")


@lru_cache(maxsize=1)
def _configure() -> SuppressionList:
    options = _options()
    unknown = options.get("UNKNOWN", "hold")
    if options.get("TABLE_NAME"):
        return SuppressionList.of_table(options["TABLE_NAME"], unknown=unknown)
    return SuppressionList.from_env(unknown=unknown)


def _options() -> Mapping[str, Any]:
    options: Mapping[str, Any] = getattr(settings, "SES_SUPPRESSION", {})
    if unknown := options.keys() - _OPTIONS:
        raise ImproperlyConfigured(
            f"SES_SUPPRESSION: {', '.join(sorted(unknown))}: there are {', '.join(_OPTIONS)}"
        )
    return options


class EmailBackend:
    """Takes out of each message who is held back, and hands the rest to the backend that sends.

    A message tells afterwards who was taken out of it, as `suppressed_recipients`: address ->
    suppression. One with nobody left is not sent and not counted, as Django counts. What the
    backend that sends leaves on a message, such as its id, tells of the last send only.

    Args:
        fail_silently: do not raise when DynamoDB does not answer, or a recipient is no address; the
            message is not sent either.
        suppressions: the list to ask; None: the one in the settings.
        options: for the backend that sends.

    Raises:
        ImproperlyConfigured: `BACKEND` hands its mail back to this backend.
    """

    def __init__(
        self,
        fail_silently: bool = False,  # noqa: FBT001, FBT002  # Django passes it by name, or does not
        suppressions: SuppressionList | None = None,
        **options: Any,  # noqa: ANN401  # the other backend's own
    ) -> None:
        self._fail_silently = fail_silently
        self._suppressions = suppressions
        self._path = _options().get("BACKEND") or DEFAULT_BACKEND
        with self._no_circle():
            self._backend = get_connection(self._path, fail_silently=fail_silently, **options)

    def open(self) -> object:
        """Open the connection of the backend that sends."""
        with self._no_circle():
            return self._backend.open()

    def close(self) -> None:
        """Close it."""
        with self._no_circle():
            self._backend.close()

    def __enter__(self) -> Self:
        with self._no_circle():
            self._backend.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._no_circle():
            self._backend.__exit__(kind, error, traceback)

    def send_messages(self, email_messages: Iterable[Any] | None) -> int:
        """Send messages to those of their recipients who may be mailed; give how many were sent.

        All of them are screened before the first is sent: an error means that nothing was sent.

        Raises:
            AddressesUnknownError: DynamoDB did not answer for a recipient.
            InvalidAddressError: a recipient can be no address; the error names its place.
        """
        messages = list(email_messages or ())
        for message in messages:
            _forget_earlier_send(message)
        mails = [_read(message) for message in messages]
        kept = list(self._screen_all(mails))
        _warn(mails)
        if not kept:
            return 0
        try:
            with self._no_circle():
                return int(self._backend.send_messages([screened for _, screened in kept]) or 0)
        finally:
            for message, screened in kept:
                _tell(message, screened)

    @contextmanager
    def _no_circle(self) -> Iterator[None]:
        """Refuse to hand on to a backend that hands back to this one, again and again."""
        nested = _nested.get()
        if nested >= _MOST_NESTED:
            raise ImproperlyConfigured(
                f"SES_SUPPRESSION['BACKEND']: {self._path} hands its mail back to "
                f"{type(self).__module__}.{type(self).__qualname__}: name the backend that sends"
            )
        token = _nested.set(nested + 1)
        try:
            yield
        finally:
            _nested.reset(token)

    def _screen_all(self, mails: Sequence["_Mail"]) -> Iterator[tuple[Any, Any]]:
        """Screen messages, and give each that has a recipient left with its screened copy."""
        screenings = self._screenings(mails)
        for mail in mails:
            try:
                screening = screenings[mail.sent_as]
                if isinstance(screening, SESSuppressionError):
                    raise screening
                screened = _screen(mail, screening)
            except SESSuppressionError:
                if not self._fail_silently:
                    raise
                continue
            if screened.recipients():
                yield mail.message, screened

    def _screenings(
        self, mails: Sequence["_Mail"]
    ) -> Mapping[_SentAs, Screening | SESSuppressionError]:
        """Screen all recipients of all messages at once, by stream and tenant."""
        suppressions = self._suppressions or _configure()
        recipients: dict[_SentAs, list[str]] = {}
        for mail in mails:
            recipients.setdefault(mail.sent_as, []).extend(mail.places)
        screenings: dict[_SentAs, Screening | SESSuppressionError] = {}
        for sent_as, texts in recipients.items():
            stream, tenant = sent_as
            try:
                screenings[sent_as] = suppressions.screen(texts, stream, tenant=tenant)
            except AddressesUnknownError as error:
                screenings[sent_as] = error.screening
            except InvalidStreamError as error:  # of these messages alone
                screenings[sent_as] = error
        return screenings


class _Mail(NamedTuple):
    """A message, with everything read from it once: a lazy text may change with the language."""

    message: Any
    sent_as: _SentAs
    fields: Mapping[str, Sequence[str]]
    places: Mapping[str, str]  # text -> its first place


def _read(message: Any) -> _Mail:  # noqa: ANN401  # a message of Django
    """Read who a message is for: in its fields, and by `recipients()`, which apps override.

    Some backends send to the first, some to the second.
    """
    fields = {name: _texts(getattr(message, name)) for name in _FIELDS}
    places: dict[str, str] = {}
    for name, texts in {**fields, "recipients()": _texts(message.recipients())}.items():
        for number, text in enumerate(texts):
            if text:
                places.setdefault(text, f"{name}[{number}]")
    return _Mail(message, _sent_as(message), fields, places)


def _texts(values: Iterable[Any]) -> list[str]:
    """Return recipients as Django's own backends read them: lazy texts and objects as text."""
    return [_text(value) if value else "" for value in values]


def _text(value: Any) -> Any:  # noqa: ANN401  # as above
    # Django decodes bytes for the envelope only: they stay bytes, and are refused.
    # A plain str, because a subclass (an Enum) can show another text than it holds.
    return value if isinstance(value, bytes) else str.__str__(force_str(value))


def _sent_as(message: Any) -> _SentAs:  # noqa: ANN401  # a message of Django
    """Return the stream of a message, and the tenant of SES that its header names."""
    stream = getattr(message, "suppression_stream", _options().get("STREAM"))
    named = (
        str(value).strip()
        for name, value in message.extra_headers.items()
        if name.lower() == _TENANT_HEADER
    )
    return stream and force_str(stream), next(filter(None, named), None)


def _screen(mail: _Mail, screening: Screening) -> Any:  # noqa: ANN401  # a message of Django
    """Give a copy of a message with those recipients who may be mailed."""
    message, places = mail.message, mail.places
    for text, place in places.items():
        if text in screening.invalid:
            raise InvalidAddressError(f"{place}: {screening.invalid[text]}")
        if _is_misread(text):
            raise InvalidAddressError(
                f"{place}: Django mails another domain than the one that is written (IDNA 2003): "
                "write its A-label (xn--…)"
            )
    unknown = {text: screening.unknown[text] for text in places if text in screening.unknown}
    if unknown:
        raise AddressesUnknownError(Screening(unknown=unknown))
    held = {text: one for text in places if (one := screening.suppressed.get(text))}
    message.suppressed_recipients = held
    may_be_mailed = places.keys() - held.keys()
    screened = copy.copy(message)
    screened.connection = None  # it is sent through the other backend's
    screened.extra_headers = copy.copy(message.extra_headers)  # some backends write ids there
    for name, texts in mail.fields.items():
        setattr(screened, name, [text for text in texts if text in may_be_mailed])
    if not set(filter(None, _texts(screened.recipients()))) <= may_be_mailed:
        raise InvalidAddressError(
            "recipients(): it adds a recipient who is held back: name all in to, cc or bcc"
        )
    return screened


def _is_misread(text: str) -> bool:
    """Tell whether Django encodes a domain otherwise than today's standard, such as `straße`."""
    if text.isascii():
        return False
    written = text.rpartition("@")[2].rstrip(" \t>.")
    try:
        encoded = written.encode("idna").decode()
    except UnicodeError:
        return False  # Django cannot mail it
    return encoded.lower() != domain_of(normalise(text))


def _warn(mails: Sequence[_Mail]) -> None:
    held = [len(mail.message.suppressed_recipients) for mail in mails]
    if any(held):
        logger.warning(
            "%d recipients are held back by the suppression list, %d of %d messages are not sent: "
            "`ses-suppression explain` lists the reasons of an address",
            sum(held),
            sum(0 < number == len(mail.places) for number, mail in zip(held, mails, strict=True)),
            len(mails),
        )


def _tell(message: Any, screened: Any) -> None:  # noqa: ANN401  # messages of Django
    """Copy to the app's own message what the backend left on the screened one."""
    message.extra_headers = copy.copy(message.extra_headers)  # several messages may share one
    attributes = {name: value for name, value in vars(screened).items() if name not in _OURS}
    records = vars(message).setdefault(_LEFT, ({}, {}))
    for record, left, own in zip(
        records,
        (attributes, screened.extra_headers),
        (vars(message), message.extra_headers),
        strict=True,
    ):
        for name, value in left.items():
            before = {name: own[name]} if name in own else {}
            if not before or own[name] is not value:
                # The first record counts: a message may be sent twice in one call.
                record[name] = (value, record[name][1] if name in record else before)
                own[name] = value


def _forget_earlier_send(message: Any) -> None:  # noqa: ANN401  # a message of Django
    """Restore the attributes and headers that a backend left, unless the app has set them since."""
    message.suppressed_recipients = {}
    records = vars(message).pop(_LEFT, ({}, {}))
    for record, own in zip(records, (vars(message), message.extra_headers), strict=True):
        for name, (value, before) in record.items():
            if name in own and own[name] is value:
                del own[name]
                own.update(before)
