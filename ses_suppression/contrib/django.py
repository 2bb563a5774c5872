"""An e-mail backend for Django that mails only whom it may, through any other backend.

In the settings:

    EMAIL_BACKEND = "ses_suppression.contrib.django.EmailBackend"
    SES_SUPPRESSION = {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",  # what really sends
        "TABLE_NAME": "…",  # else the environment variable SUPPRESSION_TABLE_NAME
        "UNKNOWN": "hold",  # or "allow"
        "STREAM": None,  # unless a message has an attribute `suppression_stream`
    }
"""

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.core.mail import get_connection

from ses_suppression.client import AddressesUnknownError, SuppressionList
from ses_suppression.errors import InvalidAddressError, SESSuppressionError

DEFAULT_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

_FIELDS = ("to", "cc", "bcc")


@lru_cache(maxsize=1)
def _configured() -> SuppressionList:
    options = _options()
    unknown = options.get("UNKNOWN", "hold")
    if options.get("TABLE_NAME"):
        return SuppressionList.of_table(options["TABLE_NAME"], unknown=unknown)
    return SuppressionList.from_env(unknown=unknown)


def _options() -> Mapping[str, Any]:
    options: Mapping[str, Any] = getattr(settings, "SES_SUPPRESSION", {})
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

        Raises:
            AddressesUnknownError: DynamoDB did not answer for a recipient.
            InvalidAddressError: a recipient can be no address; the error names its place.
        """
        kept: list[Any] = []
        for message in email_messages:
            try:
                screened = self._screened(message)
            except SESSuppressionError:
                if not self._fail_silently:
                    raise
                continue
            if screened.recipients():
                kept.append(screened)
        return int(self._backend.send_messages(kept) or 0) if kept else 0

    def _screened(self, message: Any) -> Any:  # noqa: ANN401  # a message of Django
        suppressions = self._suppressions or _configured()
        stream = getattr(message, "suppression_stream", _options().get("STREAM"))
        screening = suppressions.screen(message.recipients(), stream)
        for name in _FIELDS:
            for number, text in enumerate(getattr(message, name)):
                if text in screening.invalid:
                    raise InvalidAddressError(f"{name}[{number}]: {screening.invalid[text]}")
        if screening.unknown:
            raise AddressesUnknownError(screening)
        message.suppressed_recipients = dict(screening.suppressed)
        screened = copy.copy(message)
        screened.connection = None  # it is sent through the other backend's
        for name in _FIELDS:
            texts = getattr(message, name)
            setattr(screened, name, [text for text in texts if text not in screening.suppressed])
        return screened
