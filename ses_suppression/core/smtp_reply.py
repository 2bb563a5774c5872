"""The replies of receiving systems, taken apart: the code of each, and its words.

A diagnostic is text from a stranger. It may quote the reply of another system and repeat its code
on every line. Names of hosts and pages mean nothing: `spam-filter.example.com` is not about spam.
The remaining words are compared with the table of `refusals.py`.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ses_suppression.core.untrusted_text import MAX_DIAGNOSTIC

_CODE = r"[245]\.[0-7]\.\d{1,3}(?!\d|\.\d)"
_STATUS = re.compile(rf"\s*({_CODE})")
# Codes are read only where they are usual: first, after a reply code, or after #, ' or (. Version
# numbers and network addresses look alike.
_CODES = re.compile(rf"(?:^\s*|[#'(]|\b[245]\d\d[ -]#?)({_CODE})")
_CLASS_4 = re.compile(r"\s*(?:4\d\d[ -]|(?:[245]\d\d[ -]#?)?4\.[0-7]\.\d)")
_PREFIX = re.compile(r"\A\s*(?:smtp|x-[a-z-]{1,30});\s*", re.IGNORECASE)
# A quotation begins with a quote or an arrow, and a reply or a code after it. Cisco writes
# 550-'5.7.1 …', Exchange -> 550 …, others said: 550 …
_QUOTATION = re.compile(
    rf"""(?<!['"])['"]++\s?(?=(?:[245]\d\d[\s-]|{_CODE}))
        | \b[245]\d\d-?\s?['"]
        | (?:->|\bsaid:|\breturned:?|\bresponse:|\bsmtp;)\s*['"]?(?=[245]\d\d[\s-])""",
    re.VERBOSE,
)
# What separates words: pages, codes, and names with dots in them.
_NO_WORDS = re.compile(
    rf"""(?P<url>\b(?:https?://|www\.)\S+)
        | (?P<code>(?:\b[245]\d\d[ -]+)?\#?\b{_CODE}|\b[245]\d\d(?=[ -]))
        | (?P<dotted>\b[\w-]++(?:\.[\w-]++)++)""",
    re.VERBOSE,
)
_SPACE = re.compile(r"[\s_]+")
_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ø": "o", "\u2019": "'", "`": "'"})


@dataclass(slots=True, kw_only=True)
class SMTPReply:
    """One reply.

    Attributes:
        codes: its enhanced status codes, in the order in which they count. `4.0.0` is among them
            only where the reply begins with a code of class 4: a later one is another reply's.
        words: its text in lower case, without accents, codes and pages; a host is `[host]`.
    """

    codes: tuple[str, ...]
    words: str


def replies_in(status: str, diagnostic: str) -> Iterator[SMTPReply]:
    """Read the replies in a diagnostic: a quoted one first, then the text before it.

    Args:
        status: the enhanced status code that was reported beside the text; empty: none.
        diagnostic: the text; at most 256 characters of it are read.

    >>> first, _ = replies_in("5.1.0", "5.1.0 - Unknown address error 550-'5.7.1 Bloqu\u00e9'")
    >>> first.codes, first.words
    (('5.7.1',), "bloque'")
    """
    text = _PREFIX.sub("", diagnostic[:MAX_DIAGNOSTIC])
    quoted_at = max(
        (match.end() for match in _QUOTATION.finditer(text) if match.start()), default=0
    )
    if quoted_at:
        yield _reply("", text[quoted_at:])
        text = text[:quoted_at]
    yield _reply(status, text)


def _reply(status: str, text: str) -> SMTPReply:
    codes = ["4.0.0"] if _CLASS_4.match(text) else []
    codes += [match[1] for match in _CODES.finditer(text) if not match[1].startswith("4")]
    if match := _STATUS.match(status):
        codes.insert(0, match[1])
    return SMTPReply(codes=tuple(codes), words=_words(text))


def _words(text: str) -> str:
    named = _NO_WORDS.sub(
        lambda found: _with_dots(found["dotted"]) if found["dotted"] else " ", text
    )
    if not named.isascii():
        decomposed = unicodedata.normalize("NFKD", named.translate(_LETTERS))
        letters = (letter for letter in decomposed if not unicodedata.combining(letter))
        named = "".join(islice(letters, MAX_DIAGNOSTIC))
    return _SPACE.sub(" ", named).strip().lower()


def _with_dots(name: str) -> str:
    """Mark the name of a host, which ends in letters of one case.

    Exchange's words (RESOLVER.ADR.RecipNotFound), and two sentences without a space between them,
    end otherwise.
    """
    last = name.rpartition(".")[2]
    is_host = len(last) > 1 and last.isalpha() and (last.islower() or last.isupper())
    return " [host] " if is_host else name
