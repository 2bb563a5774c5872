"""Text that others write, such as a receiving server's diagnostic, made safe to store and show."""

import re

MAX_DIAGNOSTIC = 256
"""Characters of a diagnostic that are kept: its head, and its tail with the provider's mark."""

_TAIL = 90  # the mark of Exchange Online, a server with time and id, has 86
_CUT = " [...] "
# C0, C1, DEL, lone surrogates, and what reorders or hides text on a screen.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+")
# A word that is none is taken as a whole: to begin again at each of its letters takes too long.
_ADDRESS_OR_WORD = re.compile(
    r"""((?:"[^"]*"|[^\s<>"(),;:\[\]]+)@(?:\[[^\]]*\]|[^\s<>"'(),;:\[\]]+))
        |[^\s<>"(),;:\[\]]+""",
    re.VERBOSE,
)


def clean(text: str, limit: int) -> str:
    r"""Take out characters that cannot be printed or stored, and cut to `limit` characters.

    >>> clean("550\x1b[2J no such\r\nuser", 64)
    '550 [2J no such user'
    """
    cut = text[:limit]
    if not (cut.isascii() and cut.isprintable()):  # which takes far longer
        cut = _UNPRINTABLE.sub(" ", cut)
    return cut.strip()


def kept_diagnostic(text: str | None) -> str | None:
    """Return a diagnostic as it is kept: printable, without addresses, at most 256 characters.

    >>> kept_diagnostic("550 <jane@example.com>: user unknown")
    '550 <[address]>: user unknown'
    """
    if text is None:
        return None
    # Cut before searching: the text comes from strangers and may be long.
    cut = _head_and_tail(text.strip(), 8 * MAX_DIAGNOSTIC, tail=4 * MAX_DIAGNOSTIC)
    visible = cut if cut.isascii() else _INVISIBLE.sub("", cut)
    printable = clean(visible, len(visible))
    without = _ADDRESS_OR_WORD.sub(lambda found: "[address]" if found[1] else found[0], printable)
    return _head_and_tail(without, MAX_DIAGNOSTIC, tail=_TAIL).strip() or None


def _head_and_tail(text: str, limit: int, *, tail: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit - tail - len(_CUT)]}{_CUT}{text[-tail:]}"
