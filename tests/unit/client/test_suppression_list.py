"""What an app asks, against memory."""

import logging
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.waiting import wait_for
from ses_suppression.client.cache import CacheSettings
from ses_suppression.client.screening import AddressesUnknownError, Screening, Unknown
from ses_suppression.client.suppression_list import BLOCK, SuppressionList
from ses_suppression.core.address import normalise
from ses_suppression.core.policy import Reason
from ses_suppression.core.suppression import Suppression, Verdict
from ses_suppression.errors import (
    AllRecipientsSuppressedError,
    InvalidActionError,
    InvalidAddressError,
    InvalidNotificationError,
    StoreUnavailableError,
    UnreadableItemError,
)
from ses_suppression.lists.address_csv import read_addresses
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Found
from ses_suppression.testing import InMemoryStore
from tests.answering_store import (
    ENDED,
    HELD,
    NOW,
    OF_ACME,
    ON_NEWS,
    VERDICTS,
    AnsweringStore,
    asking,
)
from tests.builders import JANE, day

SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.title,
    lambda text: f" {text}\n",
    lambda text: f'"Some One" <{text}>',
    lambda text: f"{text}.",
]
KNOWN = [*VERDICTS, "clear@example.com", "silent@example.com", "other@example.net"]
spelled = st.builds(
    lambda spell, key: spell(key), st.sampled_from(SPELLINGS), st.sampled_from(KNOWN)
)
texts = st.lists(spelled | st.sampled_from(["", "nobody", "a@b@c", "x y@example.com"]), max_size=60)


@given(texts, st.sampled_from([None, "news", "receipts"]))
def test_screening_partitions_any_list_exactly_and_in_order(
    addresses: list[str], stream: str | None
) -> None:
    store = AnsweringStore(VERDICTS, silent=["silent@example.com"])
    screening = asking(store).screen(addresses, stream)

    def expected_part(text: str) -> str:
        try:
            key = normalise(text)
        except InvalidAddressError:
            return "invalid"
        if key == "silent@example.com":
            return "unknown"
        held = key == "held@example.com" or (
            stream == "news" and key in {"news@example.com", "both@example.com"}
        )
        return "suppressed" if held else "allowed"

    def in_part(part: str) -> list[str]:
        return [text for text in addresses if expected_part(text) == part]

    assert list(screening.allowed) == in_part("allowed")
    assert list(screening.suppressed) == list(dict.fromkeys(in_part("suppressed")))
    assert list(screening.unknown) == list(dict.fromkeys(in_part("unknown")))
    assert list(screening.invalid) == list(dict.fromkeys(in_part("invalid")))
    asked = [key for keys in store.asked for key in keys]
    assert len(asked) == len(set(asked)), "an address was asked about twice"


def test_an_empty_list_is_an_empty_screening_and_no_request() -> None:
    store = AnsweringStore({})
    assert asking(store).screen([]) == Screening()
    assert store.asked == []


def test_invalid_addresses_have_their_reasons_and_cost_no_request() -> None:
    store = AnsweringStore({})
    screening = asking(store).screen(["nobody", "a b@example.com"])
    assert [str(error) for error in screening.invalid.values()] == [
        "an address needs an @",
        "a space or a special character stands before the @ without quotes",
    ]
    assert store.asked == []


def test_cells_that_are_no_texts_are_invalid() -> None:
    cells: Any = ["clear@example.com", None, 7, ["x"], ({},), b"a@example.com"]
    screening = asking(AnsweringStore({})).screen(cells)
    assert screening.allowed == ("clear@example.com",)
    assert len(screening.invalid) == 5


def test_a_byte_order_mark_is_no_part_of_an_address() -> None:
    assert list(asking(AnsweringStore(VERDICTS)).screen(["\ufeffheld@example.com"]).suppressed)


def test_a_hundred_addresses_are_asked_at_once() -> None:
    store = AnsweringStore({})
    addresses = [f"a{number}@example.com" for number in range(250)]
    assert asking(store).screen(addresses).allowed == tuple(addresses)
    assert sorted(map(len, store.asked)) == [50, 100, 100]


