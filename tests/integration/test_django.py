"""The e-mail backend in the real Django, before its own backend for tests."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection, send_mail

from ses_suppression.client import AddressesUnknownError, SuppressionList
from ses_suppression.contrib import django as contrib
from ses_suppression.errors import InvalidAddressError
from tests.integration.conftest import TABLE_NAME
from tests.integration.django_project import BACKEND, configured_django
from tests.unit.test_client import NOW, VERDICTS, AnsweringStore

HELD, CLEAR, SILENT = "held@example.com", "clear@example.com", "silent@example.com"

configured_django()


@pytest.fixture
def outbox() -> list[Any]:
    mail.outbox = []
    outbox: list[Any] = mail.outbox
    return outbox


def connection(**options: Any) -> Any:
    store = AnsweringStore(VERDICTS, silent=[SILENT])
    suppressions = SuppressionList(store, clock=lambda: NOW)
    return get_connection(BACKEND, suppressions=suppressions, **options)


def message(*to: str, **more: Any) -> Any:
    return EmailMessage("subject", "body", "shop@example.com", list(to), **more)


def test_who_is_held_back_is_taken_out_and_the_message_tells(outbox: list[Any]) -> None:
    mixed = message(HELD, CLEAR, cc=["Held <Held@Example.com>"], bcc=["other@example.net"])
    assert connection().send_messages([mixed]) == 1
    (sent,) = outbox
    assert (sent.to, sent.cc, sent.bcc) == ([CLEAR], [], ["other@example.net"])
    assert mixed.to == [HELD, CLEAR], "the app's own message is not changed"
    assert list(mixed.suppressed_recipients) == [HELD, "Held <Held@Example.com>"]


def test_a_message_with_nobody_left_is_not_sent_and_not_counted(outbox: list[Any]) -> None:
    alone = message(HELD)
    assert connection().send_messages([alone, message(CLEAR)]) == 1
    assert [sent.to for sent in outbox] == [[CLEAR]]
    assert alone.suppressed_recipients[HELD].reason == "BOUNCE"
    assert connection().send_messages([alone]) == 0
    assert connection().send_messages([]) == 0


def test_a_message_can_name_its_stream(outbox: list[Any]) -> None:
    news = message("news@example.com")
    assert connection().send_messages([news]) == 1
    news.suppression_stream = "news"
    assert connection().send_messages([news]) == 0
    assert len(outbox) == 1


def test_a_message_names_its_tenant_in_the_header_of_ses(outbox: list[Any]) -> None:
    held = "tenant@example.com"
    acme, other = (
        message(held, CLEAR, headers={"x-ses-Tenant": name}) for name in ("acme", "initech")
    )
    assert connection().send_messages([acme, other, message(held)]) == 3
    assert [sent.to for sent in outbox] == [[CLEAR], [held, CLEAR], [held]]


def test_without_an_answer_nothing_is_sent(outbox: list[Any]) -> None:
    with pytest.raises(AddressesUnknownError):
        connection().send_messages([message(SILENT)])
    quiet = connection(fail_silently=True)
    assert quiet.send_messages([message(SILENT), message(CLEAR)]) == 1
    assert [sent.to for sent in outbox] == [[CLEAR]]


def test_a_recipient_that_is_no_address_is_named_by_its_place(outbox: list[Any]) -> None:
    with pytest.raises(InvalidAddressError, match=r"cc\[0\]: an address needs an @"):
        connection().send_messages([message(CLEAR, cc=["nobody"])])
    assert outbox == []


def test_a_connection_can_be_opened_shared_and_closed(outbox: list[Any]) -> None:
    with connection() as shared:
        shared.open()
        assert send_mail("s", "b", "shop@example.com", [CLEAR, HELD], connection=shared) == 1
    assert [sent.to for sent in outbox] == [[CLEAR]]


@pytest.fixture
def table(client: Any) -> Iterator[SuppressionList]:
    contrib._configured.cache_clear()
    yield SuppressionList.of_table(TABLE_NAME, client=client)
    contrib._configured.cache_clear()


def test_the_list_is_taken_from_the_settings(
    outbox: list[Any], table: SuppressionList, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.suppress(HELD, by="test", note="held back")
    table.suppress("news@example.com", by="test", note="on a stream", stream="news")
    monkeypatch.setenv("SUPPRESSION_TABLE_NAME", TABLE_NAME)
    assert send_mail("s", "b", "shop@example.com", [CLEAR, HELD]) == 1
    contrib._configured.cache_clear()
    monkeypatch.delenv("SUPPRESSION_TABLE_NAME")
    monkeypatch.setitem(settings.SES_SUPPRESSION, "TABLE_NAME", TABLE_NAME)
    monkeypatch.setitem(settings.SES_SUPPRESSION, "STREAM", "news")
    assert send_mail("s", "b", "shop@example.com", [CLEAR, HELD, "news@example.com"]) == 1
    assert [sent.to for sent in outbox] == [[CLEAR], [CLEAR]]


def test_the_settings_say_what_becomes_of_the_unknown(
    outbox: list[Any], table: SuppressionList, monkeypatch: pytest.MonkeyPatch
) -> None:
    del table
    monkeypatch.setitem(settings.SES_SUPPRESSION, "TABLE_NAME", "there-is-none")
    with pytest.raises(AddressesUnknownError):
        send_mail("s", "b", "shop@example.com", [CLEAR])
    assert outbox == []
    contrib._configured.cache_clear()
    monkeypatch.setitem(settings.SES_SUPPRESSION, "UNKNOWN", "allow")
    assert send_mail("s", "b", "shop@example.com", [CLEAR]) == 1


def test_the_backend_that_sends_gets_the_options_and_is_closed() -> None:
    backend = get_connection(BACKEND, fail_silently=True, suppressions=object())
    assert backend._backend.fail_silently
    closed: list[str] = []
    backend._backend.close = lambda: closed.append("closed")
    backend.close()
    assert closed == ["closed"]


def test_a_setting_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.SES_SUPPRESSION, "TABEL_NAME", "suppressions")
    with pytest.raises(ImproperlyConfigured, match="TABEL_NAME: there are BACKEND, TABLE_NAME"):
        connection()


class MoreRecipients(EmailMessage):  # type: ignore[misc]  # Django has no types
    """A message of an app that overrides `recipients()`, as Django's documentation allows."""

    def recipients(self) -> list[str]:
        return [*super().recipients(), *self.more]


