"""The receiving systems with the most mailboxes, so that a metric has few values and not a million.

A provider's bad hour shows as one line that leaves the others behind. The provider of a company's
own domain is known by the mark that its servers leave in a reply.
"""

import re
from collections.abc import Mapping

OTHER = "other"

_DOMAINS = {
    "Google": ("gmail.com", "googlemail.com"),
    "Microsoft": ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk"),
    "Yahoo": ("yahoo.com", "ymail.com", "aol.com", "yahoo.co.uk", "yahoo.co.jp"),
    "Apple": ("icloud.com", "me.com", "mac.com"),
    "GMX and WEB.DE": ("gmx.de", "gmx.net", "gmx.com", "web.de"),
    "Orange": ("orange.fr", "wanadoo.fr"),
    "QQ and NetEase": ("qq.com", "163.com", "126.com"),
}
_PROVIDERS: Mapping[str, str] = {
    domain: provider for provider, domains in _DOMAINS.items() for domain in domains
}
# A server's own name, its page of errors, or a code that only it writes.
_HOST = (
    r"(?<![\w.@-])(?!spf\.)(?:[\w-]{1,63}\.){1,6}"  # of a server or a page, not of an SPF record
)
_END = r"(?![\w-]|\.\w)"
_MARKS: Mapping[str, str] = {
    "Google": rf"\bgsmtp\b|{_HOST}google\.com{_END}",
    "Microsoft": rf"{_HOST}(?:outlook|exchangelabs|office365)\.com{_END}|\bresolver\.(?:adr|rst)\.",
    "Yahoo": rf"{_HOST}yahoo(?:dns|inc)?\.(?:com|net){_END}|{_HOST}aol\.com{_END}",
    "Apple": rf"\bsupport\.apple\.com{_END}|{_HOST}icloud\.com{_END}|\[(?:cs|hm)\d\d\]",
    "GMX and WEB.DE": rf"{_HOST}(?:gmx|web)\.(?:net|de|com){_END}|\bmx(?:gmx|web)\w{{0,20}}\b",
    "Orange": rf"\bofr_?\d{{3}}|{_HOST}orange\.fr{_END}",
    "QQ and NetEase": rf"{_HOST}(?:qq|163|126)\.com{_END}",
}
_MARK = re.compile(
    "|".join(f"(?P<p{number}>{mark})" for number, mark in enumerate(_MARKS.values())), re.IGNORECASE
)
_MARKED = tuple(_MARKS)

PROVIDERS = (*_DOMAINS, OTHER)
"""All that `provider_of` can return."""


def provider_of(
    domain: str, *, diagnostic: str | None = None, reporting_mta: str | None = None
) -> str:
    """Return the provider whose servers answered for a domain.

    Args:
        domain: the normalised domain of the address.
        diagnostic: the reply, which may carry the provider's mark.
        reporting_mta: the system that reported the bounce. SES's own name is no mark.

    Returns:
        One of `PROVIDERS`; `other` for those that are not named here.

    >>> provider_of("gmail.com"), provider_of("example.com")
    ('Google', 'other')
    >>> provider_of("example.com", diagnostic="550 5.1.1 NoSuchUser 1-2 - gsmtp")
    'Google'
    """
    for text in (diagnostic, reporting_mta):
        marks = [found.lastgroup for found in _MARK.finditer(text or "") if found.lastgroup]
        if marks:
            # The last: a reply that is passed on ends with the system that gave it.
            return _MARKED[int(marks[-1].removeprefix("p"))]
    return _PROVIDERS.get(domain, OTHER)