def test_a_list_that_does_not_fit_in_memory_is_screened_in_blocks() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"a{taken}@example.com"

    screenings = asking(AnsweringStore({})).iter_screen(endless())
    assert len(next(screenings).allowed) == BLOCK
    assert taken == BLOCK
    assert list(asking(AnsweringStore({})).iter_screen([])) == []


def test_a_list_whose_addresses_have_invisible_characters_is_held_all_the_same() -> None:
    lines = ["\ufeff\u200fheld@example.com\n", "\u200b\u00a0Held@exam\u00adple.com\u200e \n"]
    listed = list(read_addresses(lines))
    (screening,) = asking(AnsweringStore(VERDICTS)).iter_screen([*listed, "he\u200fld@example.com"])
    assert list(screening.suppressed) == listed
    assert list(screening.invalid) == ["he\u200fld@example.com"]
    assert screening.allowed == ()


def test_the_mode_says_what_becomes_of_the_unknown(caplog: pytest.LogCaptureFixture) -> None:
    addresses = ["held@example.com", "silent@example.com", "clear@example.com"]

    def fresh() -> AnsweringStore:
        return AnsweringStore(VERDICTS, silent=["silent@example.com"])

    held = asking(fresh()).screen(addresses)
    assert (held.allowed, list(held.unknown)) == (("clear@example.com",), ["silent@example.com"])
    with pytest.raises(
        AddressesUnknownError, match="UnprocessedKeys: nothing is known about 1"
    ) as raised:
        asking(fresh(), Unknown.RAISE).screen(addresses)
    assert raised.value.screening.allowed == held.allowed
    assert list(raised.value.screening.unknown) == list(held.unknown)
    allowing = asking(fresh(), Unknown.ALLOW)
    with caplog.at_level(logging.WARNING, logger="ses_suppression"):
        allowed = allowing.screen(addresses)
    assert (allowed.allowed, dict(allowed.unknown)) == (
        ("silent@example.com", "clear@example.com"),
        {},
    )
    assert allowing.counts == {"allowed": 1, "suppressed": 1, "unknown": 1, "allowed_unknown": 1}
    assert "1 addresses are mailed unscreened: UnprocessedKeys" in caplog.text
    assert "@" not in caplog.text


@pytest.mark.parametrize("mode", [Unknown.HOLD, Unknown.RAISE])
def test_a_check_without_an_answer_raises(mode: Unknown) -> None:
    suppressions = asking(AnsweringStore({}, silent=[JANE]), mode)
    with pytest.raises(StoreUnavailableError, match="UnprocessedKeys"):
        suppressions.check(JANE)
    assert suppressions.counts == {"unknown": 1}


def test_a_check_without_an_answer_is_let_through_where_that_is_wanted() -> None:
    suppressions = asking(AnsweringStore({}, silent=[JANE]), Unknown.ALLOW)
    assert suppressions.check(JANE) is None
    assert suppressions.counts == {"unknown": 1, "allowed_unknown": 1}


def test_answers_are_counted() -> None:
    suppressions = asking(AnsweringStore(VERDICTS))
    suppressions.check("held@example.com")
    suppressions.check("clear@example.com")
    with pytest.raises(InvalidAddressError):
        suppressions.check("nobody")
    suppressions.screen(["held@example.com", "nobody", "clear@example.com", "clear@example.com"])
    assert suppressions.counts == {"suppressed": 2, "allowed": 3, "invalid": 2}


class HangingStore(AnsweringStore):
    """Never answers: as a name look-up, a credential service or a slow body may."""

    def __init__(self) -> None:
        super().__init__({})
        self.released = threading.Event()
        self.hanging = True
        self.waiting = 0

    def find_many(self, addresses: Sequence[str], *, deadline: Deadline) -> Found:
        if self.hanging:
            with self.lock:
                self.waiting += 1
            self.released.wait(30)
        return super().find_many(addresses, deadline=deadline)