@pytest.mark.parametrize("more", [HELD, "nobody"])
def test_recipients_that_stand_in_no_field_are_not_mailed(outbox: list[Any], more: str) -> None:
    hidden = MoreRecipients("subject", "body", "shop@example.com", [CLEAR])
    hidden.more = [more]
    with pytest.raises(InvalidAddressError, match=r"recipients\(\): "):
        connection().send_messages([hidden])
    assert outbox == []


def test_many_messages_are_screened_with_one_request_a_stream(outbox: list[Any]) -> None:
    store = AnsweringStore(VERDICTS)
    backend = get_connection(BACKEND, suppressions=SuppressionList(store, clock=lambda: NOW))
    messages = [message(f"a{number}@example.com") for number in range(50)]
    for one in messages[:20]:
        one.suppression_stream = "news"
    assert backend.send_messages(messages) == len(outbox) == 50
    assert sorted(map(len, store.asked)) == [20, 30]


def test_what_the_backend_leaves_on_a_message_is_seen_on_the_apps_own() -> None:
    class Marking:
        def send_messages(self, messages: list[Any]) -> int:
            for one in messages:
                one.anymail_status = "queued"
            return len(messages)

    backend = connection()
    backend._backend = Marking()
    sent = message(CLEAR)
    assert backend.send_messages([sent]) == 1
    assert sent.anymail_status == "queued"
    assert sent.to == [CLEAR]
