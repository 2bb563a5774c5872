"""One spelling per mailbox: what an address is called as a key of the table.

SES reports an address as the receiving system spelled it, an app asks with the spelling of its own
database. Both have to meet at one key, so this module is shared by whoever writes and whoever asks.
"""

import hmac
import re
import unicodedata
from itertools import pairwise

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
# Not format characters for Unicode, and blank all the same: fillers, variation selectors, blanks.
_BLANKS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc"
    "\U00013441\U00013442\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
_SEPARATORS = frozenset(",;")
_NEEDS_NO_QUOTES = re.compile(r"[^\s\"(),:;<>@\[\\\]]+")
_LABEL = re.compile(r"[a-z0-9_-]+")
_LITERAL = re.compile(r"\[[a-z0-9.:]+\]")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")  # UTS 46 maps them to a full stop
# UTS 46 ignores them: the soft hyphen, the grapheme joiner and the variation selectors.
_IGNORED = re.compile("[\u00ad\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
_JOINERS = "\u200c\u200d"  # of some scripts they are letters
_VIRAMA = 9  # the canonical combining class
# The letters up to U+08FF that join the next one (Joining_Type=D), and those that join only the one
# before (R), by Unicode's ArabicShaping.txt: Arabic, Syriac, N'Ko and Mandaic.
_DUAL_JOINING = (
    "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649\u064a\u066e\u066f\u0678-\u0687"
    "\u069a-\u06bf\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1\u06fa-\u06fc\u06ff\u0712-\u0714\u071a-\u071d"
    "\u071f-\u0727\u0729\u072b\u072d\u072e\u074e-\u0758\u075c-\u076a\u076d-\u0770\u0772\u0775-\u0777"
    "\u077a-\u077f\u07ca-\u07ea\u0841-\u0845\u0848\u084a-\u0853\u0855\u0860\u0862-\u0865\u0868\u0886"
    "\u0889-\u088d\u088f\u08a0-\u08a9\u08af\u08b0\u08b3-\u08b8\u08ba-\u08c8"
)
_RIGHT_JOINING = (
    "\u0622-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06c0"
    "\u06c3-\u06cb\u06cd\u06cf\u06d2\u06d3\u06d5\u06ee\u06ef\u0710\u0715-\u0719\u071e\u0728\u072a\u072c"
    "\u072f\u074d\u0759-\u075b\u076b\u076c\u0771\u0773\u0774\u0778\u0779\u0840\u0846\u0847\u0849\u0854"
    "\u0856-\u0858\u0867\u0869\u086a\u0870-\u0882\u088e\u08aa-\u08ac\u08ae\u08b1\u08b2\u08b9"
)
_BREAKS_A_JOIN = re.compile(f"(?<=[{_DUAL_JOINING}])\u200c(?=[{_DUAL_JOINING}{_RIGHT_JOINING}])")


def normalise(text: str) -> str:
    """Give the one spelling under which a mailbox is kept and asked for.

    Takes off white space, invisible characters around the address, a display name and a trailing
    dot; folds case and Unicode forms (NFC); writes an international domain as its A-label and drops
    quotes that say nothing. It keeps `+label` and dots in the local part: only the receiving system
    knows whether they matter. An invisible character within the address never makes another key:
    it is refused, or ignored in the domain where UTS 46 ignores it.

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
    lowered = text.strip().lower()
    if len(lowered) <= PLAIN_LENGTH and PLAIN.fullmatch(lowered):
        return lowered
    return _normalise_unusual(_trim(text))


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
    bare = _trim(angle[1]) if angle else text
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
    if any(unicodedata.category(character) in {"Cc", "Cn", "Cs"} for character in content):
        raise InvalidAddressError(
            "before the @ is a control character, a lone surrogate or an unassigned character"
        )
    if any(_is_invisible(character) for character in content if character != " "):
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


def _normalise_domain(domain: str) -> str:
    compatible = unicodedata.normalize("NFKC", _trim(domain)).translate(_DOTS)
    folded = _fold(_IGNORED.sub("", compatible))
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
    others = "".join(character for character in label if character not in _JOINERS)
    if any(map(_is_invisible, others)):
        raise InvalidAddressError(
            "the domain has a space or an invisible character, such as a direction mark: "
            "type the address again"
        )
    ascii_part = "".join(character for character in others if character.isascii())
    if (ascii_part and not _LABEL.fullmatch(ascii_part)) or any(
        unicodedata.category(character)[0] == "C" for character in others
    ):
        raise InvalidAddressError("the domain has a character that no domain can have")
    if len(others) < len(label) and not _may_join(label):
        raise InvalidAddressError(
            "the domain has an invisible joiner where its script has none: type the address again"
        )
    encoded = label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
    if len(encoded) > _MAX_LABEL:
        raise InvalidAddressError(f"a part of the domain has more than {_MAX_LABEL} characters")
    return encoded


def _fold(text: str) -> str:
    # Letter by letter: str.lower() would make a Greek sigma depend on what follows it.
    return unicodedata.normalize("NFC", "".join(map(str.lower, unicodedata.normalize("NFC", text))))


def _may_join(label: str) -> bool:
    """Whether the joiners of a label are where RFC 5892, appendices A.1 and A.2, allows them.

    Both are allowed after a virama. U+200C is allowed between two letters that it keeps from
    joining, too; marks on them do not matter.
    """
    letters = "".join(
        "-" if character in _JOINERS and unicodedata.combining(before) == _VIRAMA else character
        for before, character in pairwise(f"-{label}")
        if unicodedata.category(character) not in {"Mn", "Me"}
    )
    return set(_JOINERS).isdisjoint(_BREAKS_A_JOIN.sub("", letters))


def _trim(text: str) -> str:
    start = next((at for at, one in enumerate(text) if not _is_invisible(one)), len(text))
    end = next((at for at in range(len(text), start, -1) if not _is_invisible(text[at - 1])), start)
    return text[start:end]


def _is_invisible(character: str) -> bool:
    return (
        character.isspace()
        or unicodedata.category(character) == "Cf"
        or _BLANKS.match(character) is not None
    )
