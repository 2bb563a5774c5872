"""The e-mail backend in the real Django, before its own backend for tests."""

import copy
import logging
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection, send_mail
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SMTPBackend
from django.utils.functional import SimpleLazyObject, lazy, lazystr
from django.utils.safestring import mark_safe
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.client.screening import AddressesUnknownError
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.errors import InvalidAddressError, InvalidStreamError
from ses_suppression.integrations import django as contrib
from tests.answering_store import NOW, VERDICTS, AnsweringStore
from tests.integration.django_project import BACKEND, configured_django
from tests.integration.tables import TABLE_NAME

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


def test_a_tenant_that_can_be_none_costs_the_other_messages_nothing(outbox: list[Any]) -> None:
    impossible = message(CLEAR, headers={"X-SES-TENANT": "x" * 300})
    with pytest.raises(InvalidStreamError):
        connection().send_messages([impossible, message(CLEAR)])
    assert outbox == []
    assert connection(fail_silently=True).send_messages([impossible, message(CLEAR)]) == 1


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


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("=?utf-8?q?held?=@example.com", "an encoded word"),
        ("jane@straße.example", "IDNA 2003"),
        ("Jane <jane@straße.example.>", "IDNA 2003"),
    ],
)
def test_a_text_that_django_mails_as_another_address_is_refused(
    outbox: list[Any], text: str, why: str
) -> None:
    with pytest.raises(InvalidAddressError, match=why):
        connection().send_messages([message(text)])
    assert connection(fail_silently=True).send_messages([message(text), message(CLEAR)]) == 1
    assert connection().send_messages([message("jane@bücher.example")]) == 1
    assert [sent.to for sent in outbox] == [[CLEAR], ["jane@bücher.example"]]


def test_a_connection_can_be_opened_shared_and_closed(outbox: list[Any]) -> None:
    with connection() as shared:
        shared.open()
        assert send_mail("s", "b", "shop@example.com", [CLEAR, HELD], connection=shared) == 1
    assert [sent.to for sent in outbox] == [[CLEAR]]


@pytest.fixture
def table(client: Any) -> Iterator[SuppressionList]:
    contrib._configure.cache_clear()
    yield SuppressionList.of_table(TABLE_NAME, client=client)
    contrib._configure.cache_clear()


