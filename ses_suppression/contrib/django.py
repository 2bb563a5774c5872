"""An e-mail backend for Django that mails only whom it may, through any other backend.

In the settings:

    EMAIL_BACKEND = "ses_suppression.contrib.django.EmailBackend"
    SES_SUPPRESSION = {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",  # what really sends
        "TABLE_NAME": "…",  # else the environment variable SUPPRESSION_TABLE_NAME
        "UNKNOWN": "hold",  # or "allow"
        "STREAM": None,  # unless a message has an attribute `suppression_stream`
    }

A message names its tenant of SES, if it has one, in the header `X-SES-TENANT`.
"""

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection

from ses_suppression.client import AddressesUnknownError, Screening, SuppressionList
from ses_suppression.errors import InvalidAddressError, SESSuppressionError

DEFAULT_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

_FIELDS = ("to", "cc", "bcc")
_TENANT_HEADER = "x-ses-tenant"
_SentAs = tuple[str | None, str | None]
_OPTIONS = ("BACKEND", "TABLE_NAME", "UNKNOWN", "STREAM")


@lru_cache(maxsize=1)
def _configured() -> SuppressionList:
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
    suppression. One with nobody left is not sent and not counted, as Django counts.

    Args:
        fail_silently: do not raise when DynamoDB does not answer, or a recipient is no address; the
            message is not sent either.
        suppressions: the list to ask; None: the one in the settings.
        options: for the backend that sends.
    """

    def __init__(
        self,
        fail_silently: bool = False,  # noqa: FBT001, FBT002  # Django passes it by name, or does not
        suppressions: SuppressionList | None = None,
        **options: Any,  # noqa: ANN401  # the other backend's own
    ) -> None:
        self._fail_silently = fail_silently
        self._suppressions = suppressions
        backend = _options().get("BACKEND", DEFAULT_BACKEND)
        self._backend = get_connection(backend, fail_silently=fail_silently, **options)

    def open(self) -> object:
        """Open the connection of the backend that sends."""
        return self._backend.open()

    def close(self) -> None:
        """Close it."""
        self._backend.close()

    def __enter__(self) -> Self:
        self._backend.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._backend.__exit__(kind, error, traceback)

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """Send messages to those of their recipients who may be mailed; give how many were sent.

        All of them are screened before the first is sent: an error means that nothing was sent.

        Raises:
            AddressesUnknownError: DynamoDB did not answer for a recipient.
            InvalidAddressError: a recipient can be no address; the error names its place.
        """
        screenings = self._screenings(email_messages)
        kept: list[tuple[Any, Any]] = []
        for message in email_messages:
            try:
                screened = _screened(message, screenings[_sent_as(message)])
            except SESSuppressionError:
                if not self._fail_silently:
                    raise
                continue
            if screened.recipients():
                kept.append((message, screened))
        if not kept:
            return 0
        sent = int(self._backend.send_messages([screened for _, screened in kept]) or 0)
        for message, screened in kept:
            _tell(message, screened)
        return sent

    def _screenings(self, messages: Sequence[Any]) -> Mapping[_SentAs, Screening]:
        """Screen all recipients of all messages at once, by stream and tenant."""
        suppressions = self._suppressions or _configured()
        recipients: dict[_SentAs, list[str]] = {}
        for message in messages:
            recipients.setdefault(_sent_as(message), []).extend(message.recipients())
        screenings: dict[_SentAs, Screening] = {}
        for sent_as, texts in recipients.items():
            stream, tenant = sent_as
            try:
                screenings[sent_as] = suppressions.screen(texts, stream, tenant=tenant)
            except AddressesUnknownError as error:
                screenings[sent_as] = error.screening
        return screenings


def _sent_as(message: Any) -> _SentAs:  # noqa: ANN401  # a message of Django
    """Return the stream of a message, and the tenant of SES that its header names."""
    stream: str | None = getattr(message, "suppression_stream", _options().get("STREAM"))
    named = (
        str(value).strip()
        for name, value in message.extra_headers.items()
        if name.lower() == _TENANT_HEADER
    )
    return stream, next(filter(None, named), None)


def _screened(message: Any, screening: Screening) -> Any:  # noqa: ANN401  # messages of Django
    """Give a copy of a message with those recipients who may be mailed."""
    recipients = message.recipients()
    for text in recipients:
        if text in screening.invalid:
            raise InvalidAddressError(f"{_place(message, text)}: {screening.invalid[text]}")
    unknown = {text: screening.unknown[text] for text in recipients if text in screening.unknown}
    if unknown:
        raise AddressesUnknownError(Screening(unknown=unknown))
    held = {text: one for text in recipients if (one := screening.suppressed.get(text))}
    message.suppressed_recipients = held
    screened = copy.copy(message)
    screened.connection = None  # it is sent through the other backend's
    for name in _FIELDS:
        setattr(screened, name, [text for text in getattr(message, name) if text not in held])
    if not set(screened.recipients()) <= set(screening.allowed):
        raise InvalidAddressError(
            "recipients(): it names somebody who is held back and not in to, cc or bcc"
        )
    return screened


def _place(message: Any, text: str) -> str:  # noqa: ANN401  # as above
    places = (
        f"{name}[{number}]"
        for name in _FIELDS
        for number, found in enumerate(getattr(message, name))
        if found == text
    )
    return next(places, "recipients()")


def _tell(message: Any, screened: Any) -> None:  # noqa: ANN401  # as above
    """Let the app see on its own message what the backend left on the copy."""
    for name in vars(screened).keys() - vars(message).keys():
        setattr(message, name, getattr(screened, name))
