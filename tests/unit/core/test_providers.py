"""Whose servers answered: by the mark in the reply, else by the domain."""

import pytest

from ses_suppression.core.providers import OTHER, PROVIDERS, provider_of
from ses_suppression.core.untrusted_text import kept_diagnostic

SES = "dns; a1-2.smtp-out.eu-west-1.amazonses.com"
OUTLOOK_MARK = "[AB0PR00CA0000.EURPRD00.prod.outlook.com 2026-01-02T03:04:05.678Z 0123456789ABCDEF]"


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("gmail.com", "Google"),
        ("hotmail.com", "Microsoft"),
        ("yahoo.co.jp", "Yahoo"),
        ("icloud.com", "Apple"),
        ("web.de", "GMX and WEB.DE"),
        ("wanadoo.fr", "Orange"),
        ("163.com", "QQ and NetEase"),
        ("example.com", OTHER),
        ("notgmail.com", OTHER),
    ],
)
def test_a_domain_of_a_provider_is_counted_with_it(domain: str, provider: str) -> None:
    assert provider_of(domain) == provider
    assert provider in PROVIDERS


@pytest.mark.parametrize(
    ("diagnostic", "provider"),
    [
        ("smtp; 550-5.1.1 no account of that name 550 5.1.1 x1-2.3 - gsmtp", "Google"),
        ("smtp; 550 5.1.1 see https://support.google.com/mail/?p=NoSuchUser", "Google"),
        (f"smtp; 550 5.4.1 Access denied. {OUTLOOK_MARK}", "Microsoft"),
        ("smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; no recipient", "Microsoft"),
        ("smtp; 553 5.7.1 [BL21] see https://postmaster.yahooinc.com/error-codes", "Yahoo"),
        ("smtp; 554 5.7.1 [CS01] refused, see https://support.apple.com/x", "Apple"),
        ("smtp; 554 5.7.1 [HM08] refused", "Apple"),
        ("smtp; 554 refused, see https://postmaster.gmx.net/en/error", "GMX and WEB.DE"),
        ("smtp; 554-mxweb001 refused", "GMX and WEB.DE"),
        ("smtp; 550 5.2.0 refused OFR_506 [506]", "Orange"),
        ("smtp; 550 refused, see http://service.mail.qq.com/cgi-bin/help", "QQ and NetEase"),
        ("smtp; 550 5.1.1 user unknown", OTHER),
        ("smtp; 550 5.7.1 no SPF: add include:spf.protection.outlook.com", OTHER),
        ("smtp; 550 refused by mx.outlook.com.example and contact-me.com", OTHER),
        (None, OTHER),
    ],
)
def test_a_company_s_own_domain_is_counted_with_the_provider_that_answers_for_it(
    diagnostic: str | None, provider: str
) -> None:
    assert provider_of("example.com", diagnostic=diagnostic, reporting_mta=SES) == provider


def test_the_mark_comes_before_the_domain() -> None:
    assert provider_of("gmail.com", diagnostic=f"550 refused {OUTLOOK_MARK}") == "Microsoft"


def test_of_two_marks_the_last_is_that_of_the_system_that_answered() -> None:
    passed_on = f"550 x - gsmtp, then 550 refused {OUTLOOK_MARK}"
    assert provider_of("example.com", diagnostic=passed_on) == "Microsoft"


@pytest.mark.parametrize(
    ("reporting_mta", "provider"),
    [
        ("dns; mail-ed1-f45.google.com", "Google"),
        ("dns; aspmx.l.google.com", "Google"),
        ("dns; mx-ha.gmx.net", "GMX and WEB.DE"),
        ("dns; AB0PR00MB0000.eurprd00.prod.outlook.com", "Microsoft"),
        ("dsn; mta7.mail.ne1.yahoo.com", "Yahoo"),
        (SES, OTHER),
        (None, OTHER),
    ],
)
def test_the_system_that_reported_a_bounce_may_have_the_mark(
    reporting_mta: str | None, provider: str
) -> None:
    assert provider_of("example.com", reporting_mta=reporting_mta) == provider


def test_the_mark_in_the_reply_comes_before_the_system_that_reported_it() -> None:
    found = provider_of(
        "example.com", diagnostic="550 x - gsmtp", reporting_mta="dns; mx.prod.outlook.com"
    )
    assert found == "Google"


@pytest.mark.parametrize("mark", ["x1-20020a170906.123 - gsmtp", OUTLOOK_MARK])
def test_the_mark_at_the_end_of_a_long_reply_is_kept(mark: str) -> None:
    long = f"smtp; 550 5.1.1 {'The account does not exist. ' * 500}{mark}"
    kept = kept_diagnostic(long)
    assert kept is not None
    assert kept.endswith(mark)
    assert kept.startswith("smtp; 550 5.1.1 The account does not exist.")
    assert len(kept) == 256
