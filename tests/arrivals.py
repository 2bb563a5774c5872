"""Notifications and evidence that arrive in any order and batching."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record
from ses_suppression.ingest import apply
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.protocol import Store
from ses_suppression.testing import InMemoryStore
from tests.builders import JANE, POLICY, bounce_notification, complaint_notification
from tests.strategies import START


@st.composite
def notifications(draw: st.DrawFn) -> str:
    """A bounce or complaint about Jane, as SES sends it, within 30 days."""
    number = draw(st.integers(0, 11))
    at = START + timedelta(hours=draw(st.integers(0, 24 * 30)))
    mail_id = f"m{draw(st.integers(0, 3))}"
    if draw(st.booleans()):
        feedback_type = draw(st.sampled_from(["abuse", "not-spam", "auth-failure"]))
        return complaint_notification(
            JANE,
            at=at,
            feedback_id=f"c{number}",
            mail_id=mail_id,
            complaintFeedbackType=feedback_type,
        )
    bounce_type, sub_type, status = draw(
        st.sampled_from(
            [
                ("Permanent", "General", "5.1.1"),
                ("Permanent", "General", "5.7.1"),
                ("Permanent", "General", "4.0.0"),
                ("Permanent", "Suppressed", ""),
                ("Transient", "MailboxFull", "5.2.2"),
                ("Transient", "MailboxFull", "4.2.2"),
                ("Transient", "General", ""),
                ("Undetermined", "Undetermined", ""),
            ]
        )
    )
    return bounce_notification(
        JANE,
        at=at,
        feedback_id=f"b{number}",
        mail_id=mail_id,
        bounce_type=bounce_type,
        sub_type=sub_type,
        status=status,
    )


def feedback_id_of(body: str) -> str:
    document = json.loads(body)
    found: str = (document.get("bounce") or document["complaint"])["feedbackId"]
    return found


# Up to twelve different events; each may come several times.
twelve_notifications = st.lists(notifications(), max_size=12, unique_by=feedback_id_of)


def without_revisions(store: InMemoryStore) -> dict[str, Record]:
    return {address: replace(record, revision=None) for address, record in store.records.items()}


def apply_in_batches(
    store: Store, evidence: list[Evidence], data: st.DataObject, policy: Policy = POLICY
) -> None:
    """Apply evidence to Jane's record in any order and batching, half of it twice."""
    arriving = data.draw(st.permutations(evidence + evidence[::2]))
    while arriving:
        size = data.draw(st.integers(1, len(arriving)))
        batch = {JANE: arriving[:size]}
        applied = apply(batch, store=store, policy=policy, deadline=Deadline(5))
        assert applied.failures == {}
        arriving = arriving[size:]