def test_the_list_is_taken_from_the_settings(
    outbox: list[Any], table: SuppressionList, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.suppress(HELD, by="test", note="held back")
    table.suppress("news@example.com", by="test", note="on a stream", stream="news")
    monkeypatch.setenv("SUPPRESSION_TABLE_NAME", TABLE_NAME)
    assert send_mail("s", "b", "shop@example.com", [CLEAR, HELD]) == 1
    contrib._configure.cache_clear()
    monkeypatch.delenv("SUPPRESSION_TABLE_NAME")
    monkeypatch.setitem(settings.SES_SUPPRESSION, "TABLE_NAME", TABLE_NAME)
    monkeypatch.setitem(settings.SES_SUPPRESSION, "STREAM", "news")
    assert send_mail("s", "b", "shop@example.com", [CLEAR, HELD, "news@example.com"]) == 1
    assert [sent.to for sent in outbox] == [[CLEAR], [CLEAR]]


def test_the_settings_say_what_becomes_of_the_unknown(
    outbox: list[Any], table: SuppressionList, monkeypatch: pytest.MonkeyPatch
) -> None:
    del table
    monkeypatch.setitem(settings.SES_SUPPRESSION, "TABLE_NAME", TABLE_NAME)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    with pytest.raises(AddressesUnknownError):
        send_mail("s", "b", "shop@example.com", [CLEAR])
    assert outbox == []
    contrib._configure.cache_clear()
    monkeypatch.setitem(settings.SES_SUPPRESSION, "UNKNOWN", "allow")
    assert send_mail("s", "b", "shop@example.com", [CLEAR]) == 1


def test_without_a_table_nothing_is_sent_whatever_the_settings_say(
    outbox: list[Any], table: SuppressionList, monkeypatch: pytest.MonkeyPatch
) -> None:
    del table
    monkeypatch.setitem(settings.SES_SUPPRESSION, "TABLE_NAME", "there-is-none")
    monkeypatch.setitem(settings.SES_SUPPRESSION, "UNKNOWN", "allow")
    with pytest.raises(AddressesUnknownError, match="on table there-is-none in eu-west-1"):
        send_mail("s", "b", "shop@example.com", [CLEAR])
    assert outbox == []


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
    with pytest.raises(InvalidAddressError, match=r"^recipients\(\)"):
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


class FewerRecipients(EmailMessage):  # type: ignore[misc]  # Django has no types
    """A message whose `recipients()` leaves out a field that other backends send to."""

    def recipients(self) -> list[str]:
        return list(self.to)


def test_recipients_that_only_a_field_names_are_screened_too(outbox: list[Any]) -> None:
    shown = FewerRecipients("s", "b", "shop@example.com", [CLEAR], cc=[HELD], bcc=[HELD])
    assert connection().send_messages([shown]) == 1
    (sent,) = outbox
    assert (sent.to, sent.cc, sent.bcc) == ([CLEAR], [], [])


@pytest.mark.parametrize("silently", [False, True])
@pytest.mark.parametrize(
    "given_as",
    [
        list,
        tuple,
        iter,
        deque,
        set,
        lambda messages: (one for one in messages),
        lambda messages: map(copy.copy, messages),
        lambda messages: filter(None, messages),
        lambda messages: dict(enumerate(messages)).values(),
        lambda messages: SimpleLazyObject(lambda: messages),
    ],
)
def test_messages_may_come_as_any_iterable(
    outbox: list[Any], given_as: Callable[[list[Any]], Iterable[Any]], *, silently: bool
) -> None:
    backend = connection(fail_silently=silently)
    messages = [message(CLEAR), message(HELD), message(HELD, "other@example.net")]
    assert backend.send_messages(given_as(messages)) == 2
    assert sorted(sent.to for sent in outbox) == [[CLEAR], ["other@example.net"]]
    assert backend.send_messages(given_as([])) == 0


def test_no_messages_at_all_are_none_sent() -> None:
    assert connection().send_messages(None) == 0


class Shown:
    """An object of the app that Django shows as its address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def __str__(self) -> str:
        return self.address


def as_member(address: str) -> Any:
    make: Any = Enum
    return make("Member", {"ONE": address}, type=str).ONE


TEXTS: list[Callable[[str], Any]] = [
    str,
    gettext_lazy,
    lazystr,
    lambda address: format_lazy("{}", address),
    lambda address: SimpleLazyObject(lambda: address),
    lambda address: SimpleLazyObject(lambda: gettext_lazy(address)),
    mark_safe,
    as_member,
    Shown,
]


@pytest.mark.parametrize("silently", [False, True])
@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
@pytest.mark.parametrize("as_text", TEXTS)
def test_lazy_recipients_are_screened_and_mailed_like_plain_ones(
    outbox: list[Any], as_text: Callable[[str], Any], field: str, *, silently: bool
) -> None:
    mixed = message()
    setattr(mixed, field, [as_text(HELD), as_text(CLEAR), as_text("")])
    assert connection(fail_silently=silently).send_messages([mixed]) == 1
    (sent,) = outbox
    assert sent.recipients() == [CLEAR]
    assert sent.message().get(field, CLEAR) == CLEAR
    assert list(mixed.suppressed_recipients) == [HELD]


@given(st.lists(st.sampled_from([HELD, CLEAR, ""]), min_size=1))
def test_a_lazy_text_that_changes_never_mails_a_held_address(texts: list[str]) -> None:
    mail.outbox = []
    answers = cycle(texts)
    connection().send_messages([message(lazy(lambda: next(answers), str)())])
    assert all(sent.recipients() == [CLEAR] for sent in mail.outbox)


@pytest.mark.parametrize("as_text", [one for one in TEXTS if one is not as_member])
def test_a_lazy_sender_stream_and_tenant_are_taken_as_text(as_text: Callable[[str], Any]) -> None:
    class Server:
        sent: list[tuple[str, list[str]]] = []  # noqa: RUF012  # one test has one

        def sendmail(self, sender: str, recipients: list[str], data: bytes) -> None:
            assert b"From: shop@example.com" in data
            self.sent.append((sender, recipients))

    backend = connection()
    backend._backend = SMTPBackend()
    backend._backend.connection = Server()
    plain = message(CLEAR, "news@example.com")
    plain.from_email = SimpleLazyObject(lambda: "shop@example.com")
    plain.suppression_stream = as_text("news")
    tenant = message(CLEAR, "tenant@example.com", headers={"X-SES-TENANT": as_text("acme")})
    assert backend.send_messages([plain, tenant]) == 2
    assert Server.sent == [("shop@example.com", [CLEAR])] * 2


@pytest.mark.parametrize(
    "one", [b"clear@example.com", [CLEAR], {CLEAR: 1}, {CLEAR}, 7, (CLEAR, "")]
)
def test_a_recipient_that_is_no_text_is_refused(outbox: list[Any], one: Any) -> None:
    with pytest.raises(InvalidAddressError, match=r"^to\[1\]: ") as raised:
        connection().send_messages([message(CLEAR, one)])
    assert "clear" not in str(raised.value)
    assert connection(fail_silently=True).send_messages([message(CLEAR, one)]) == 0
    assert outbox == []


class Marking:
    """A backend that leaves a number on each message, in a way of its own, and may then fail."""

    def __init__(self, mark: Callable[[Any, int], None], *, fails: bool = False) -> None:
        self.mark = mark
        self.fails = fails
        self.number = 0
        self.seen: list[tuple[Any, ...]] = []

    def send_messages(self, messages: list[Any]) -> int:
        for one in messages:
            self.seen.append(marks(one))
            self.number += 1
            self.mark(one, self.number)
        if self.fails:
            raise OSError
        return len(messages)


class WithStatus(EmailMessage):  # type: ignore[misc]  # Django has no types
    """A message that has its status from the start, as Anymail's."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.anymail_status = None


def on_an_attribute(one: Any, number: int) -> None:
    one.anymail_status = number


def in_the_headers(one: Any, number: int) -> None:
    one.extra_headers["message_id"] = number  # as django-ses does


def in_both_ways(one: Any, number: int) -> None:
    on_an_attribute(one, number)
    in_the_headers(one, number)


def marks(one: Any) -> tuple[Any, ...]:
    return getattr(one, "anymail_status", None), one.extra_headers.get("message_id")


MARKING = [(EmailMessage, on_an_attribute), (WithStatus, on_an_attribute)]
MARKING.append((EmailMessage, in_the_headers))


@pytest.mark.parametrize(("kind", "mark"), MARKING)
@pytest.mark.parametrize("between", [lambda one: one, copy.copy, copy.deepcopy])
def test_what_the_backend_leaves_tells_of_the_last_send_only(
    kind: Any, mark: Callable[[Any, int], None], between: Callable[[Any], Any]
) -> None:
    backend = connection(fail_silently=True)
    backend._backend = marking = Marking(mark)
    headers = {"X-App": "1"}
    sent = kind("s", "b", "shop@example.com", [CLEAR], headers=headers)
    bare = marks(sent)
    for to, number in (
        ([CLEAR], 1),
        ([CLEAR], 2),
        ([CLEAR, HELD], 3),  # held back in part
        ([HELD], None),
        ([CLEAR], 4),
        ([SILENT], None),
        ([CLEAR], 5),
        (["nobody"], None),
        ([HELD], None),
        ([], None),
    ):
        sent = between(sent)
        sent.to = to
        assert backend.send_messages([sent]) == (number is not None)
        assert sorted(filter(None, marks(sent))) == ([number] if number else [])
        assert sent.to == to
        assert sent.extra_headers["X-App"] == "1"
    assert marks(sent) == bare
    assert list(sent.suppressed_recipients) == []
    assert marking.seen == [bare] * 5, "no backend sees what an earlier send left"
    assert headers == {"X-App": "1"}, "the app's own, which several messages may share"


@pytest.mark.parametrize(("kind", "mark"), MARKING)
def test_what_the_backend_leaves_is_told_when_it_fails_too(
    kind: Any, mark: Callable[[Any, int], None]
) -> None:
    backend = connection()
    backend._backend = Marking(mark, fails=True)
    sent = kind("s", "b", "shop@example.com", [CLEAR])
    with pytest.raises(OSError):  # noqa: PT011  # the backend's own has no text
        backend.send_messages([sent])
    assert 1 in marks(sent)
    with pytest.raises(AddressesUnknownError):
        backend.send_messages([sent, message(SILENT)])
    assert marks(sent) == (None, None)


@pytest.mark.parametrize(("kind", "mark"), MARKING)
def test_a_message_may_be_sent_twice_in_one_call(
    kind: Any, mark: Callable[[Any, int], None]
) -> None:
    backend = connection()
    backend._backend = Marking(mark)
    sent = kind("s", "b", "shop@example.com", [CLEAR])
    assert backend.send_messages([sent, sent]) == 2
    assert 2 in marks(sent)
    sent.to = [HELD]
    assert backend.send_messages([sent]) == 0
    assert marks(sent) == (None, None)


def test_what_the_app_sets_between_two_sends_is_kept() -> None:
    backend = connection()
    backend._backend = Marking(in_both_ways)
    sent = message(CLEAR, headers={"X-App": "1"})
    assert backend.send_messages([sent]) == 1
    sent = pickle.loads(pickle.dumps(sent))  # noqa: S301  # as a queue does
    sent.anymail_status, sent.extra_headers["X-SES-TENANT"] = "the app's", "acme"
    sent.to = ["tenant@example.com"]
    assert backend.send_messages([sent]) == 0
    assert sent.anymail_status == "the app's"
    assert sent.extra_headers == {"X-App": "1", "X-SES-TENANT": "acme"}


class Circle(BaseEmailBackend):  # type: ignore[misc]  # Django has no types
    """A backend that hands its mail back to the backend in the settings, in one of its methods."""

    handing_back = "__init__"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._hand_back("__init__")

    def _hand_back(self, method: str) -> Any:
        return connection(fail_silently=self.fail_silently) if method == self.handing_back else None

    def open(self) -> Any:
        back = self._hand_back("open")
        return back and back.open()

    def close(self) -> None:
        if back := self._hand_back("close"):
            back.close()

    def send_messages(self, messages: list[Any]) -> Any:
        back = self._hand_back("send_messages")
        return back and back.send_messages(messages)


class OnOpen(Circle):
    handing_back = "open"


class OnClose(Circle):
    handing_back = "close"


class OnSending(Circle):
    handing_back = "send_messages"


HERE = "tests.integration.test_django"


@pytest.mark.parametrize("silently", [False, True])
@pytest.mark.parametrize(
    "path", [BACKEND, *(f"{HERE}.{name}" for name in ("Circle", "OnOpen", "OnClose", "OnSending"))]
)
def test_a_backend_that_hands_back_to_this_one_is_refused(
    outbox: list[Any], monkeypatch: pytest.MonkeyPatch, path: str, *, silently: bool
) -> None:
    monkeypatch.setitem(settings.SES_SUPPRESSION, "BACKEND", path)
    expected = rf"\['BACKEND'\]: {path} hands its mail back to {BACKEND}: name the backend"
    for _ in range(2):  # the first leaves nothing behind
        with (
            pytest.raises(ImproperlyConfigured, match=expected),
            connection(fail_silently=silently) as opened,
        ):
            opened.send_messages([message(CLEAR)])
    assert outbox == []


class MailsTheAdmins(BaseEmailBackend):  # type: ignore[misc]  # Django has no types
    """A backend whose error is mailed through the backend in the settings, as Django's log does."""

    def send_messages(self, messages: list[Any]) -> int:
        if messages[0].subject == "failed":
            mail.outbox.extend(messages)
            return len(messages)
        return int(connection().send_messages([EmailMessage("failed", "", to=[CLEAR])])) and 0


def test_a_backend_may_mail_through_this_one_when_it_fails(
    outbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.SES_SUPPRESSION, "BACKEND", f"{HERE}.MailsTheAdmins")
    assert connection().send_messages([message(CLEAR)]) == 0
    assert [sent.subject for sent in outbox] == ["failed"]


@pytest.mark.parametrize("unset", [None, ""])
def test_a_backend_that_is_not_named_is_djangos_own(
    monkeypatch: pytest.MonkeyPatch, unset: str | None
) -> None:
    monkeypatch.setitem(settings.SES_SUPPRESSION, "BACKEND", unset)
    assert isinstance(connection()._backend, SMTPBackend)


@pytest.mark.parametrize("answer", [True, False, None])
def test_open_answers_as_the_backend_that_sends(answer: object) -> None:
    backend = connection()
    backend._backend.open = lambda: answer
    assert backend.open() is answer


@pytest.mark.parametrize(("answer", "count"), [(2, 2), (1, 1), (0, 0), (None, 0)])
def test_the_count_is_that_of_the_backend_that_sends(answer: int | None, count: int) -> None:
    backend = connection()
    backend._backend.send_messages = lambda messages: answer if len(messages) == 2 else None
    assert backend.send_messages([message(CLEAR), message(HELD), message(CLEAR, HELD)]) == count


def test_held_recipients_are_logged_without_their_addresses(
    outbox: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    connection().send_messages([message(CLEAR), message()])
    assert caplog.record_tuples == []
    connection().send_messages([message(HELD), message(HELD, CLEAR), message(CLEAR)])
    ((name, level, text),) = caplog.record_tuples
    assert (name, level) == ("ses_suppression", logging.WARNING)
    assert text.startswith("2 recipients are held back by the suppression list, 1 of 3 messages")
    assert "@" not in text
    assert len(outbox) == 3


PROJECT = """
import django, sys
from django.conf import settings
from django.core.management import execute_from_command_line
from ses_suppression.integrations.django import EmailBackend
from ses_suppression.testing import InMemorySuppressionList

class Backend(EmailBackend):
    def __init__(self, **options):
        suppressions = InMemorySuppressionList()
        suppressions.suppress("held@example.com", by="test", note="held back")
        super().__init__(suppressions=suppressions, **options)

if __name__ == "__main__":
    settings.configure(
        EMAIL_BACKEND="project.Backend",
        SES_SUPPRESSION={"BACKEND": "django.core.mail.backends.dummy.EmailBackend"},
        MANAGERS=[("Held", "held@example.com")],
    )
    execute_from_command_line(["manage.py", "sendtestemail", *sys.argv[1:]])
"""


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([CLEAR], ""),
        ([HELD], "1 recipients are held back by the suppression list, 1 of 1 messages"),
        ([HELD, CLEAR], "1 recipients are held back by the suppression list, 0 of 1 messages"),
        (["--managers"], "1 recipients are held back by the suppression list, 1 of 1 messages"),
    ],
)
def test_sendtestemail_shows_that_an_address_is_held_back(
    tmp_path: Path, arguments: list[str], shown: str
) -> None:
    program = tmp_path / "project.py"
    program.write_text(PROJECT)
    command = [sys.executable, str(program), *arguments]
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": root}, timeout=60
    )
    assert done.stderr[: len(shown) or None] == shown