def test_no_sender_is_held_longer_than_the_deadline_whatever_hangs() -> None:
    store = HangingStore()
    suppressions = SuppressionList(store, check_seconds=0.1, screen_seconds=0.2)
    begun = time.monotonic()
    for _ in range(20):  # more than there are threads: they all hang
        with pytest.raises(StoreUnavailableError, match="OutOfTime"):
            suppressions.check(JANE)
    assert time.monotonic() - begun < 20 * 0.1 + 5, "and not 20 times 30 seconds"
    begun = time.monotonic()
    assert list(suppressions.screen([JANE]).unknown) == [JANE]
    many = [f"a{number}@example.com" for number in range(101)]
    assert list(suppressions.screen(many).unknown) == many
    assert time.monotonic() - begun < 0.1 + 0.2 + 5
    store.released.set()
    wait_for("an answer", lambda: answers(suppressions, JANE), seconds=10)


def answers(suppressions: SuppressionList, address: str) -> bool:
    try:
        return suppressions.check(address) is None
    except StoreUnavailableError:
        return False


def test_recipients_of_a_mail_are_held_up_no_longer_than_one_address() -> None:
    suppressions = SuppressionList(HangingStore(), check_seconds=0.1, screen_seconds=20)
    begun = time.monotonic()
    recipients = [f"a{number}@example.com" for number in range(100)]
    assert list(suppressions.screen(recipients).unknown) == recipients
    assert time.monotonic() - begun < 0.1 + 5


def test_a_list_of_a_million_does_not_hold_up_a_check() -> None:
    store = HangingStore()
    suppressions = SuppressionList(store, check_seconds=5, screen_seconds=5)
    many = [f"a{number}@example.com" for number in range(10_000)]
    screening = threading.Thread(target=suppressions.screen, args=(many,), daemon=True)
    screening.start()
    wait_for("the list", lambda: store.waiting >= 16, seconds=5)
    store.hanging = False
    assert suppressions.check(JANE) is None
    store.released.set()
    screening.join(10)


@pytest.mark.parametrize("mode", Unknown)
def test_an_item_that_cannot_be_read_is_never_a_yes(mode: Unknown) -> None:
    suppressions = asking(AnsweringStore({}, silent=[JANE], error=UnreadableItemError("x")), mode)
    with pytest.raises(StoreUnavailableError, match="not written by this software"):
        suppressions.check(JANE)
    if mode is not Unknown.RAISE:
        assert list(suppressions.screen([JANE, "clear@example.com"]).unknown) == [JANE]


def test_whatever_goes_wrong_below_is_no_answer_and_its_text_is_not_told() -> None:
    suppressions = asking(
        AnsweringStore({}, silent=[JANE], error=AttributeError(JANE), raises=True)
    )
    with pytest.raises(StoreUnavailableError, match=r"^AttributeError: the answer of .* could"):
        suppressions.check(JANE)


def test_several_mailboxes_in_one_text_are_none() -> None:
    screening = asking(AnsweringStore({})).screen(["held@example.com, X <clear@example.com>"])
    assert [str(error)[:26] for error in screening.invalid.values()] == [
        "it names several mailboxes"
    ]


@pytest.mark.parametrize("text", ["jane@example.com", b"jane@example.com", ""])
def test_one_text_in_the_place_of_a_list_is_a_mistake_of_the_program(text: Any) -> None:
    suppressions = asking(AnsweringStore({}))
    for ask in (suppressions.screen, suppressions.iter_screen):
        with pytest.raises(TypeError, match=r"this is one text: pass \[address\]"):
            ask(text)


@pytest.mark.parametrize(
    "text", ["held@a.example(<clear@b.example>", "Doe, Jane <clear@b.example>"]
)
def test_every_call_refuses_a_text_that_may_name_another_mailbox(text: str) -> None:
    suppressions = SuppressionList(InMemoryStore())
    with pytest.raises(InvalidAddressError):
        suppressions.check(text)
    with pytest.raises(InvalidAddressError):
        suppressions.suppress(text, by="jane", note="asked by phone")
    with pytest.raises(InvalidAddressError):
        suppressions.reactivate(text, by="jane", note="agreed by phone")
    assert list(suppressions.screen([text]).invalid) == [text]


