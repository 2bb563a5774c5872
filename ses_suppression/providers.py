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
_MARKS: Mapping[str, str] = {
    "Google": r"\bgsmtp\b|\b(?:support|mx)\.google\.com\b|\bmail-\S{1,40}\.google\.com\b",
    "Microsoft": r"\b(?:outlook|exchangelabs|office365)\.com\b|\bresolver\.(?:adr|rst)\.",
    "Yahoo": r"\byahoo(?:dns|inc)?\.(?:com|net)\b|\b(?:mta|mx)\S{0,30}\.(?:yahoo|aol)\.com\b",
    "Apple": r"\bsupport\.apple\.com\b|\b(?:icloud|me)\.com\b|\[(?:cs|hm)\d\d\]",
    "GMX and WEB.DE": r"\bpostmaster\.(?:gmx|web)\.\w{2,3}\b|\bmx(?:gmx|web)\w{0,20}\b",
    "Orange": r"\bofr_?\d{3}|\bsmtp\.orange\.fr\b",
    "QQ and NetEase": r"\bmail\.(?:qq|163|126)\.com\b|\bmx\d?\.qq\.com\b",
}
_MARK = re.compile(
    "|".join(f"(?P<p{number}>{mark})" for number, mark in enumerate(_MARKS.values())),
    re.IGNORECASE,
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
        reporting_mta: the system that reported the bounce. SES's own name is nobody's mark.

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
