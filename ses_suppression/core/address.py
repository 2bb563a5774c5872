"""One spelling per mailbox: what an address is called as a key of the table.

SES reports an address as the receiving system spelled it, an app asks with the spelling of its own
database. Both have to meet at one key, so this module is shared by whoever writes and whoever asks.
"""

import hmac
import re
import unicodedata

from ses_suppression.core.domain_name import is_invisible, to_ascii
from ses_suppression.errors import InvalidAddressError

SIMULATOR_DOMAIN = "simulator.amazonses.com"
"""SES's mailbox simulator ("Using the mailbox simulator manually", SES developer guide)."""

MAX_LENGTH = 320
"""Characters: 64 for the local part, the `@`, 255 for the domain (RFC 5321, section 4.5.3.1)."""

MAX_TEXT = 2000
"""Characters of an address with its display name: two lines of a mail (RFC 5322, section 2.1.1)."""

_FINGERPRINT_DIGITS = 12

# Possessive: what does not match is known at once.
PLAIN = re.compile(
    r"(?![^@]*=\?)[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}+@(?:[a-z0-9_-]{1,63}+\.)++[a-z0-9-]{1,63}+"
)
"""Nearly every address is of this form already; the rest of the module is for the others."""

PLAIN_LENGTH = 254
"""Up to so many characters, what is plain is normalised: the domain is within its limit too."""

# A display name and an address in angle brackets. What has a meaning of its own there (an `@`, a
# comment, a comma, a colon, a semicolon, a line break) has to be in quotes: who mails the text may
# read another address, or several.
_MAILBOX = re.compile(
    r'(?:"(?:[^"\\\x00-\x08\x0a-\x1f]|\\[^\x00-\x1f])*"|[^"<>@(),:;\\\x00-\x08\x0a-\x1f])*'
    r'<([^<>]*|"(?:[^"\\]|\\.)*"@[^<>]*)>'
)
# SES has mailed already what it reports: the address is the one in the brackets.
_REPORTED = re.compile(
    r'(?:"(?:[^"\\]|\\.)*"|[^"<>])*<([^<>]*|"(?:[^"\\]|\\.)*"@[^<>]*)>', re.DOTALL
)
# RFC 2047, section 2. Django, for one, decodes it also where an address stands.
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[^?\s]\?[^?\s]*\?=")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_NEEDS_NO_QUOTES = re.compile(r"[^\s\"(),:;<>@\[\\\]]+")
_LITERAL = re.compile(r"\[[a-z0-9.:]+\]")


def normalise(text: str) -> str:
    """Give the one spelling under which a mailbox is kept and asked for.

    Takes off white space, invisible characters around the address, a display name and a trailing
    dot; folds case and Unicode forms (NFC); writes an international domain as its A-label and drops
    quotes that say nothing. It keeps `+label` and dots in the local part: only the receiving system
    knows whether they matter. An invisible character within the address never makes another key:
    it is refused, or ignored in the domain where UTS 46 ignores it. A text that names several
    mailboxes, or that another reader may take for another one, is refused.

    Args:
        text: an address as a person or an app spells it; at most 320 characters without its
            display name.

    Returns:
        The normalised address: `local@domain`, lower case.

    Raises:
        InvalidAddressError: the text cannot be an address; the reason does not repeat it.

    >>> normalise('"Jane Doe" <Jane.Doe+news@EXAMPLE.com.> ')
    'jane.doe+news@example.com'
    >>> normalise("jane@bücher.example")
    'jane@xn--bcher-kva.example'
    """
    address = _normalise(text, _MAILBOX)
    if "=?" in address and _ENCODED_WORD.search(address):
        raise InvalidAddressError(
            "before the @ is an encoded word (=?…?=), which a mailer may read as another address"
        )
    return address


def normalise_reported(text: str) -> str:
    """Return the spelling under which a mailbox is kept that SES reports.

    As `normalise`, but for a display name with `@ ( ) , ; :` or a line break: SES has read it and
    mailed the address in the angle brackets.

    Raises:
        InvalidAddressError: as `normalise`.

    >>> normalise_reported("Doe, Jane (work) <jane@example.com>")
    'jane@example.com'
    """
    return _normalise(text, _REPORTED)


