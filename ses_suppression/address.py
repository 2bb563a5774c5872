"""One spelling per mailbox: what an address is called as a key of the table.

SES reports an address as the receiving system spelled it, an app asks with the spelling of its own
database. Both have to meet at one key, so this module is shared by whoever writes and whoever asks.
"""

import hmac
import re
import unicodedata

from ses_suppression.errors import InvalidAddressError

SIMULATOR_DOMAIN = "simulator.amazonses.com"
"""SES's mailbox simulator ("Using the mailbox simulator manually", SES developer guide)."""

MAX_LENGTH = 320
"""Characters: 64 for the local part, the `@`, 255 for the domain (RFC 5321, section 4.5.3.1)."""

_MAX_DOMAIN = 253
_MAX_LABEL = 63
_FINGERPRINT_DIGITS = 12

# Possessive: what does not match is known at once.
PLAIN = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}+@(?:[a-z0-9_-]{1,63}+\.)++[a-z0-9-]{1,63}+")
"""Nearly every address is of this form already; the rest of the module is for the others."""

PLAIN_LENGTH = 254
"""Up to so many characters, what is plain is normalised: the domain is within its limit too."""

_ANGLE = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^"<>])*<([^<>]*|"(?:[^"\\]|\\.)*"@[^<>]*)>', re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ANY_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_INVISIBLE = "\ufeff\u200b\u2060"  # a byte-order mark, and spaces without width
_SEPARATORS = frozenset(",;")
_NEEDS_NO_QUOTES = re.compile(r"[^\s\"(),:;<>@\[\\\]]+")
_LABEL = re.compile(r"[a-z0-9_-]+")
_LITERAL = re.compile(r"\[[a-z0-9.:]+\]")
# UTS 46 maps the first three to a full stop and drops the soft hyphen; the joiners are letters of
# some scripts.
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": ".", "\u00ad": None})
_JOINERS = "\u200c\u200d"


def normalise(text: str) -> str:
    """Give the one spelling under which a mailbox is kept and asked for.

    Takes off white space, a display name and a trailing dot; folds case and Unicode forms (NFC);
    writes an international domain as its A-label and drops quotes that say nothing. It keeps
    `+label` and dots in the local part: only the receiving system knows whether they matter.

    Args:
        text: an address as a person, an app or SES spells it; at most 320 characters without its
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
    if not isinstance(text, str):  # a cell of somebody's list
        raise InvalidAddressError(f"a text is needed, this is {type(text).__name__}")
    if len(text) <= PLAIN_LENGTH and PLAIN.fullmatch(text):
        return text
    stripped = text.strip().strip(_INVISIBLE).strip()
    lowered = stripped.lower()
    if len(lowered) <= PLAIN_LENGTH and PLAIN.fullmatch(lowered):
        return lowered
    return _normalise_unusual(stripped)


def names_several(text: str) -> bool:
    """Tell whether a text names several mailboxes: only the last would be asked about.

    >>> names_several("joe@example.com, Jane <jane@example.com>")
    True
    >>> names_several('"Doe, Jane" <jane@example.com>')
    False
    """
    before, bracket, _ = _ANY_QUOTED.sub("", text).partition("<")
    return bool(bracket) and not _SEPARATORS.isdisjoint(before)


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


def _normalise_unusual(text: str) -> str:
    angle = _ANGLE.fullmatch(text)
    bare = angle[1].strip() if angle else text
    # Before any work on Unicode, which takes quadratic time: the text may come from a stranger.
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
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in content):
        raise InvalidAddressError("a control character or a lone surrogate stands before the @")
    if _NEEDS_NO_QUOTES.fullmatch(content):
        return content
    if not quoted:
        raise InvalidAddressError(
            "a space or a special character stands before the @ without quotes"
        )
    return '"' + re.sub(r'(["\\])', r"\\\1", content) + '"'


def _normalise_domain(domain: str) -> str:
    folded = _fold(unicodedata.normalize("NFKC", domain.strip()).translate(_DOTS))
    if _LITERAL.fullmatch(folded):
        return folded
    name = ".".join(_a_label(label) for label in folded.removesuffix(".").split("."))
    if len(name) > _MAX_DOMAIN:
        raise InvalidAddressError(
            f"a domain has at most {_MAX_DOMAIN} characters, this has {len(name)}"
        )
    return name


def _a_label(label: str) -> str:
    """Write one label of a domain in ASCII, as UTS 46 does without transitional processing.

    Python's own `idna` codec is IDNA 2003, which sends mail for `straße` to `strasse`.
    """
    if not label:
        raise InvalidAddressError("the domain has an empty part")
    ascii_part = "".join(character for character in label if character.isascii())
    if (ascii_part and not _LABEL.fullmatch(ascii_part)) or any(
        unicodedata.category(character)[0] in "CZ" and character not in _JOINERS
        for character in label
    ):
        raise InvalidAddressError("the domain has a character that no domain can have")
    encoded = label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
    if len(encoded) > _MAX_LABEL:
        raise InvalidAddressError(f"a part of the domain has more than {_MAX_LABEL} characters")
    return encoded


def _fold(text: str) -> str:
    # Letter by letter: str.lower() would make a Greek sigma depend on what follows it.
    return unicodedata.normalize("NFC", "".join(map(str.lower, unicodedata.normalize("NFC", text))))
