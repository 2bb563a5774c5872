"""May I send mail to this address? An Amazon SES application-level suppression list.

The public names are loaded when they are used: to import the package costs no SDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ses_suppression.client.cache import CacheSettings
    from ses_suppression.client.screening import AddressesUnknownError, Screening, Unknown
    from ses_suppression.client.suppression_list import SuppressionList
    from ses_suppression.core.policy import Policy, Reason
    from ses_suppression.core.suppression import Suppression
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
    from ses_suppression.integrations.boto3 import guard, sending

_MODULES = {
    "AddressesUnknownError": "client.screening",
    "AllRecipientsSuppressedError": "errors",
    "CacheSettings": "client.cache",
    "ConflictError": "errors",
    "InvalidActionError": "errors",
    "InvalidAddressError": "errors",
    "InvalidPolicyError": "errors",
    "InvalidStreamError": "errors",
    "MissingSettingError": "errors",
    "Policy": "core.policy",
    "Reason": "core.policy",
    "SESSuppressionError": "errors",
    "Screening": "client.screening",
    "StoreUnavailableError": "errors",
    "Suppression": "core.suppression",
    "SuppressionList": "client.suppression_list",
    "Unknown": "client.screening",
    "guard": "integrations.boto3",
    "sending": "integrations.boto3",
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
    if name == "Snapshot":
        return getattr(import_module(f"{__name__}.snapshot"), name)
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