def domain_of(address: str) -> str:
    """Give the domain of a normalised address.

    >>> domain_of("jane@example.com")
    'example.com'
    """
    return address.rpartition("@")[2]


def is_simulator(address: str) -> bool:
    """Tell whether a normalised address belongs to SES's mailbox simulator.

    >>> is_simulator("bounce+label@simulator.amazonses.com")
    True
    """
    return domain_of(address) == SIMULATOR_DOMAIN


def fingerprint(address: str, key: str) -> str:
    """Give the 12 hexadecimal digits that stand for a normalised address in logs and metrics.

    It is pseudonymous, not anonymous: who holds the key can test whether a given address is meant.

    >>> fingerprint("jane@example.com", key="of the deployment")
    '29f37522d7df'
    """
    return hmac.new(key.encode(), address.encode(), "sha256").hexdigest()[:_FINGERPRINT_DIGITS]


def _normalise(text: object, mailbox: re.Pattern[str]) -> str:
    if not isinstance(text, str):  # a cell of somebody's list
        raise InvalidAddressError(f"a text is needed, this is {type(text).__name__}")
    if len(text) <= PLAIN_LENGTH and PLAIN.fullmatch(text):
        return text
    # Before any work on Unicode: the text may come from a stranger.
    stripped = text.strip()
    if len(stripped) > MAX_TEXT:
        raise InvalidAddressError(
            f"an address has at most {MAX_LENGTH} characters, and {MAX_TEXT:,} with a display name"
        )
    lowered = stripped.lower()
    if len(lowered) <= PLAIN_LENGTH and PLAIN.fullmatch(lowered):
        return lowered
    return _normalise_unusual(_trim(stripped), mailbox)


def _normalise_unusual(text: str, mailbox: re.Pattern[str]) -> str:
    named = mailbox.fullmatch(text)
    if not named and _REPORTED.fullmatch(text):
        raise InvalidAddressError(
            "it names several mailboxes, or its display name has a line break or one of @ ( ) , ; "
            "and : without quotes: pass each mailbox on its own, its display name in quotes"
        )
    bare = _trim(named[1]) if named else text
    if len(bare) > MAX_LENGTH:
        raise InvalidAddressError(f"an address has at most {MAX_LENGTH} characters")
    local, at, domain = bare.rpartition("@")
    if not at:
        raise InvalidAddressError("an address needs an @")
    address = f"{_normalise_local(local)}@{_normalise_domain(domain)}"
    if len(address) > MAX_LENGTH:
        raise InvalidAddressError(
            f"an address has at most {MAX_LENGTH} characters, this has {len(address)}"
        )
    return address


def _normalise_local(local: str) -> str:
    quoted = _QUOTED.fullmatch(local)
    content = _fold(re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL) if quoted else local)
    if not content:
        raise InvalidAddressError("nothing stands before the @")
    if any(unicodedata.category(character) in {"Cc", "Cn", "Cs"} for character in content):
        raise InvalidAddressError(
            "before the @ is a control character, a lone surrogate or an unassigned character"
        )
    if any(is_invisible(character) for character in content if character != " "):
        raise InvalidAddressError(
            "before the @ is an invisible character, such as a direction mark or a soft hyphen: "
            "type the address again"
        )
    if _NEEDS_NO_QUOTES.fullmatch(content):
        return content
    if not quoted:
        raise InvalidAddressError(
            "a space or a special character stands before the @ without quotes"
        )
    return '"' + re.sub(r'(["\\])', r"\\\1", content) + '"'


def _fold(text: str) -> str:
    # Letter by letter: str.lower() would make a Greek sigma depend on what follows it.
    return unicodedata.normalize("NFC", "".join(map(str.lower, unicodedata.normalize("NFC", text))))


def _normalise_domain(domain: str) -> str:
    trimmed = _trim(domain)
    literal = trimmed.lower()
    return literal if _LITERAL.fullmatch(literal) else to_ascii(trimmed)


def _trim(text: str) -> str:
    start = next((at for at, one in enumerate(text) if not is_invisible(one)), len(text))
    end = next((at for at in range(len(text), start, -1) if not is_invisible(text[at - 1])), start)
    return text[start:end]