def test_a_mode_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"unknown: hold, raise, allow are known, not 'Allow'"):
        SuppressionList(InMemoryStore(), unknown="Allow")


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailableError("ThrottlingException", "later"),
        UnreadableItemError("what"),
        InvalidNotificationError("mail.messageId", "missing"),
        AddressesUnknownError(Screening(unknown={JANE: StoreUnavailableError("X", "y")})),
        AllRecipientsSuppressedError({JANE: HELD}),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_the_way_to_another_process(error: Exception) -> None:
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert (type(copied), str(copied)) == (type(error), str(error))
    assert vars(copied).keys() == vars(error).keys()
    assert JANE not in str(error)


def test_a_fresh_answer_is_not_asked_for_again() -> None:
    now = [0.0]
    store = AnsweringStore(VERDICTS)
    suppressions = SuppressionList(
        store,
        cache=CacheSettings(suppressed_seconds=300, clear_seconds=30, size=2),
        clock=lambda: NOW,
        monotonic=lambda: now[0],
    )

    def asked(*addresses: str) -> int:
        before = len(store.asked)
        suppressions.screen(addresses)
        return len(store.asked) - before

    assert suppressions.check("held@example.com") == suppressions.check("HELD@example.com") == HELD
    assert (
        suppressions.check("clear@example.com") is suppressions.check("clear@example.com") is None
    )
    assert store.asked == [("held@example.com",), ("clear@example.com",)]
    now[0] = 29.9
    assert asked("held@example.com", "clear@example.com") == 0
    now[0] = 30
    assert asked("clear@example.com") == 1
    now[0] = 299.9
    assert asked("held@example.com") == 0
    now[0] = 300
    assert asked("held@example.com") == 1
    assert asked("other@example.com") == 1, "the third pushes out the one that was asked for first"
    assert asked("held@example.com") == 0
    assert asked("clear@example.com") == 1


def test_a_suppression_on_another_stream_is_as_stale_as_a_clear_answer_may_be() -> None:
    now = [0.0]
    verdicts: dict[str, Verdict] = {JANE: {"news": ON_NEWS}}
    suppressions = SuppressionList(
        AnsweringStore(verdicts), cache=CacheSettings(), clock=lambda: NOW, monotonic=lambda: now[0]
    )
    assert suppressions.check(JANE) is None
    verdicts[JANE] = {"*": HELD, "news": ON_NEWS}
    now[0] = 29.9
    assert suppressions.check(JANE) is None
    assert suppressions.check(JANE, "news") == ON_NEWS
    now[0] = 30
    assert suppressions.check(JANE) == HELD


