"""What is known about a list of addresses: who may be mailed, who not, of whom nothing is known."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from ses_suppression.core.suppression import Suppression, Verdict
from ses_suppression.errors import (
    InvalidAddressError,
    SESSuppressionError,
    StoreUnavailableError,
    UnreadableItemError,
)
from ses_suppression.store.protocol import Found


class Unknown(StrEnum):
    """What becomes of an address about which DynamoDB did not answer.

    `hold`: `screen` puts it under `unknown`, `check` raises. `raise`: `screen` raises too.
    `allow`: it is taken for allowed; that is counted and logged. Two cases are excepted. An item
    that cannot be read is treated as with `hold`: it was written for a reason. A failure that needs
    a change of the settings or permissions, such as a missing table, is raised as with `raise`.
    """

    HOLD = "hold"
    RAISE = "raise"
    ALLOW = "allow"

    @classmethod
    def _missing_(cls, value: object) -> "Unknown":
        raise ValueError(f"unknown: {', '.join(cls)} are known, not {value!r}")

    def allows(self, error: SESSuppressionError) -> bool:
        """Whether an address is mailed although this kept DynamoDB from answering."""
        return (
            self is Unknown.ALLOW
            and not isinstance(error, UnreadableItemError)
            and not _is_permanent(error)
        )

    def must_raise(self, errors: Collection[SESSuppressionError]) -> bool:
        """Whether a screening of a list ends with an error."""
        match self:
            case Unknown.HOLD:
                return False
            case Unknown.RAISE:
                return bool(errors)
            case Unknown.ALLOW:
                return any(map(_is_permanent, errors))
            case _:
                assert_never(self)


def _is_permanent(error: SESSuppressionError) -> bool:
    return isinstance(error, StoreUnavailableError) and error.is_permanent


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """Who of a list may be mailed. Every address of the input is in just one of the four.

    The caller's own spelling and order are kept, in each part. The `repr` shows only numbers: an
    error carries a screening to where errors are logged.

    Attributes:
        allowed: mail may be sent; an address that stood twice stands twice.
        suppressed: mail is held back: address -> why.
        unknown: DynamoDB did not answer in time: address -> why. Do not mail them now.
        invalid: what can be no address: text -> why.
    """

    allowed: tuple[str, ...] = ()
    suppressed: Mapping[str, Suppression] = field(default_factory=dict)
    unknown: Mapping[str, SESSuppressionError] = field(default_factory=dict)
    invalid: Mapping[str, InvalidAddressError] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = ("allowed", "suppressed", "unknown", "invalid")
        numbers = ", ".join(f"{name}: {len(getattr(self, name))}" for name in parts)
        return f"<Screening {numbers}>"


class AddressesUnknownError(StoreUnavailableError):
    """DynamoDB did not answer for some addresses of a list.

    Attributes:
        screening: what is known of the others, and which those are.
    """

    def __init__(self, screening: Screening) -> None:
        first = next(iter(screening.unknown.values()))
        code = first.code if isinstance(first, StoreUnavailableError) else type(first).__name__
        reason = first.message if isinstance(first, StoreUnavailableError) else str(first)
        number = len(screening.unknown)
        super().__init__(code, f"nothing is known about {number} addresses: {reason}")
        self.screening = screening

    def __reduce__(self) -> tuple[type["AddressesUnknownError"], tuple[Screening]]:
        return type(self), (self.screening,)


def sort_out(
    texts: Iterable[str],
    *,
    keys: Mapping[str, str],
    invalid: Mapping[str, InvalidAddressError],
    found: Found,
    holds: Callable[[Verdict], Suppression | None],
    unknown: Unknown,
) -> tuple[Screening, list[SESSuppressionError]]:
    """Sort a list by what was found, and return why some are mailed unscreened.

    Args:
        texts: the list.
        keys: text -> the normalised address, for every text that is an address.
        invalid: text -> why it is none.
        found: what is known of the normalised addresses.
        holds: the suppression by which a verdict holds the mail back.
        unknown: what becomes of addresses about which nothing was found.
    """
    allowed: list[str] = []
    suppressed: dict[str, Suppression] = {}
    missing: dict[str, SESSuppressionError] = {}
    let_through: list[SESSuppressionError] = []
    for text in texts:
        if text in invalid or text in suppressed:
            continue
        key = keys[text]
        error = found.failures.get(key)
        if error is None:
            suppression = holds(found.verdicts[key])
            if suppression:
                suppressed[text] = suppression
            else:
                allowed.append(text)
        elif unknown.allows(error):
            let_through.append(error)
            allowed.append(text)
        else:
            missing[text] = error
    screening = Screening(
        allowed=tuple(allowed), suppressed=suppressed, unknown=missing, invalid=dict(invalid)
    )
    return screening, let_through


def refuse_text(addresses: Iterable[str]) -> Iterable[str]:
    """Refuse a single text, each of whose letters would be taken for an address."""
    if isinstance(addresses, str | bytes):
        raise TypeError("an iterable of addresses is needed, this is one text: pass [address]")
    return addresses


def hashable(text: str) -> str:
    """Let a cell that is no text, and no key of a mapping, be told as what it is."""
    try:
        hash(text)
    except TypeError:
        return repr(text)
    return text
