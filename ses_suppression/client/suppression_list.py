"""What an app asks before it sends."""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, TypedDict, Unpack

from ses_suppression.client.acting import act
from ses_suppression.client.cache import CacheSettings
from ses_suppression.client.connection import make_client
from ses_suppression.client.lookup import REQUESTS, Lookup
from ses_suppression.client.screening import (
    AddressesUnknownError,
    Screening,
    Unknown,
    hashable,
    refuse_text,
    sort_out,
)
from ses_suppression.core import actions as operator_actions
from ses_suppression.core.address import normalise
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy
from ses_suppression.core.suppression import Suppression, Verdict, hold, keys_of_mail
from ses_suppression.deployment import StackOutput, Variable
from ses_suppression.errors import InvalidAddressError, MissingSettingError, SESSuppressionError
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore
from ses_suppression.store.fork import Lock
from ses_suppression.store.protocol import KEYS_A_REQUEST, Store

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

BLOCK = KEYS_A_REQUEST * REQUESTS
"""So many addresses `iter_screen` takes at once."""

logger = logging.getLogger("ses_suppression")


class Options(TypedDict, total=False):
    """The options of a list; see `SuppressionList`."""

    unknown: Unknown | str
    check_seconds: float
    screen_seconds: float
    cache: CacheSettings | None
    policy: Policy | None


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
        self._screen_seconds = screen_seconds
        self._lookup = Lookup(
            store,
            check_seconds=check_seconds,
            screen_seconds=screen_seconds,
            cache=cache,
            monotonic=monotonic,
        )
        self._policy = policy or Policy()
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._counting = Lock()

    @classmethod
    def of_table(
        cls, table_name: str, *, client: "DynamoDBClient | None" = None, **options: Unpack[Options]
    ) -> "SuppressionList":
        """Use a table in DynamoDB.

        Args:
            table_name: the table; the stack's output `SuppressionTableName`, which is an ARN where
                the table is in another region. Give `check_seconds` more there: a second may be too
                short for a first connection to the other side of the world.
            client: a boto3 DynamoDB client; without one, one whose time-outs suit a sender is made.
            **options: as of the class.

        >>> import boto3
        >>> SuppressionList.of_table("suppressions", client=boto3.client("dynamodb", "eu-west-1"))
        ... # doctest: +ELLIPSIS
        <ses_suppression.client.suppression_list.SuppressionList object at ...>
        """
        store = DynamoDBStore.of_table(table_name, lambda region: client or make_client(region))
        return cls(store, **options)

    @classmethod
    def from_env(cls, **options: Unpack[Options]) -> "SuppressionList":
        """Use the table in `SUPPRESSION_TABLE_NAME`, and the policy in `SUPPRESSION_POLICY`.

        Args:
            **options: as of the class; without a policy, that of the variable.

        Raises:
            MissingSettingError: the first is not set.
            InvalidPolicyError: the second is set, and is no policy as JSON.
        """
        table_name = os.environ.get(Variable.TABLE_NAME)
        if not table_name:
            raise MissingSettingError(
                f"set {Variable.TABLE_NAME} to the stack's output {StackOutput.TABLE_NAME}"
            )
        options.setdefault("policy", Policy.from_environ(os.environ))
        return cls.of_table(table_name, **options)

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
        holds = self._holds(stream, tenant)
        try:
            key = normalise(address)
        except InvalidAddressError:
            self._count(invalid=1)
            raise
        found = self._lookup.find([key], holds)
        if key not in found.verdicts:
            error = found.failures[key]
            if not self._unknown.allows(error):
                self._count(unknown=1)
                raise error
            self._allow_unknown([error])
            return None
        suppression = holds(found.verdicts[key])
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
        texts = [hashable(text) for text in refuse_text(addresses)]
        keys: dict[str, str] = {}
        invalid: dict[str, InvalidAddressError] = {}
        for text in dict.fromkeys(texts):
            try:
                keys[text] = normalise(text)
            except InvalidAddressError as error:
                invalid[text] = error
        holds = self._holds(stream, tenant)
        found = self._lookup.find(list(dict.fromkeys(keys.values())), holds)
        screening, let_through = sort_out(
            texts, keys=keys, invalid=invalid, found=found, holds=holds, unknown=self._unknown
        )
        self._count(
            allowed=len(screening.allowed) - len(let_through),
            suppressed=len(screening.suppressed),
            unknown=len(screening.unknown),
            invalid=len(invalid),
        )
        self._allow_unknown(let_through)
        if self._unknown.must_raise(screening.unknown.values()):
            raise AddressesUnknownError(screening)
        return screening

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
        remaining = iter(refuse_text(addresses))
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
            self._lookup.forget(key)

    def _holds(
        self, stream: str | None, tenant: str | None
    ) -> Callable[[Verdict], Suppression | None]:
        keys = keys_of_mail(stream, tenant)
        return lambda verdict: hold(verdict, keys, self._clock())

    def _allow_unknown(self, errors: Sequence[SESSuppressionError]) -> None:
        if errors:
            self._count(unknown=len(errors), allowed_unknown=len(errors))
            logger.warning("%d addresses are mailed unscreened: %s", len(errors), errors[0])

    def _count(self, **counts: int) -> None:
        with self._counting:
            self._counts.update({name: number for name, number in counts.items() if number})