class SlowStore(AnsweringStore):
    """Answers when it is told to; meanwhile something may happen."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__({})
        self.meanwhile = meanwhile

    def find_many(self, addresses: Sequence[str], *, deadline: Deadline) -> Found:
        found = super().find_many(addresses, deadline=deadline)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return found


def test_an_answer_is_as_old_as_its_question() -> None:
    now = [0.0]

    def slowly() -> None:
        now[0] = 29.0

    store = SlowStore(slowly)
    suppressions = SuppressionList(
        store, cache=CacheSettings(), clock=lambda: NOW, monotonic=lambda: now[0]
    )
    assert suppressions.check(JANE) is None
    now[0] = 30.0
    assert suppressions.check(JANE) is None
    assert len(store.asked) == 2


def test_an_answer_from_before_the_apps_own_change_is_not_kept() -> None:
    now = [0.0]
    store = SlowStore(lambda: suppressions.suppress(JANE, by="test", note="unsubscribed"))
    suppressions = SuppressionList(
        store, cache=CacheSettings(), clock=lambda: NOW, monotonic=lambda: now[0]
    )
    assert suppressions.check(JANE) is None
    store.verdicts[JANE] = {"*": HELD}
    assert suppressions.check(JANE) == HELD
    now[0] = 4.9  # what is read right after a change may be stale
    assert suppressions.check(JANE) == HELD
    assert len(store.asked) == 3
    now[0] = 5
    suppressions.check(JANE)
    suppressions.check(JANE)
    assert len(store.asked) == 4


def test_a_cached_suppression_ends_when_it_ends() -> None:
    now = [day(1)]
    suppressions = SuppressionList(
        AnsweringStore(VERDICTS), cache=CacheSettings(), clock=lambda: now[0]
    )
    assert suppressions.check("ended@example.com") == ENDED
    now[0] = day(7)
    assert suppressions.check("ended@example.com") is None


def test_a_tenants_hold_is_asked_about_by_the_tenants_name_alone() -> None:
    suppressions = asking(AnsweringStore(VERDICTS))
    held = "tenant@example.com"
    assert suppressions.check(held, tenant="acme") == OF_ACME
    assert suppressions.check(held, "news", tenant="acme") == OF_ACME
    for asked in ((None, None), ("acme", None), (None, "initech"), ("acme", "")):
        assert suppressions.check(held, asked[0], tenant=asked[1]) is None
    assert list(suppressions.screen([held], tenant="acme").suppressed) == [held]
    (screening,) = suppressions.iter_screen([held], tenant="acme")
    assert screening.suppressed == {held: OF_ACME}


def test_what_holds_back_every_stream_holds_back_a_tenants_mail_too() -> None:
    suppressions = asking(AnsweringStore({JANE: {"*": HELD, "tenant:acme": OF_ACME}}))
    assert suppressions.check(JANE, tenant="acme") == HELD
    assert suppressions.check(JANE, tenant="initech") == HELD


def test_a_cached_verdict_answers_for_each_tenant_and_is_as_fresh_as_the_answer_needs() -> None:
    now = [0.0]
    store = AnsweringStore(VERDICTS)
    suppressions = SuppressionList(
        store, cache=CacheSettings(), clock=lambda: NOW, monotonic=lambda: now[0]
    )
    held = "tenant@example.com"
    assert suppressions.check(held, tenant="acme") == OF_ACME
    assert suppressions.check(held, tenant="initech") is None
    assert len(store.asked) == 1
    now[0] = 31.0
    assert suppressions.check(held, tenant="acme") == OF_ACME
    assert len(store.asked) == 1
    assert suppressions.check(held, tenant="initech") is None
    assert len(store.asked) == 2


def test_an_unsubscribe_page_suppresses_and_a_consent_page_reactivates() -> None:
    store = InMemoryStore(clock=lambda: NOW)
    now = [NOW]
    suppressions = SuppressionList(store, cache=CacheSettings(), clock=lambda: now[0])
    assert suppressions.check(JANE, "news") is None
    suppressions.suppress("Jane@Example.com", by="user 7", note="unsubscribed", stream="news")
    held = suppressions.check(JANE, "news")
    assert held is not None
    assert (held.reason, held.since) == (Reason.MANUAL, NOW)
    assert suppressions.check(JANE) is None
    now[0] += timedelta(minutes=1)
    suppressions.reactivate(JANE, by="user 7", note="subscribed again", stream="news")
    assert suppressions.check(JANE, "news") is None
    suppressions.suppress(JANE, by="ann", note="on holiday", until=day(12))
    ending = suppressions.check(JANE)
    assert isinstance(ending, Suppression)
    assert ending.until == day(12)
    assert [piece.by for piece in store.records[JANE].evidence] == ["user 7", "user 7", "ann"]


def test_who_and_why_have_to_be_said() -> None:
    suppressions = SuppressionList(InMemoryStore())
    with pytest.raises(InvalidActionError, match="by"):
        suppressions.suppress(JANE, by="", note="x")
    with pytest.raises(InvalidActionError, match="note"):
        suppressions.reactivate(JANE, by="x", note=" ")
    with pytest.raises(InvalidAddressError):
        suppressions.suppress("nobody", by="x", note="x")


def test_the_time_is_utc() -> None:
    suppressions = SuppressionList(InMemoryStore())
    suppressions.suppress(JANE, by="x", note="x")
    held = suppressions.check(JANE)
    assert held is not None
    assert abs(held.since - datetime.now(UTC)) < timedelta(minutes=1)
