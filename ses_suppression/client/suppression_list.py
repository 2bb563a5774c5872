"""What an app asks before it sends."""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, assert_never

import boto3
from botocore.config import Config

from ses_suppression.client.acting import act
from ses_suppression.client.cache import Cache, CacheSettings
from ses_suppression.core import actions as operator_actions
from ses_suppression.core.address import normalise
from ses_suppression.core.evidence import EVERY_STREAM, Evidence, check_length, tenant_key
from ses_suppression.core.policy import Policy
from ses_suppression.core.suppression import Suppression, lasts_longest
from ses_suppression.deployment import StackOutput, Variable
from ses_suppression.errors import (
    InvalidAddressError,
    MissingSettingError,
    SESSuppressionError,
    StoreUnavailableError,
    UnreadableItemError,
)
from ses_suppression.store.daemon_pool import DaemonPool
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore
from ses_suppression.store.fork import Lock
from ses_suppression.store.protocol import KEYS_A_REQUEST, Found, Store, Verdict, chunks

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

REQUESTS = 16
"""Requests at a time."""

BLOCK = KEYS_A_REQUEST * REQUESTS
"""So many addresses `iter_screen` takes at once."""

logger = logging.getLogger("ses_suppression")
_Answer = TypeVar("_Answer")

# boto3's own time-outs are a minute with five tries: a sender would hang. Of its modes this is the
# one whose pause before a second try at DynamoDB is 50 milliseconds, and not up to a second.
_SEND_PATH = Config(
    connect_timeout=0.3,
    read_timeout=0.5,
    max_pool_connections=REQUESTS,
    retries={"mode": "legacy", "total_max_attempts": 2},
)
# To the other side of the world and back takes 0.3 seconds, and a new connection three such ways.
_SEND_PATH_ABROAD = _SEND_PATH.merge(Config(connect_timeout=1.2, read_timeout=1.5))


