"""The receiving systems with the most mailboxes, so that a metric has few values and not a million.

A provider's bad hour shows as one line that leaves the others behind.
"""

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

PROVIDERS = (*_DOMAINS, OTHER)
"""All that `provider_of` can give."""


def provider_of(domain: str) -> str:
    """Give the provider of a normalised domain; `other` for those that are not named here.

    Whose servers stand behind a company's own domain only DNS could tell.

    >>> provider_of("gmail.com"), provider_of("example.com")
    ('Google', 'other')
    """
    return _PROVIDERS.get(domain, OTHER)
