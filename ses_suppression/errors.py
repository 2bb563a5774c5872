"""Every error that this package raises on purpose.

No e-mail address is in the `str`, the `repr` or the `args` of one: frameworks log and store them.
An attribute may hold addresses; its `repr` shows only their number.
"""

from collections.abc import Mapping
from typing import Any


class ByAddress(dict[str, Any]):
    """A mapping by address. Its `repr` shows only how many there are."""

    def __repr__(self) -> str:
        return f"<{len(self)} addresses>"


class SESSuppressionError(Exception):
    """The base of all errors of this package: catch it to catch them all."""


class InvalidAddressError(SESSuppressionError, ValueError):
    """The text cannot be an e-mail address. The message says why, and does not repeat the text."""


class InvalidNotificationError(SESSuppressionError, ValueError):
    """The body is not a notification of Amazon SES.

    Attributes:
        field: the path of the field that is wrong, such as
            `bounce.bouncedRecipients[2].emailAddress`; empty when the body as a whole is meant.
        problem: what is wrong with it.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}" if self.field else self.problem


class InvalidPolicyError(SESSuppressionError, ValueError):
    """A policy has an unknown key, or a wrong value. The message names the key."""


class InvalidActionError(SESSuppressionError, ValueError):
    """An operator's action cannot be meant so. The message names the argument."""


class NoEffectError(SESSuppressionError):
    """An action would leave the address as it was. The message says why; nothing was written."""


class InvalidStreamError(SESSuppressionError, ValueError):
    """No mail can have such a stream or tenant. The message names the argument and the bound."""


class ConflictError(SESSuppressionError):
    """Another writer changed the record between the read and the write: read again."""


_PERMANENT = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ParamValidationError",  # no table can have such a name
        "ResourceNotFoundException",  # no such table, or not in this region
        "UnrecognizedClientException",  # no such credentials
        "ValidationException",  # no table can have such a name, or it has another key
    }
)


class StoreUnavailableError(SESSuppressionError):
    """DynamoDB did not answer, or refused. Nothing is known about the addresses in question.

    Attributes:
        code: the error code of AWS or the SDK's name of it, such as `ThrottlingException`; or
            `OutOfTime`, `UnprocessedKeys`, `UnreadableAnswer`, `UnreadableItem`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    @property
    def is_permanent(self) -> bool:
        """Whether it lasts until the settings or permissions are changed."""
        return self.code in _PERMANENT

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class UnreadableItemError(StoreUnavailableError):
    """An item of the table was not written by this software: it is never taken for a yes."""

    def __init__(self, what: str) -> None:
        super().__init__("UnreadableItem", f"the item was not written by this software: {what}")
        self.args = (what,)  # with which a copy of it is made


class AllRecipientsSuppressedError(SESSuppressionError):
    """Nobody is left to mail: all recipients are held back. Nothing was sent.

    Attributes:
        suppressed: address -> suppression.
    """

    def __init__(self, suppressed: Mapping[str, Any]) -> None:
        super().__init__(f"all {len(suppressed)} recipients are held back by the suppression list")
        self.suppressed: Mapping[str, Any] = ByAddress(suppressed)

    def __reduce__(self) -> tuple[type["AllRecipientsSuppressedError"], tuple[Mapping[str, Any]]]:
        return type(self), (self.suppressed,)


class MissingSettingError(SESSuppressionError):
    """A setting that is needed is not there, or cannot be meant so. The message names it."""
