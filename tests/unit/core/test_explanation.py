from hypothesis import given

from ses_suppression.core.decision import decide
from ses_suppression.core.evidence import Evidence, Kind
from ses_suppression.core.explanation import describe, explain, lifted_by
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from tests.builders import (
    JANE,
    block,
    complaint,
    day,
    delivery,
    hard,
    only,
    opt_in,
    opt_out,
    piece,
    reactivate,
    tenant_bounce,
    tenant_complaint,
    transient,
    void,
)
from tests.strategies import any_evidence, evidence_with_voids

POLICY = Policy()


def explained(*evidence: Evidence, policy: Policy = POLICY) -> str:
    return str(explain(Record(address=JANE, evidence=tuple(evidence)), policy))


def test_a_history_reads_from_first_to_last_and_ends_in_the_verdict() -> None:
    struck, wrong = transient(0, status="4.2.2", diagnostic="452 full"), block(3, action="failed")
    history = [
        struck,
        delivery(1),
        complaint(2, stream="news", feedback_type="abuse"),
        wrong,
        void(4, wrong),
        hard(5),
        transient(6),
    ]
    *lines, every_stream, news = explained(*reversed(history)).splitlines()
    assert lines == [
        "jane@example.com",
        "  2026-01-01 08:00:00  bounce Transient/MailboxFull 4.2.2: 452 full",
        "    transient-bounce: voided by delivery:delivered",
        "  2026-01-02 08:00:00  delivery",
        "    delivery: voids",
        "  2026-01-03 08:00:00  complaint abuse",
        "    complaint: suppresses, without end",
        "  2026-01-04 08:00:00  bounce Permanent/General failed 5.7.1",
        "    block: voided by void-4",
        "  2026-01-05 08:00:00  void of bounce-3 (undo-1) by None: None",
        "    void: voids",
        "  2026-01-06 08:00:00  bounce Permanent/General",
        "    hard-bounce: suppresses, without end",
        "  2026-01-07 08:00:00  bounce Transient/MailboxFull",
        "    transient-bounce: counted, 1 of 5",
    ]
    assert every_stream == (
        "  -> every stream suppressed: BOUNCE (hard-bounce), "
        "since 2026-01-06 08:00 UTC, without end"
    )
    assert news == (
        "  -> stream news suppressed: COMPLAINT (complaint), "
        "since 2026-01-03 08:00 UTC, without end"
    )


def test_operators_are_named_with_their_reasons() -> None:
    suppressed = piece(Kind.SUPPRESS, 0, by="ann", note="asked by phone", until=day(9))
    imported = piece(
        Kind.IMPORT, 0.5, by="joe", note="from the old service", stream="news", reason="BOUNCE"
    )
    back = reactivate(1, stream="news")
    lines = explained(suppressed, imported, back).splitlines()
    assert lines[1:7:2] == [
        "  2026-01-01 08:00:00  suppress by ann: asked by phone",
        "  2026-01-01 20:00:00  import on stream news by joe: from the old service",
        "  2026-01-02 08:00:00  reactivate on stream news by None: None",
    ]
    assert lines[2] == "    suppress: suppresses, until 2026-01-10 08:00 UTC"
    assert lines[4] == "    import: voided by reactivate-1"


def test_nothing_known_may_be_mailed() -> None:
    assert explained().splitlines() == [JANE, "  -> may be mailed"]


def test_a_doubtful_complaint_says_so() -> None:
    doubtful = describe(only(complaint(0, certain=False)))
    assert "COMPLAINT (complaint, perhaps by somebody else at the same domain), since" in doubtful
    assert "perhaps" not in describe(only(complaint(0, certain=True)))


def test_a_tenants_hold_names_the_tenant_and_what_lifts_it() -> None:
    bounced = only(tenant_bounce(0), stream="tenant:acme")
    assert describe(bounced) == (
        "tenant acme suppressed: BOUNCE (tenant-list-bounce), since 2026-01-01 08:00 UTC, "
        "until 2026-01-15 08:00 UTC"
    )
    assert lifted_by(bounced) == (
        "time, or an operator (`remove`); and, in SES, the deletion of the entry from the "
        "tenant's list"
    )
    complained = only(tenant_complaint(0), stream="tenant:acme")
    assert lifted_by(complained) == f"{lifted_by(bounced)}, with the person's consent"


def test_an_unsubscription_and_a_subscription_say_from_what() -> None:
    assert explained(opt_out(0, stream="news"), opt_in(1, stream="news"), opt_out(2)).splitlines()[
        1:
    ] == [
        "  2026-01-01 08:00:00  unsubscribed from stream news",
        "    unsubscribed: voided by subscription-True-1",
        "  2026-01-02 08:00:00  subscribed to stream news",
        "    subscribed: voids",
        "  2026-01-03 08:00:00  unsubscribed from every stream",
        "    unsubscribed: suppresses, without end",
        f"  -> {describe(only(opt_out(2)))}",
    ]
    assert lifted_by(only(opt_out(0))) == (
        "the recipient, who subscribes again (with the feed `configuration-set`), or an operator "
        "(`remove`); SES's contact list stays as it is"
    )


def test_a_tally_says_what_it_stands_for() -> None:
    many = [complaint(at, stream="news") for at in range(40)]
    record = update(Record(address=JANE), many, Policy())
    assert record is not None
    assert (
        "  2026-01-20 08:00:00  more of the same on stream news, not kept one by one, since "
        "2026-01-02 08:00:00\n    complaint: suppresses, without end"
    ) in str(explain(record, Policy()))


def test_another_policy_says_what_it_would_have_done() -> None:
    evidence = [transient(0), transient(1)]
    assert "may be mailed" in explained(*evidence)
    assert "counted, 1 of 2" in explained(*evidence, policy=Policy(transient_bounces=2))
    assert "suppressed: BOUNCE (transient-bounce)" in explained(
        *evidence, policy=Policy(transient_bounces=2)
    )


@given(evidence_with_voids(any_evidence, max_size=12))
def test_the_explanation_is_the_decision(evidence: list[Evidence]) -> None:
    decision = decide(JANE, evidence, POLICY)
    explanation = explain(Record(address=JANE, evidence=tuple(evidence)), POLICY)
    assert explanation.suppressions == tuple(decision.suppressions.values())
    assert [(line.at, line.rule) for line in explanation.lines] == [
        (step.evidence.at, step.rule) for step in decision.steps
    ]
