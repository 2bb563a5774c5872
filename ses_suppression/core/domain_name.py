"""The ASCII spelling of an international domain name: UTS 46, then the rules of IDNA 2008.

The rules follow from Python's own Unicode data, as RFC 5892 derives them, so that an app has
nothing to install. The tests compare them with the `idna` package on every assigned code point. A
label in ASCII is taken as it is.
"""

import re
import unicodedata
from itertools import pairwise

from ses_suppression.errors import InvalidAddressError

_MAX_DOMAIN = 253
_MAX_LABEL = 63
_PREFIX = "xn--"

# Not format characters for Unicode, and blank all the same: fillers, variation selectors, blanks.
_BLANKS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc"
    "\U00013441\U00013442\U00016fe4\U0001d159\U000e0100-\U000e01ef]"
)
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")  # UTS 46 maps them to a full stop
# UTS 46 ignores them: the soft hyphen, the grapheme joiner and the variation selectors.
_IGNORED = re.compile("[\u00ad\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
# Case folding would change them, and so name other domains. UTS 46 keeps them by now.
_KEPT = {"ß": "ß", "ẞ": "ß", "ς": "ς"}

_ASCII_LABEL = re.compile(r"[a-z0-9_-]+")
# RFC 5892: letters (Cherokee folds to capitals), marks and digits, and the exceptions of section
# 2.6; never old Hangul letters and the blocks of section 2.4.
_VALID_CATEGORIES = frozenset({"Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd"})
_VALID = frozenset("-·\u0375\u05f3\u05f4\u06fd\u06fe\u0f0b\u3007\u30fb")
_NEVER_VALID = re.compile(
    "[\u0640\u07fa\u1100-\u11ff\u20d0-\u20ff\u302e\u302f\u3031-\u3035\u303b\ua960-\ua97c"
    "\ud7b0-\ud7fb\U0001d100-\U0001d24f]"
)
_ODD_HYPHEN = re.compile(r"-.*|..--.*|.*-")
# RFC 5892, appendices A.3 to A.6, A.8 and A.9.
_OUT_OF_CONTEXT = re.compile(
    r"(?<!l)·|·(?!l)|\u0375(?![\u0370-\u03e1\u03f0-\u03ff\u1d26-\u1d2a\u1f00-\u1fff\uab65])"
    r"|(?<![\u0591-\u05f4])[\u05f3\u05f4]|[\u0660-\u0669].*[\u06f0-\u06f9]"
    r"|[\u06f0-\u06f9].*[\u0660-\u0669]"
)
# Its appendix A.7: how the names of Hiragana, Katakana and Han begin.
_JAPANESE = (
    "HIRAGANA ", "HENTAIGANA ", "KATAKANA ", "CJK ", "IDEOGRAPHIC ITERATION", "IDEOGRAPHIC NUMBER",
    "OLD CHINESE ITERATION", "VIETNAMESE ALTERNATE",
)  # fmt: skip

# RFC 5893, section 2, a letter for each class: a label from right to left, or from left to right.
_BIDI = {"L": "L", "R": "R", "AL": "R", "AN": "A", "EN": "E", "NSM": "M"}
_ONE_DIRECTION = re.compile(r"(?:R(?:[REOM]*[RE])?|R(?:[RAOM]*[RA])?|L(?:[LEOM]*[LE])?)M*")

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

_MOST_AT_ONCE = 455  # of a delta: 35 * 26 / 2
_DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789"


def to_ascii(domain: str) -> str:
    """Return the one spelling of a domain name: lower case, its labels as A-labels.

    Raises:
        InvalidAddressError: it is no domain name; the reason does not repeat it.

    >>> to_ascii("Straße.EXAMPLE.")
    'xn--strae-oqa.example'
    """
    labels = domain.translate(_DOTS).removesuffix(".").split(".")
    name = ".".join(map(_a_label, labels))
    if len(name) > _MAX_DOMAIN:
        raise InvalidAddressError(
            f"a domain has at most {_MAX_DOMAIN} characters, this has {len(name)}"
        )
    return name


def is_invisible(character: str) -> bool:
    """Whether a character leaves no mark on a screen: white space, format characters, fillers.

    >>> is_invisible("\u200f"), is_invisible("-")
    (True, False)
    """
    return (
        character.isspace()
        or unicodedata.category(character) == "Cf"
        or _BLANKS.match(character) is not None
    )


def _a_label(text: str) -> str:
    label = text.lower() if text.isascii() else _map(text)
    if not label:
        raise InvalidAddressError("the domain has an empty part")
    if any(is_invisible(character) for character in label if character not in _JOINERS):
        raise InvalidAddressError(
            "the domain has a space or an invisible character, such as a direction mark: "
            "type the address again"
        )
    _short_enough(label)
    if label.isascii() and (text.isascii() or label.startswith(_PREFIX)):
        if not _ASCII_LABEL.fullmatch(label):
            raise InvalidAddressError("the domain has a character that no domain can have")
        return label
    _check(label)
    return label if label.isascii() else _short_enough(_PREFIX + _punycode(label))


def _short_enough(label: str) -> str:
    if len(label) > _MAX_LABEL:
        raise InvalidAddressError(f"a part of the domain has more than {_MAX_LABEL} characters")
    return label


def _map(label: str) -> str:
    """Map a label as UTS 46 does: each character by itself, then the whole to NFC."""
    visible = _IGNORED.sub("", label)
    folded = "".join(_KEPT.get(one) or _fold(one) for one in visible)
    return unicodedata.normalize("NFC", folded)


def _fold(character: str) -> str:
    once = unicodedata.normalize("NFKC", character).casefold()
    return unicodedata.normalize("NFKC", once).casefold()


def _check(label: str) -> None:
    """Refuse a label that IDNA 2008 does not allow (RFC 5891, section 5.4)."""
    if not all(map(_is_valid, label)):
        raise InvalidAddressError("the domain has a character that no domain can have")
    if unicodedata.category(label[0])[0] == "M" or _ODD_HYPHEN.fullmatch(label):
        raise InvalidAddressError("a part of the domain has a mark or a hyphen in a wrong place")
    if not _may_join(label):
        raise InvalidAddressError(
            "the domain has an invisible joiner where its script has none: type the address again"
        )
    if _OUT_OF_CONTEXT.search(label) or ("\u30fb" in label and not _is_japanese(label)):
        raise InvalidAddressError("the domain has a character where its script has none")
    if not _has_one_direction(label):
        raise InvalidAddressError("a part of the domain mixes scripts of two directions")


def _is_valid(character: str) -> bool:
    return (
        character in _VALID
        or character in _JOINERS
        or (
            unicodedata.category(character) in _VALID_CATEGORIES
            and not _NEVER_VALID.match(character)
        )
    )


def _is_japanese(label: str) -> bool:
    names = (unicodedata.name(one, "") for one in label if one != "\u30fb")
    return any(name.startswith(_JAPANESE) for name in names)


def _has_one_direction(label: str) -> bool:
    classes = "".join(_BIDI.get(unicodedata.bidirectional(one), "O") for one in label)
    return {"R", "A"}.isdisjoint(classes) or _ONE_DIRECTION.fullmatch(classes) is not None


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


def _punycode(label: str) -> str:
    """Encode a label (RFC 3492), as far as a label may be long.

    Python's own codec takes up to two milliseconds for a label, and a message can name a thousand.
    """
    output = "".join(one for one in label if one.isascii())
    done = len(output)
    first, output = True, output + "-" if output else ""
    point, delta, bias = 128, 0, 72
    for wanted in sorted({ord(one) for one in label if not one.isascii()}):
        delta += (wanted - point) * (done + 1)
        point = wanted
        for number in map(ord, label):
            delta += number < point
            if number == point:
                output += _digits(delta, bias)
                done += 1
                bias, delta, first = _adapt(delta // (700 if first else 2), done), 0, False
        delta, point = delta + 1, point + 1
        if len(output) > _MAX_LABEL:
            break
    return output


def _digits(delta: int, bias: int) -> str:
    digits, base = "", 36
    while delta >= (threshold := min(max(base - bias, 1), 26)):
        delta, digit = divmod(delta - threshold, 36 - threshold)
        digits += _DIGITS[threshold + digit]
        base += 36
    return digits + _DIGITS[delta]


def _adapt(delta: int, done: int) -> int:
    delta += delta // done
    bias = 0
    while delta > _MOST_AT_ONCE:
        delta //= 35
        bias += 36
    return bias + 36 * delta // (delta + 38)
