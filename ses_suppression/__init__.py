"""May I send mail to this address? An Amazon SES application-level suppression list.

The public names are loaded when they are used: to import the package costs no SDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ses_suppression.cache import CacheSettings
    from ses_suppression.client import AddressesUnknownError, Screening, SuppressionList, Unknown
    from ses_suppression.errors import (
        AllRecipientsSuppressedError,
        ConflictError,
        InvalidActionError,
        InvalidAddressError,
        InvalidPolicyError,
        InvalidStreamError,
        MissingSettingError,
        SESSuppressionError,
        StoreUnavailableError,
    )
    from ses_suppression.guarding import guard, sending
    from ses_suppression.policy import Policy, Reason
    from ses_suppression.suppression import Suppression

_MODULES = {
    "AddressesUnknownError": "client",
    "AllRecipientsSuppressedError": "errors",
    "CacheSettings": "cache",
    "ConflictError": "errors",
    "InvalidActionError": "errors",
    "InvalidAddressError": "errors",
    "InvalidPolicyError": "errors",
    "InvalidStreamError": "errors",
    "MissingSettingError": "errors",
    "Policy": "policy",
    "Reason": "policy",
    "SESSuppressionError": "errors",
    "Screening": "client",
    "StoreUnavailableError": "errors",
    "Suppression": "suppression",
    "SuppressionList": "client",
    "Unknown": "client",
    "guard": "guarding",
    "sending": "guarding",
}

__all__ = [
    "AddressesUnknownError",
    "AllRecipientsSuppressedError",
    "CacheSettings",
    "ConflictError",
    "InvalidActionError",
    "InvalidAddressError",
    "InvalidPolicyError",
    "InvalidStreamError",
    "MissingSettingError",
    "Policy",
    "Reason",
    "SESSuppressionError",
    "Screening",
    "StoreUnavailableError",
    "Suppression",
    "SuppressionList",
    "Unknown",
    "guard",
    "sending",
]


def __getattr__(name: str) -> object:
    """Load a public name."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
