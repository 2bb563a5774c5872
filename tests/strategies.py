"""Evidence as it may come: small worlds, so that events meet."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from ses_suppression.core.evidence import TENANT_LIST, Evidence, Kind
from ses_suppression.core.policy import Reason

START = datetime(2026, 1, 1, 8, tzinfo=UTC)

# Hours, so that several events share a day, over months, so that holds end and double.
moments = st.integers(0, 24 * 120).map(lambda hours: START + timedelta(hours=hours))
mail_ids = st.sampled_from(["m1", "m2", "m3", "m4"])
streams = st.sampled_from([None, "news", "receipts"])
tenants = st.sampled_from([None, "acme", "news"])
statuses = st.sampled_from([None, "5.1.1", "5.7.1", "5.0.0", "4.0.0", "4.2.2"])


def _bounces(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[Evidence]:
    return st.builds(
        Evidence,
        id=st.uuids().map(str),
        kind=st.just(Kind.BOUNCE),
        at=moments,
        mail_id=mail_ids | st.none(),
        mail_at=moments | st.none(),
        stream=streams,
        status=statuses,
        action=st.sampled_from([None, "failed", "delayed"]),
        diagnostic=st.sampled_from([None, "550 5.1.1 unknown", "554 blocked as spam"]),
        **fields,
    )


permanent_bounces = _bounces(
    bounce_type=st.just("Permanent"),
    bounce_sub_type=st.sampled_from(
        ["General", "NoEmail", "Suppressed", "OnAccountSuppressionList", "UnsubscribedRecipient"]
    ),
) | _bounces(bounce_type=st.just("Permanent"), bounce_sub_type=st.just(TENANT_LIST), tenant=tenants)
transient_bounces = _bounces(
    bounce_type=st.sampled_from(["Transient", "Undetermined", "Unheard-of", None]),
    bounce_sub_type=st.sampled_from(
        ["General", "MailboxFull", "MessageTooLarge", "Undetermined", None]
    ),
)
complaints = st.builds(
    Evidence,
    id=st.uuids().map(str),
    kind=st.just(Kind.COMPLAINT),
    at=moments,
    mail_id=mail_ids,
    mail_at=moments | st.none(),
    stream=streams,
    tenant=tenants,
    feedback_type=st.sampled_from([None, "abuse", "not-spam", "auth-failure", "new-type"]),
    sub_type=st.sampled_from([None, None, "OnAccountSuppressionList", TENANT_LIST]),
    certain=st.booleans(),
)
deliveries = st.builds(
    lambda mail_id, at: Evidence(
        id=f"delivery:{mail_id}", kind=Kind.DELIVERY, at=at, mail_id=mail_id, mail_at=at
    ),
    mail_ids,
    moments,
)
subscriptions = st.builds(
    Evidence,
    id=st.uuids().map(str),
    kind=st.just(Kind.SUBSCRIPTION),
    at=moments,
    mail_id=mail_ids,
    stream=streams,
    subscribed=st.booleans(),
)
suppressions = st.builds(
    Evidence,
    id=st.uuids().map(str),
    kind=st.sampled_from([Kind.SUPPRESS, Kind.IMPORT]),
    at=moments,
    stream=streams,
    until=moments | st.none(),
    reason=st.sampled_from([None, *Reason]),
    by=st.just("operator"),
)
reactivations = st.builds(
    Evidence,
    id=st.uuids().map(str),
    kind=st.just(Kind.REACTIVATE),
    at=moments,
    stream=streams,
    by=st.just("operator"),
)
feedback = permanent_bounces | transient_bounces | complaints | subscriptions
without_deliveries = feedback | suppressions | reactivations
any_evidence = without_deliveries | deliveries


@st.composite
def evidence_with_voids(
    draw: st.DrawFn, pieces: st.SearchStrategy[Evidence], max_size: int
) -> list[Evidence]:
    """Draw evidence, and voids of some of it, and voids of some of those."""
    drawn = draw(st.lists(pieces, max_size=max_size, unique_by=lambda piece: piece.id))
    for _ in range(draw(st.integers(0, 3)) if drawn else 0):
        target = draw(st.sampled_from(drawn))
        drawn.append(
            Evidence(
                id=f"void:{target.id}:{len(drawn)}",
                kind=Kind.VOID,
                at=draw(moments),
                voids=target.id,
                undo="undo-1",
                by="operator",
            )
        )
    return drawn


def copies_of_one_event() -> st.SearchStrategy[Evidence]:
    """Copies of one event that differ in everything but the id."""
    return st.builds(
        Evidence,
        id=st.just("feedback-1"),
        kind=st.sampled_from(Kind),
        at=moments,
        mail_id=mail_ids | st.none(),
        mail_at=moments | st.none(),
        stream=streams,
        tenant=tenants,
        status=statuses,
        certain=st.booleans() | st.none(),
        subscribed=st.booleans() | st.none(),
        until=moments | st.none(),
    )


def chimeras() -> st.SearchStrategy[Evidence]:
    """Evidence that nobody would make: any fields of any kind, and ids that collide."""
    texts = (
        st.none() | st.text(max_size=8) | st.sampled_from(["Permanent", "General", "5.1.1", "*"])
    )
    times = st.datetimes(timezones=st.just(UTC))
    return st.builds(
        Evidence,
        id=st.sampled_from("abcdef"),
        kind=st.sampled_from(Kind),
        at=times,
        mail_id=texts,
        mail_at=times | st.none(),
        stream=texts,
        tenant=texts,
        bounce_type=texts,
        bounce_sub_type=texts,
        action=texts,
        status=texts,
        diagnostic=texts,
        feedback_type=texts,
        sub_type=texts,
        certain=st.booleans() | st.none(),
        subscribed=st.booleans() | st.none(),
        until=times | st.none(),
        reason=texts,
        voids=st.sampled_from("abcdef") | st.none(),
    )
