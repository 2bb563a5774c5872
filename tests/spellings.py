"""Spellings of a mailbox that is held back, and how each is taken: by the package, by the recipes.

The package and every recipe of `docs/data-model.md` run against this one table. `{}` stands for
the mailbox's name. No spelling is ever answered with yes.
"""

from enum import StrEnum

MAILBOX = "{}@example.net"


class Taken(StrEnum):
    """How a spelling is taken: for the mailbox, or as an error."""

    HELD = "held"
    ERROR = "error"


HELD, ERROR = Taken

SPELLINGS: dict[str, tuple[str, Taken, Taken]] = {
    # what it is: spelling, by the package, by a recipe
    "itself": (MAILBOX, HELD, HELD),
    "capitals": ("{}@EXAMPLE.NET", HELD, HELD),
    "display name": ("Jane <{}@example.net>", HELD, ERROR),
    "brackets": ("<{}@example.net>", HELD, ERROR),
    "needless quotes": ('"{}"@example.net', HELD, ERROR),
    "comment after": ("{}@example.net(<clear@example.net>)", ERROR, ERROR),
    "comment before": ("(x){}@example.net", ERROR, ERROR),
    "comment in the local part": ("{}(x)@example.net", ERROR, ERROR),
    "comment in the domain": ("{}@(x)example.net", ERROR, ERROR),
    "comment as a display name": ("{}@example.net(<clear@example.net>", ERROR, ERROR),
    "address as a display name": ("{}@example.net <clear@example.net>", ERROR, ERROR),
    "route": ("<@a.example:{}@example.net>", ERROR, ERROR),
    "route without brackets": ("@a.example:{}@example.net", ERROR, ERROR),
    "group": ("friends: {}@example.net;", ERROR, ERROR),
    "group of one word": ("friends:{}@example.net;", ERROR, ERROR),
    "comma": ("{}@example.net,clear@example.net", ERROR, ERROR),
    "comma and a space": ("clear@example.net, {}@example.net", ERROR, ERROR),
    "semicolon": ("{}@example.net;clear@example.net", ERROR, ERROR),
    "space": ("{}@example.net clear@example.net", ERROR, ERROR),
    "line break": ("{}@example.net\nclear@example.net", ERROR, ERROR),
    "line break before": ("x y\n{}@example.net", ERROR, ERROR),
    "carriage return": ("{}@example.net\rclear@example.net", ERROR, ERROR),
    "two at signs": ("{}@example.net@example.net", ERROR, ERROR),
    "byte-order mark before": ("\ufeff{}@example.net", HELD, ERROR),
    "byte-order mark after": ("{}@example.net\ufeff", HELD, ERROR),
    "byte-order mark within": ("{}\ufeff@example.net", ERROR, ERROR),
    "byte-order mark in the domain": ("{}@exam\ufeffple.net", ERROR, ERROR),
    "NUL before": ("\x00{}@example.net", ERROR, ERROR),
    "NUL after": ("{}@example.net\x00", ERROR, ERROR),
    "NUL within": ("{}\x00@example.net", ERROR, ERROR),
    "NUL in the domain": ("{}@exam\x00ple.net", ERROR, ERROR),
    "encoded word": ("=?utf-8?q?{}?=@example.net", ERROR, ERROR),
    "encoded word in capitals": ("=?UTF-8?B?{}?=@example.net", ERROR, ERROR),
    "escape": ("{}\\@example.net", ERROR, ERROR),
    "escape of an at sign": ("{}\\@@example.net", ERROR, ERROR),
    "escape of JSON": ("{}\\u0040example.net", ERROR, ERROR),
    "escape of JSON in the domain": ("{}@example\\u002enet", ERROR, ERROR),
    "escape of a URL": ("{}@example%2enet", ERROR, ERROR),
    "escape of a terminal": ("\x1b[31m{}@example.net", ERROR, ERROR),
    "end of a JSON text": ('{}@example.net"', ERROR, ERROR),
    "empty part": ("{}@example..net", ERROR, ERROR),
    "two dots at the end": ("{}@example.net..", ERROR, ERROR),
    "dot at the beginning": ("{}@.example.net", ERROR, ERROR),
    "part that is too long": ("{}@" + "x" * 64 + ".net", ERROR, ERROR),
    "slash": ("{}@example.net/x", ERROR, ERROR),
    "port": ("{}@example.net:25", ERROR, ERROR),
    "fraction": ("{}@example½.net", ERROR, ERROR),
}