class Unknown(StrEnum):
    """What becomes of an address about which DynamoDB did not answer.

    `hold`: `screen` puts it under `unknown`, `check` raises. `raise`: `screen` raises too.
    `allow`: it is taken for allowed; that is counted and logged. Two cases are excepted. An item
    that cannot be read is treated as with `hold`: it was written for a reason. A failure that needs
    a change of the settings or permissions, such as a missing table, is raised as with `raise`.
    """

    HOLD = "hold"
    RAISE = "raise"
    ALLOW = "allow"

    @classmethod
    def _missing_(cls, value: object) -> "Unknown":
        raise ValueError(f"unknown: {', '.join(cls)} are known, not {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """Who of a list may be mailed. Every address of the input is in just one of the four.

    The caller's own spelling and order are kept, in each part. The `repr` shows only numbers: an
    error carries a screening to where errors are logged.

    Attributes:
        allowed: mail may be sent; an address that stood twice stands twice.
        suppressed: mail is held back: address -> why.
        unknown: DynamoDB did not answer in time: address -> why. Do not mail them now.
        invalid: what can be no address: text -> why.
    """

    allowed: tuple[str, ...] = ()
    suppressed: Mapping[str, Suppression] = field(default_factory=dict)
    unknown: Mapping[str, SESSuppressionError] = field(default_factory=dict)
    invalid: Mapping[str, InvalidAddressError] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = ("allowed", "suppressed", "unknown", "invalid")
        numbers = ", ".join(f"{name}: {len(getattr(self, name))}" for name in parts)
        return f"<Screening {numbers}>"


class AddressesUnknownError(StoreUnavailableError):
    """DynamoDB did not answer for some addresses of a list.

    Attributes:
        screening: what is known of the others, and which those are.
    """

    def __init__(self, screening: Screening) -> None:
        first = next(iter(screening.unknown.values()))
        code = first.code if isinstance(first, StoreUnavailableError) else type(first).__name__
        reason = first.message if isinstance(first, StoreUnavailableError) else str(first)
        number = len(screening.unknown)
        super().__init__(code, f"nothing is known about {number} addresses: {reason}")
        self.screening = screening

    def __reduce__(self) -> tuple[type["AddressesUnknownError"], tuple[Screening]]:
        return type(self), (self.screening,)


class SuppressionList:
    """The application-level suppression list: may I send mail to this address?

    Args:
        store: where the records are; `from_env()` and `of_table()` build the ordinary one.
        unknown: what becomes of an address about which DynamoDB does not answer.
        check_seconds: no `check` takes longer, whatever hangs; and no `screen` of at most 100
            addresses, such as the recipients of a mail.
        screen_seconds: no `screen`, and no block of `iter_screen`, takes longer.
        cache: how stale an answer may be; None: not at all.
        policy: the thresholds, for `suppress` and `reactivate`: the same as the stack's.
        clock: the time, UTC.
        monotonic: the clock by which answers in the cache grow old, in seconds.

    >>> from ses_suppression.testing import InMemoryStore
    >>> suppressions = SuppressionList(InMemoryStore())
    >>> suppressions.check("jane@example.com") is None
    True
    >>> suppressions.suppress("jane@example.com", by="jane", note="asked by phone")
    >>> suppressions.screen(["Jane@Example.com", "joe@example.com"]).allowed
    ('joe@example.com',)
    """

    def __init__(
        self,
        store: Store,
        *,
        unknown: Unknown | str = Unknown.HOLD,
        check_seconds: float = 1.0,
        screen_seconds: float = 30.0,
        cache: CacheSettings | None = None,
        policy: Policy | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._unknown = Unknown(unknown)
        self._check_seconds = check_seconds
        self._screen_seconds = screen_seconds
        self._cache = Cache(cache) if cache else None
        self._monotonic = monotonic
        self._policy = policy or Policy()
        self._clock = clock
        self._pool = DaemonPool(REQUESTS, "ses-suppression")
        # A mail that waits to be sent does not wait for a list of a million.
        self._urgent_pool = DaemonPool(REQUESTS, "ses-suppression-urgent")
        self._counts: Counter[str] = Counter()
        self._counting = Lock()

    @classmethod
    def of_table(
        cls,
        table_name: str,
        *,
        client: "DynamoDBClient | None" = None,
        unknown: Unknown | str = Unknown.HOLD,
        check_seconds: float = 1.0,
        screen_seconds: float = 30.0,
        cache: CacheSettings | None = None,
        policy: Policy | None = None,
    ) -> "SuppressionList":
        """Use a table in DynamoDB.

        Args:
            table_name: the table; the stack's output `SuppressionTableName`, which is an ARN where
                the table is in another region. Give `check_seconds` more there: a second may be too
                short for a first connection to the other side of the world.
            client: a boto3 DynamoDB client; without one, one whose time-outs suit a sender is made.
            unknown: as of the class.
            check_seconds: as of the class.
            screen_seconds: as of the class.
            cache: as of the class.
            policy: as of the class.

        >>> SuppressionList.of_table("suppressions", client=boto3.client("dynamodb", "eu-west-1"))
        ... # doctest: +ELLIPSIS
        <ses_suppression.client.suppression_list.SuppressionList object at ...>
        """
        store = DynamoDBStore.of_table(
            table_name,
            lambda region: (
                client
                or boto3.client(
                    "dynamodb",
                    region_name=region,
                    config=_SEND_PATH_ABROAD if region else _SEND_PATH,
                )
            ),
        )
        return cls(
            store,
            unknown=unknown,
            check_seconds=check_seconds,
            screen_seconds=screen_seconds,
            cache=cache,
            policy=policy,
        )

    @classmethod
    def from_env(
        cls,
        *,
        unknown: Unknown | str = Unknown.HOLD,
        check_seconds: float = 1.0,
        screen_seconds: float = 30.0,
        cache: CacheSettings | None = None,
    ) -> "SuppressionList":
        """Use the table in `SUPPRESSION_TABLE_NAME`, and the policy in `SUPPRESSION_POLICY`.

        Args:
            unknown: as of the class.
            check_seconds: as of the class.
            screen_seconds: as of the class.
            cache: as of the class.

        Raises:
            MissingSettingError: the first is not set.
            InvalidPolicyError: the second is set, and is no policy as JSON.
        """
        table_name = os.environ.get(Variable.TABLE_NAME)
        if not table_name:
            raise MissingSettingError(
                f"set {Variable.TABLE_NAME} to the stack's output {StackOutput.TABLE_NAME}"
            )
        return cls.of_table(
            table_name,
            unknown=unknown,
            check_seconds=check_seconds,
            screen_seconds=screen_seconds,
            cache=cache,
            policy=Policy.from_environ(os.environ),
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """How many answers there were: `allowed`, `suppressed`, `unknown`, `invalid`.

        And `allowed_unknown`: those of the unknown that the mode `allow` let through.
        """
        with self._counting:
            return dict(self._counts)

    def check(
        self, address: str, stream: str | None = None, *, tenant: str | None = None
    ) -> Suppression | None:
        """Ask whether mail to an address is held back. One request, within `check_seconds`.

        Args:
            address: in any spelling.
            stream: the stream of the mail; what holds for every stream is always asked too.
            tenant: the tenant of SES in whose name the mail is sent.

        Returns:
            The suppression that lasts longest, or None: mail may be sent.

        Raises:
            InvalidAddressError: the text is no address.
            InvalidStreamError: the stream or the tenant has more than 256 characters.
            StoreUnavailableError: DynamoDB did not answer in time. Nothing is known: do not take it
                for a yes. In the mode `allow` only when that is not going to change by itself.
        """
        held_as = _held_as(stream, tenant)
        try:
            key = normalise(address)
        except InvalidAddressError:
            self._count(invalid=1)
            raise
        found = self._find([key], held_as)
        if key not in found.verdicts:
            error = found.failures[key]
            if not self._may_allow(error):
                self._count(unknown=1)
                raise error
            self._allow_unknown([error])
            return None
        suppression = self._applies(found.verdicts[key], held_as)
        self._count(**{"suppressed" if suppression else "allowed": 1})
        return suppression

    def screen(
        self, addresses: Iterable[str], stream: str | None = None, *, tenant: str | None = None
    ) -> Screening:
        """Ask about many addresses: 100 a request, several requests at a time, each address once.

        Args:
            addresses: in any spelling.
            stream: the stream of the mail.
            tenant: the tenant of SES in whose name the mail is sent.

        Returns:
            What is known within `screen_seconds`; of at most 100 addresses, within `check_seconds`.

        Raises:
            AddressesUnknownError: in the mode `raise`, when DynamoDB did not answer for some; in
                the mode `allow`, when that is not going to change by itself.
            InvalidStreamError: the stream or the tenant has more than 256 characters.
            TypeError: it is one text, not an iterable of them.

        >>> from ses_suppression.testing import InMemorySuppressionList
        >>> screening = InMemorySuppressionList().screen(["jane@example.com", "nobody"])
        >>> screening.allowed, list(screening.invalid)
        (('jane@example.com',), ['nobody'])
        """
        texts = [hashable(text) for text in listed(addresses)]
        keys: dict[str, str] = {}
        invalid: dict[str, InvalidAddressError] = {}
        for text in dict.fromkeys(texts):
            try:
                keys[text] = normalise(text)
            except InvalidAddressError as error:
                invalid[text] = error
        held_as = _held_as(stream, tenant)
        found = self._find(list(dict.fromkeys(keys.values())), held_as)
        return self._screening(texts, keys, invalid, found, held_as)

    def iter_screen(
        self, addresses: Iterable[str], stream: str | None = None, *, tenant: str | None = None
    ) -> Iterator[Screening]:
        """Screen a list that does not fit in memory: one screening for each 1,600 addresses.

        Args:
            addresses: in any spelling; so many of them are taken at once.
            stream: the stream of the mail.
            tenant: the tenant of SES in whose name the mail is sent.

        Raises:
            AddressesUnknownError: as `screen`; it ends the iteration, and holds what is known of
                its block. Without it the next blocks follow.
            TypeError: it is one text, not an iterable of them.

        >>> from ses_suppression.testing import InMemorySuppressionList
        >>> lines = iter(["jane@example.com", "joe@example.com"])
        >>> [screening.allowed for screening in InMemorySuppressionList().iter_screen(lines)]
        [('jane@example.com', 'joe@example.com')]
        """
        remaining = iter(listed(addresses))
        blocks = iter(lambda: list(islice(remaining, BLOCK)), [])
        return (self.screen(block, stream, tenant=tenant) for block in blocks)

    def suppress(
        self,
        address: str,
        *,
        by: str,
        note: str,
        stream: str | None = None,
        until: datetime | None = None,
    ) -> None:
        """Hold back mail from now on: for a page on which people unsubscribe.

        Args:
            address: in any spelling.
            by: who wants it, such as the user's id.
            note: why, or how it came about.
            stream: the stream of mail; None: every stream.
            until: when it ends; None: without end.

        Raises:
            InvalidAddressError, InvalidActionError: an argument cannot be meant so.
            NoEffectError: the policy never suppresses this address.
            StoreUnavailableError, ConflictError: it was not written.
        """
        action = operator_actions.suppress(
            by=by, note=note, at=self._clock(), stream=stream, until=until
        )
        self._act(address, action)

    def reactivate(self, address: str, *, by: str, note: str, stream: str | None = None) -> None:
        """Let nothing count that was before now: for a page on which people consent again.

        Args:
            address: in any spelling.
            by: who wants it, such as the user's id.
            note: how the person consented.
            stream: only complaints and entries on this stream; None: everything.

        Raises:
            InvalidAddressError, InvalidActionError: an argument cannot be meant so.
            StoreUnavailableError, ConflictError: it was not written.
        """
        self._act(
            address,
            operator_actions.reactivate(
                by=by, note=note, at=self._clock(), consent=True, stream=stream
            ),
        )

    def _act(self, address: str, action: Evidence) -> None:
        key = normalise(address)
        deadline = Deadline(self._screen_seconds)
        try:
            act(key, action, store=self._store, policy=self._policy, deadline=deadline)
        finally:
            if self._cache:
                self._cache.forget(key, self._monotonic())

    def _find(self, keys: Sequence[str], held_as: Collection[str]) -> Found:
        found = Found()
        asked: list[str] = []
        for key in keys:
            cached = self._cached(key, held_as)
            if cached is None:
                asked.append(key)
            else:
                found.verdicts[key] = cached
        parts = list(chunks(asked))
        is_urgent = len(parts) <= 1
        pool = self._urgent_pool if is_urgent else self._pool
        deadline = Deadline(self._check_seconds if is_urgent else self._screen_seconds)
        asked_at = self._monotonic()
        answers = [
            pool.submit(partial(self._store.find_many, part, deadline=deadline)) for part in parts
        ]
        for part, answer in zip(parts, answers, strict=True):
            try:
                answered = _within(deadline, answer, self._store)
            except StoreUnavailableError as error:
                found.failures.update(dict.fromkeys(part, error))
                continue
            found.failures.update(answered.failures)
            found.verdicts.update(answered.verdicts)
            if self._cache:
                for key, verdict in answered.verdicts.items():
                    self._cache.put(key, verdict, asked_at)
        return found

    def _cached(self, key: str, held_as: Collection[str]) -> Verdict | None:
        if self._cache is None:
            return None
        return self._cache.get(
            key, self._monotonic(), lambda verdict: self._applies(verdict, held_as) is not None
        )

    def _screening(
        self,
        texts: Sequence[str],
        keys: Mapping[str, str],
        invalid: Mapping[str, InvalidAddressError],
        found: Found,
        held_as: Collection[str],
    ) -> Screening:
        allowed: list[str] = []
        suppressed: dict[str, Suppression] = {}
        unknown: dict[str, SESSuppressionError] = {}
        let_through: list[SESSuppressionError] = []
        for text in texts:
            if text in invalid or text in suppressed:
                continue
            key = keys[text]
            if key in found.verdicts:
                suppression = self._applies(found.verdicts[key], held_as)
                if suppression:
                    suppressed[text] = suppression
                else:
                    allowed.append(text)
            elif self._may_allow(found.failures[key]):
                let_through.append(found.failures[key])
                allowed.append(text)
            else:
                unknown[text] = found.failures[key]
        self._count(
            allowed=len(allowed) - len(let_through),
            suppressed=len(suppressed),
            unknown=len(unknown),
            invalid=len(invalid),
        )
        self._allow_unknown(let_through)
        screening = Screening(
            allowed=tuple(allowed), suppressed=suppressed, unknown=unknown, invalid=dict(invalid)
        )
        if self._must_raise(unknown.values()):
            raise AddressesUnknownError(screening)
        return screening

    def _applies(self, verdict: Verdict, held_as: Collection[str]) -> Suppression | None:
        now = self._clock()
        return lasts_longest(
            verdict[key] for key in held_as if key in verdict and verdict[key].holds_at(now)
        )

    def _may_allow(self, error: SESSuppressionError) -> bool:
        return (
            self._unknown is Unknown.ALLOW
            and not isinstance(error, UnreadableItemError)
            and not _is_permanent(error)
        )

    def _must_raise(self, errors: Collection[SESSuppressionError]) -> bool:
        match self._unknown:
            case Unknown.HOLD:
                return False
            case Unknown.RAISE:
                return bool(errors)
            case Unknown.ALLOW:
                return any(map(_is_permanent, errors))
            case _:
                assert_never(self._unknown)

    def _allow_unknown(self, errors: Sequence[SESSuppressionError]) -> None:
        if errors:
            self._count(unknown=len(errors), allowed_unknown=len(errors))
            logger.warning("%d addresses are mailed unscreened: %s", len(errors), errors[0])

    def _count(self, **counts: int) -> None:
        with self._counting:
            self._counts.update({name: number for name, number in counts.items() if number})


def _is_permanent(error: SESSuppressionError) -> bool:
    return isinstance(error, StoreUnavailableError) and error.is_permanent


def _within(deadline: Deadline, future: "Future[_Answer]", store: Store) -> _Answer:
    """Wait for an answer until the deadline, whatever the SDK is waiting for itself."""
    try:
        return future.result(timeout=deadline.remaining)
    except FutureTimeoutError:
        future.cancel()
        raise StoreUnavailableError("OutOfTime", f"{store} did not answer in time") from None
    except SESSuppressionError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever an unreadable answer makes of the SDK
        # By its name alone: its text can hold a part of the answer.
        raise StoreUnavailableError(
            type(error).__name__, f"the answer of {store} could not be read"
        ) from None


def _held_as(stream: str | None, tenant: str | None) -> Collection[str]:
    """Return the keys of a verdict that hold back such mail, in one order for equal ends."""
    check_length(stream=stream, tenant=tenant)
    keys = {EVERY_STREAM, stream, tenant_key(tenant) if tenant else None}
    return sorted(filter(None, keys))


def listed(addresses: Iterable[str]) -> Iterable[str]:
    """Refuse a single text, each of whose letters would be taken for an address."""
    if isinstance(addresses, str | bytes):
        raise TypeError("an iterable of addresses is needed, this is one text: pass [address]")
    return addresses


def hashable(text: str) -> str:
    """Let a cell that is no text, and no key of a mapping, be told as what it is."""
    try:
        hash(text)
    except TypeError:
        return repr(text)
    return text
