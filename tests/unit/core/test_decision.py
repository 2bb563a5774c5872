"""The policy table, row by row, as sentences."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ses_suppression.core.classification import rule_of
from ses_suppression.core.decision import (
    Decision,
    Effect,
    decide,
    expires_at,
    has_complained,
    lasting_reason,
)
from ses_suppression.core.evidence import EVERY_STREAM, OPERATOR_KINDS, Evidence, Kind
from ses_suppression.core.policy import DAYS_KEPT, Origin, Policy, Reason
from ses_suppression.core.retention import merge
from ses_suppression.core.rules import Rule
from ses_suppression.core.suppression import Suppression, hold, keys_of_mail
from ses_suppression.core.under_way import GIVEN_UP, UnderWay
from tests.builders import (
    JANE,
    POLICY,
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
    steps,
    tenant_bounce,
    tenant_complaint,
    transient,
    unsubscribed_bounce,
    verdict,
    void,
)
from tests.strategies import any_evidence, chimeras, evidence_with_voids


def test_a_complaint_counts_though_something_else_speaks() -> None:
    imported = piece(Kind.IMPORT, 0, reason="COMPLAINT", until=day(5), by="x", note="x")
    evidence = [imported, hard(1)]
    assert only(*evidence).reason is Reason.BOUNCE
    assert has_complained(JANE, evidence, POLICY, stream=None)
    assert not has_complained(JANE, [hard(1)], POLICY, stream=None)
    assert not has_complained(JANE, [complaint(0), reactivate(2)], POLICY, stream=None)
    on_news = [complaint(0, stream="news")]
    assert has_complained(JANE, on_news, POLICY, stream="news")
    assert has_complained(JANE, on_news, POLICY, stream=None)
    assert not has_complained(JANE, on_news, POLICY, stream="receipts")


def test_what_belongs_on_sess_own_list_has_no_end_and_holds_back_every_stream() -> None:
    by_hand = piece(Kind.SUPPRESS, 0, by="x", note="x")
    for evidence, reason in (
        ([], None),
        ([hard(0)], Reason.BOUNCE),
        ([complaint(0)], Reason.COMPLAINT),
        ([hard(0), complaint(1)], Reason.COMPLAINT),
        ([complaint(0, stream="news")], None),
        ([complaint(0, stream="news"), hard(0)], Reason.BOUNCE),
        ([block(0)], None),
        ([tenant_bounce(0)], None),
        ([tenant_complaint(0)], None),
        ([tenant_complaint(0), hard(0)], Reason.BOUNCE),
        ([by_hand], None),
        ([hard(-1), by_hand], Reason.BOUNCE),
        ([piece(Kind.IMPORT, 0, reason="COMPLAINT")], Reason.COMPLAINT),
        ([piece(Kind.IMPORT, 0, reason="MANUAL")], None),
        ([complaint(-1), hard(1), by_hand], Reason.COMPLAINT),
        ([hard(-1), by_hand, reactivate(1)], None),
    ):
        assert lasting_reason(JANE, evidence, POLICY) is reason


# --- permanent bounces


def test_nothing_happened_nothing_is_suppressed() -> None:
    assert decide(JANE, [], POLICY) == Decision(suppressions={}, steps=())


def test_a_permanent_bounce_suppresses_without_end() -> None:
    assert only(hard(1)) == Suppression(
        stream=EVERY_STREAM,
        reason=Reason.BOUNCE,
        rule=Rule.HARD_BOUNCE,
        origin=Origin.FEEDBACK,
        since=day(1),
        until=None,
        evidence_id="bounce-1",
        certain=True,
    )


def test_since_and_evidence_are_those_of_the_first_bounce_that_counts() -> None:
    found = only(hard(3), hard(1), hard(2))
    assert (found.since, found.evidence_id) == (day(1), "bounce-1")


@pytest.mark.parametrize("sub_type", ["Suppressed", "EmailValidationSuppressed"])
def test_a_list_of_ses_is_believed_for_fourteen_days(sub_type: str) -> None:
    found = only(hard(bounce_sub_type=sub_type))
    assert (found.reason, found.origin, found.until) == (Reason.BOUNCE, Origin.SES, day(14))
    assert found.rule is Rule.SES_LIST


def test_a_list_of_ses_is_believed_as_long_each_time() -> None:
    first, second = (hard(at, bounce_sub_type="Suppressed") for at in (0, 20))
    assert only(first, second).until == day(20 + 14)


def test_the_account_level_list_repeats_a_bounce_or_a_complaint_without_end() -> None:
    bounced = only(hard(bounce_sub_type="OnAccountSuppressionList"))
    complained = only(complaint(sub_type="OnAccountSuppressionList", stream="news"))
    assert (bounced.reason, bounced.origin, bounced.until) == (Reason.BOUNCE, Origin.SES, None)
    assert (complained.reason, complained.origin, complained.until) == (
        Reason.COMPLAINT,
        Origin.SES,
        None,
    )


def test_a_tenants_list_holds_back_that_tenants_mail_for_fourteen_days() -> None:
    bounced = only(tenant_bounce(), stream="tenant:acme")
    complained = only(tenant_complaint(), stream="tenant:acme")
    assert (bounced.rule, bounced.reason) == (Rule.TENANT_LIST_BOUNCE, Reason.BOUNCE)
    assert (complained.rule, complained.reason) == (Rule.TENANT_LIST_COMPLAINT, Reason.COMPLAINT)
    assert {(one.origin, one.until) for one in (bounced, complained)} == {(Origin.SES, day(14))}
    assert only(tenant_bounce(0), tenant_bounce(20), stream="tenant:acme").until == day(20 + 14)


def test_each_tenant_has_its_own_hold_and_none_holds_back_a_stream_of_its_name() -> None:
    found = verdict(tenant_bounce(), tenant_bounce(1, tenant="initech", stream="acme"))
    assert sorted(found) == ["tenant:acme", "tenant:initech"]


def test_a_tenants_list_is_only_recorded_when_the_tenant_is_not_named() -> None:
    for evidence in (tenant_bounce(tenant=None), tenant_complaint(tenant=None)):
        assert verdict(evidence) == {}
        assert steps(evidence)[evidence.id][1] is Effect.RECORDED


def test_a_reactivation_without_a_stream_lifts_tenants_holds_and_one_with_a_stream_does_not() -> (
    None
):
    held = [tenant_bounce(stream="news"), tenant_complaint(1, stream="news")]
    assert verdict(*held, reactivate(2)) == {}
    assert list(verdict(*held, reactivate(2, stream="news"))) == ["tenant:acme"]
    assert list(verdict(*held, reactivate(2, stream="acme"))) == ["tenant:acme"]


def test_a_complaint_on_a_tenants_list_wants_consent_as_any_other() -> None:
    assert has_complained(JANE, [tenant_complaint()], POLICY, stream=None)
    assert not has_complained(JANE, [tenant_bounce()], POLICY, stream=None)


@pytest.mark.parametrize("make", [opt_out, unsubscribed_bounce])
@pytest.mark.parametrize(("stream", "held"), [("news", "news"), (None, EVERY_STREAM)])
def test_an_unsubscription_is_manual_without_end_on_its_stream_or_on_every_stream(
    make: Callable[..., Evidence], stream: str | None, held: str
) -> None:
    found = only(make(0, stream=stream), stream=held)
    assert (found.rule, found.reason) == (Rule.UNSUBSCRIBED, Reason.MANUAL)
    assert (found.origin, found.until) == (Origin.SES, None)


@pytest.mark.parametrize("make", [opt_out, unsubscribed_bounce])
@pytest.mark.parametrize("stream", ["news", None])
def test_subscribing_again_lifts_an_unsubscription_before_it_on_the_same_stream(
    make: Callable[..., Evidence], stream: str | None
) -> None:
    before, again = make(0, stream=stream), opt_in(1, stream=stream)
    assert verdict(before, again) == {}
    assert steps(before, again)[again.id] == (Rule.SUBSCRIBED, Effect.VOIDS)
    assert verdict(before, again, make(2, stream=stream)) != {}
    assert verdict(opt_in(0, stream=stream), make(1, stream=stream)) != {}


def test_subscribing_lifts_no_unsubscription_of_another_stream() -> None:
    assert list(verdict(opt_out(0, stream="news"), opt_in(1, stream="receipts"))) == ["news"]
    assert list(verdict(opt_out(0, stream="news"), opt_in(1))) == ["news"]
    assert list(verdict(opt_out(0), opt_in(1, stream="news"))) == [EVERY_STREAM]
    assert list(verdict(unsubscribed_bounce(0), opt_in(1, stream="news"))) == [EVERY_STREAM]


def test_subscribing_to_all_mail_lifts_what_ses_did_not_send_on_any_stream() -> None:
    bounce = unsubscribed_bounce(0, stream="news")
    assert verdict(bounce, opt_in(1)) == {}
    assert list(verdict(bounce, opt_in(1), opt_out(1, stream="news"))) == ["news"]


def test_subscribing_lifts_nothing_but_unsubscriptions() -> None:
    for other in (
        complaint(0),
        hard(0),
        block(0),
        hard(0, bounce_sub_type="OnAccountSuppressionList"),
        tenant_bounce(0),
        piece(Kind.SUPPRESS, 0, by="x", note="x"),
        piece(Kind.IMPORT, 0, by="x", note="x"),
    ):
        assert verdict(other, opt_in(1)) == verdict(other) != {}
    assert steps(hard(0), opt_in(1))["subscription-True-1"][1] is Effect.RECORDED


def test_a_late_bounce_of_mail_from_before_a_subscription_is_lifted_too() -> None:
    late = unsubscribed_bounce(2, stream="news", mail_at=day(0))
    assert verdict(opt_in(1, stream="news"), late) == {}


def test_of_an_unsubscription_and_a_subscription_at_one_time_the_unsubscription_counts() -> None:
    assert list(verdict(opt_out(0), opt_in(0))) == [EVERY_STREAM]


def test_a_reactivation_lifts_an_unsubscription_and_a_void_of_a_subscription_brings_it_back() -> (
    None
):
    assert verdict(opt_out(0, stream="news"), reactivate(1)) == {}
    assert verdict(opt_out(0, stream="news"), reactivate(1, stream="news")) == {}
    again = opt_in(1)
    assert list(verdict(opt_out(0), again, void(2, again))) == [EVERY_STREAM]


@pytest.mark.parametrize(
    "fields",
    [{"action": "delayed"}, {"action": "Delayed"}, {"status": "4.0.0"}, {"status": "4.4.7"}],
)
def test_a_recipient_of_a_permanent_bounce_that_is_only_delayed_is_counted_as_transient(
    fields: dict[str, Any],
) -> None:
    bounce = hard(**fields)
    assert verdict(bounce) == {}
    assert steps(bounce) == {bounce.id: (Rule.TRANSIENT_BOUNCE, Effect.COUNTED)}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "5.7.1"},
        {"status": "5.6.0"},
        {"status": "5.0.0", "diagnostic": "smtp; 550 5.7.606 denied"},
        {"diagnostic": "550 5.7.1 rejected"},
        {"diagnostic": "554 your host is Blocked"},
        {"status": "5.0.0", "diagnostic": "550 looks like SPAM"},
    ],
)
def test_a_block_is_not_a_dead_mailbox_and_ends_after_seven_days(fields: dict[str, Any]) -> None:
    found = only(hard(**fields))
    assert (found.rule, found.until) == (Rule.BLOCK, day(7))


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "5.1.1", "diagnostic": "550 5.1.1 not spam, just unknown; see blocked senders"},
        {"diagnostic": "550 5.1.1 blocked"},
        {"status": "5.1.1", "diagnostic": "550 5.7.1 blocked"},
        {"diagnostic": "550 no such user"},
    ],
)
def test_a_telling_status_code_speaks_before_any_text(fields: dict[str, Any]) -> None:
    assert only(hard(**fields)).rule is Rule.HARD_BOUNCE


def test_each_earlier_block_doubles_the_next_up_to_112_days() -> None:
    days = [0, 10, 30, 70, 150, 300]
    evidence = [block(at) for at in days]
    lasted = [step.until for step in decide(JANE, evidence, POLICY).steps]
    assert lasted == [
        day(at + length) for at, length in zip(days, [7, 14, 28, 56, 112, 112], strict=True)
    ]


def test_several_blocks_of_one_day_are_one_that_of_the_mail_that_was_sent_last() -> None:
    assert only(block(0), block(0.2), block(0.4)).until == day(7.4)
    late = block(0.5, mail_at=day(-1))
    assert only(block(0), late).until == day(7)
    assert only(block(0), late, reactivate(-0.5)).until == day(7)


def test_no_more_blocks_double_a_hold_than_are_kept() -> None:
    policy = Policy(block_hold_days=1, longest_hold_days=3650)
    days = DAYS_KEPT[Rule.BLOCK]
    assert only(*(block(at) for at in range(days - 1)), policy=policy).until == day(11 + 2**11)
    assert only(*(block(at) for at in range(days + 9)), policy=policy).until == day(21 + 3650)


# --- transient bounces


def test_one_transient_bounce_is_counted_and_holds_nothing_back() -> None:
    assert verdict(transient()) == {}
    assert steps(transient()) == {"bounce-0": (Rule.TRANSIENT_BOUNCE, Effect.COUNTED)}


def test_five_transient_bounces_in_a_row_hold_mail_for_fourteen_days() -> None:
    found = only(*(transient(at) for at in range(5)))
    assert (found.reason, found.rule, found.since, found.until) == (
        Reason.BOUNCE,
        Rule.TRANSIENT_BOUNCE,
        day(4),
        day(18),
    )
    assert verdict(*(transient(at) for at in range(4))) == {}


def test_transient_bounces_of_one_utc_day_count_once() -> None:
    assert verdict(*(transient(0.1 * at) for at in range(6))) == {}


def test_transient_bounces_in_a_row_need_not_be_of_the_same_fortnight() -> None:
    for days in (7, 30):
        row = [transient(at * days) for at in range(5)]
        assert verdict(*row[:4]) == {}
        assert only(*row).since == row[-1].at
        assert verdict(*row[:4], delivery(3.5 * days), row[4]) == {}


def test_where_there_is_a_window_transient_bounces_have_to_fall_into_it() -> None:
    window = Policy(transient_window_days=14)
    assert verdict(*(transient(at) for at in (0, 4, 8, 12, 14.5)), policy=window) == {}
    assert only(*(transient(at) for at in (0, 4, 8, 12, 14)), policy=window).since == day(14)
    weekly = [transient(7 * at) for at in range(52)]
    assert verdict(*weekly, policy=window) == {}


def test_beyond_forty_days_each_bounce_makes_a_hold() -> None:
    days = DAYS_KEPT[Rule.TRANSIENT_BOUNCE]
    for more in range(3):
        assert only(*(transient(at) for at in range(days + more))).until == day(
            days + more - 1 + 112
        )


def test_a_hold_empties_the_row() -> None:
    nine = [transient(at) for at in range(9)]
    assert only(*nine).until == day(18)
    assert only(*nine, transient(9)).until == day(9 + 28)


def test_each_earlier_hold_doubles_the_next_up_to_112_days() -> None:
    evidence = [transient(at) for at in range(25)]
    lasted = [step.until for step in decide(JANE, evidence, POLICY).steps if step.until]
    assert lasted == [day(4 + 14), day(9 + 28), day(14 + 56), day(19 + 112), day(24 + 112)]


@pytest.mark.parametrize("sub_type", ["MessageTooLarge", "ContentRejected", "AttachmentRejected"])
def test_what_the_message_is_at_fault_for_is_never_counted(sub_type: str) -> None:
    bounces = [transient(at, bounce_sub_type=sub_type, status="5.3.4") for at in range(8)]
    assert verdict(*bounces) == {}
    assert steps(bounces[0]) == {"bounce-0": (Rule.MESSAGE_FAULT, Effect.RECORDED)}


@pytest.mark.parametrize(
    ("bounce_type", "sub_type"),
    [("Transient", "General"), ("Transient", "Undetermined"), ("Undetermined", "Undetermined")],
)
def test_a_bounce_without_a_delivery_report_is_an_automatic_reply(
    bounce_type: str, sub_type: str
) -> None:
    reply = transient(bounce_type=bounce_type, bounce_sub_type=sub_type)
    assert steps(reply) == {reply.id: (Rule.AUTOMATIC_REPLY, Effect.RECORDED)}
    reports: list[dict[str, Any]] = [
        {"action": "failed"},
        {"status": "5.0.0"},
        {"diagnostic": "550"},
    ]
    for field in reports:
        assert steps(replace(reply, **field)) == {reply.id: (Rule.TRANSIENT_BOUNCE, Effect.COUNTED)}


@pytest.mark.parametrize(
    "report", [{"status": "5.0.0"}, {"action": "failed"}, {"diagnostic": "I am away"}], ids=str
)
def test_of_a_mail_that_was_delivered_half_a_report_is_an_automatic_reply(
    report: dict[str, str],
) -> None:
    reply = transient(1, bounce_sub_type="General", mail_at=day(0), **report)
    assert steps(reply)[reply.id] == (Rule.TRANSIENT_BOUNCE, Effect.COUNTED)
    assert steps(reply, delivery(0))[reply.id][1] is Effect.VOIDED
    assert steps(reply, delivery(-0.1))[reply.id][1] is Effect.COUNTED, "another mail"
    assert steps(reply, delivery(0), void(2, delivery(0)))[reply.id][1] is Effect.COUNTED


@pytest.mark.parametrize("sub_type", ["General", "MailboxFull"])
def test_a_whole_report_of_a_failure_is_a_bounce_though_the_mail_was_delivered(
    sub_type: str,
) -> None:
    failed = transient(1, bounce_sub_type=sub_type, action="failed", status="5.0.0", mail_at=day(0))
    assert steps(failed, delivery(0))[failed.id] == (Rule.TRANSIENT_BOUNCE, Effect.COUNTED)


@pytest.mark.parametrize("bounce_type", [None, "Undetermined", "Invented"])
def test_a_bounce_of_an_unknown_type_is_counted(bounce_type: str | None) -> None:
    bounce = transient(bounce_type=bounce_type, bounce_sub_type="Invented", status="5.0.0")
    assert steps(bounce) == {bounce.id: (Rule.TRANSIENT_BOUNCE, Effect.COUNTED)}


# --- deliveries


def test_a_delivery_voids_the_transient_bounces_before_it() -> None:
    before = [transient(at) for at in range(4)]
    assert verdict(*before, delivery(3.5), transient(4)) == {}
    found = steps(*before, delivery(3.5), transient(4))
    assert {found[one.id][1] for one in before} == {Effect.VOIDED}
    assert found["delivery:delivered"] == (Rule.DELIVERY, Effect.VOIDS)
    assert decide(JANE, [transient(4), delivery(3.5)], POLICY).steps[1].count == 1


def test_a_delivery_lifts_a_hold_of_transient_bounces_and_its_doubling() -> None:
    five = [transient(at) for at in range(5)]
    assert verdict(*five, delivery(6)) == {}
    again = [transient(at) for at in range(7, 12)]
    assert only(*five, delivery(6), *again).until == day(11 + 14)


def test_a_delivery_says_nothing_while_mail_is_under_way_that_bounces() -> None:
    """A mailbox that takes its mails and lets them bounce takes none, however many a day."""
    four = [transient(at) for at in range(4)]
    bounced = transient(4.2, mail_at=day(4))
    for at in (4, 4.1, 4.2):
        assert only(*four, delivery(at), bounced).since == day(4.2)
    for at in (3.9, 4.3):
        assert verdict(*four, delivery(at), bounced) == {}
    reply = transient(4.2, mail_at=day(4), bounce_sub_type="General")
    assert verdict(*four, delivery(4.1), reply, transient(5)) == {}, "an automatic reply is no word"
    assert verdict(*four, delivery(4.1), bounced, void(6, bounced), transient(5)) == {}


def test_between_the_mails_of_a_day_that_bounced_a_delivery_says_nothing() -> None:
    four = [transient(at) for at in range(4)]
    morning, evening = transient(4.1, mail_at=day(4)), transient(4.5, mail_at=day(4.4))
    assert only(*four, morning, delivery(4.3), evening).since == day(4.5)
    assert verdict(*four, morning, delivery(4.3)) == {}
    assert verdict(*four, morning, delivery(4.6), evening) == {}


def test_a_mail_before_midnight_that_bounces_after_it_has_bounced() -> None:
    """Mails at 23:54 and 00:12, each of which is accepted and bounces 20 minutes later."""
    midnight, minute = day(1).replace(hour=0), timedelta(minutes=1)
    pieces = []
    for number in range(5):
        for sent_at in (-6 * minute, 12 * minute):
            at = midnight + number * timedelta(days=1) + sent_at
            bounced = transient(mail_at=at, id=f"b-{at}")
            arrived = delivery(mail_id=f"{at}")
            pieces += [replace(bounced, at=at + 20 * minute), replace(arrived, at=at)]
    assert only(*pieces).rule is Rule.TRANSIENT_BOUNCE


def test_a_delivery_touches_nothing_else() -> None:
    assert only(hard(0), delivery(1)).rule is Rule.HARD_BOUNCE
    assert only(block(0), delivery(1)).rule is Rule.BLOCK
    assert only(complaint(0), delivery(1)).rule is Rule.COMPLAINT


# --- complaints


@pytest.mark.parametrize("feedback_type", ["abuse", "fraud", "virus", "other", None, "invented"])
def test_a_complaint_suppresses_without_end(feedback_type: str | None) -> None:
    found = only(complaint(feedback_type=feedback_type))
    assert (found.reason, found.rule, found.until) == (Reason.COMPLAINT, Rule.COMPLAINT, None)


def test_a_complaint_holds_back_its_stream_or_every_stream() -> None:
    assert only(complaint(stream="news"), stream="news").reason is Reason.COMPLAINT
    assert only(complaint()).stream == EVERY_STREAM


def test_a_complaint_does_not_block_a_stream_that_the_policy_exempts() -> None:
    policy = Policy(complaints_do_not_block=frozenset({"security"}))
    assert verdict(complaint(stream="security"), policy=policy) == {}
    assert list(verdict(complaint(stream="news"), policy=policy)) == ["news"]
    assert list(verdict(piece(Kind.SUPPRESS, stream="security"), policy=policy)) == ["security"]
    found = verdict(complaint(stream="security"), hard(1), policy=policy)
    assert found[EVERY_STREAM].rule is Rule.HARD_BOUNCE, "what comes after it counts"


def test_a_not_spam_has_nothing_to_take_back_where_complaints_do_not_block() -> None:
    policy = Policy(complaints_do_not_block=frozenset({"news"}))
    evidence = [complaint(0, certain=False, stream="news"), not_spam(1, stream="news")]
    assert {effect for _, effect in steps(*evidence, policy=policy).values()} == {Effect.RECORDED}


def test_a_tally_under_a_rule_of_a_newer_version_holds_mail_back() -> None:
    assert rule_of(piece(Kind.TALLY, rule="of-a-newer-version")) is Rule.SUPPRESS


def test_mail_of_no_tenant_has_no_key_of_a_tenant() -> None:
    assert keys_of_mail("news", None) == [EVERY_STREAM, "news"]
    assert keys_of_mail(None, "acme") == [EVERY_STREAM, "tenant:acme"]


def test_an_authentication_failure_is_recorded() -> None:
    report = complaint(feedback_type="auth-failure")
    assert steps(report) == {report.id: (Rule.AUTHENTICATION_FAILURE, Effect.RECORDED)}


def test_the_complaint_says_whether_it_is_certain() -> None:
    assert only(complaint(certain=True)).certain
    assert not only(complaint(certain=False)).certain


def not_spam(at: float, **fields: object) -> Evidence:
    return complaint(at, **{"feedback_type": "not-spam", "id": f"not-spam-{at}", **fields})


def test_a_certain_not_spam_lifts_an_uncertain_complaint_about_the_same_mail() -> None:
    doubtful = complaint(0, certain=False)
    assert verdict(doubtful, not_spam(1)) == {}
    assert steps(doubtful, not_spam(1)) == {
        doubtful.id: (Rule.COMPLAINT, Effect.VOIDED),
        "not-spam-1": (Rule.NOT_SPAM, Effect.VOIDS),
    }


@pytest.mark.parametrize(
    ("complained", "taken_back"),
    [
        (complaint(0, certain=True), not_spam(1)),
        (complaint(0, certain=False), not_spam(1, certain=False)),
        (complaint(0, certain=False), not_spam(1, mail_id="m2")),
        (complaint(0, certain=False), not_spam(1, stream="news")),
        (complaint(2, certain=False), not_spam(1)),
        (complaint(0, certain=False, mail_id=None), not_spam(1, mail_id=None)),
    ],
    ids=["certain", "uncertain taking back", "another mail", "another stream", "before", "no mail"],
)
def test_any_other_not_spam_is_recorded(complained: Evidence, taken_back: Evidence) -> None:
    assert EVERY_STREAM in verdict(complained, taken_back)
    assert steps(complained, taken_back)[taken_back.id] == (Rule.NOT_SPAM, Effect.RECORDED)


# --- operators


def test_an_operator_suppresses_for_a_while_or_without_end_and_on_a_stream() -> None:
    found = only(piece(Kind.SUPPRESS, 0, until=day(1), by="ann", note="asked by phone"))
    assert (found.reason, found.origin, found.until) == (Reason.MANUAL, Origin.OPERATOR, day(1))
    assert only(piece(Kind.SUPPRESS)).until is None
    assert only(piece(Kind.SUPPRESS, stream="news"), stream="news").reason is Reason.MANUAL


@pytest.mark.parametrize(
    ("reason", "becomes"),
    [
        ("BOUNCE", Reason.BOUNCE),
        ("COMPLAINT", Reason.COMPLAINT),
        (None, Reason.MANUAL),
        ("x", Reason.MANUAL),
    ],
)
def test_an_import_keeps_its_reason(reason: str | None, becomes: Reason) -> None:
    found = only(piece(Kind.IMPORT, reason=reason))
    assert (found.reason, found.rule, found.origin) == (becomes, Rule.IMPORT, Origin.OPERATOR)


def test_after_a_reactivation_nothing_before_it_counts() -> None:
    before = [
        hard(0),
        block(0.5),
        complaint(1),
        piece(Kind.SUPPRESS, 2),
        *(transient(at) for at in range(5)),
    ]
    assert verdict(*before, reactivate(6)) == {}
    assert {effect for _, effect in steps(*before, reactivate(6)).values()} == {
        Effect.VOIDED,
        Effect.VOIDS,
    }
    assert only(*before, reactivate(6), hard(7)).since == day(7)


def test_a_reactivation_does_not_lift_what_happens_at_its_moment() -> None:
    assert only(hard(6), reactivate(6)).rule is Rule.HARD_BOUNCE


def test_a_late_bounce_of_mail_from_before_the_reactivation_has_no_effect() -> None:
    assert verdict(reactivate(6), hard(7, mail_at=day(5))) == {}
    assert only(reactivate(6), hard(7, mail_at=day(6.5))).since == day(7)


def test_what_is_dated_ten_years_ago_pins_nothing() -> None:
    long_ago = -3_650
    window = Policy(transient_window_days=14)
    assert verdict(transient(long_ago), *(transient(at) for at in range(4)), policy=window) == {}
    assert verdict(hard(long_ago), reactivate(0)) == {}
    assert only(reactivate(long_ago), hard(0)).since == day(0)
    assert only(delivery(long_ago), *(transient(at) for at in range(5))).since == day(4)


def test_without_consent_no_complaint_is_lifted_whenever_it_comes() -> None:
    complained = [
        complaint(0),
        complaint(0, sub_type="OnAccountSuppressionList"),
        piece(Kind.IMPORT, 0, reason="COMPLAINT"),
    ]
    for one in complained:
        assert only(one, reactivate(1, consent=False)).reason is Reason.COMPLAINT
        assert verdict(one, reactivate(1, consent=True)) == {}
        assert verdict(one, reactivate(1, consent=None)) == {}, "of an earlier version"
    assert verdict(hard(0), reactivate(1, consent=False)) == {}


def test_a_complaint_counts_by_the_later_of_its_time_and_its_mail() -> None:
    assert verdict(reactivate(6), complaint(5, mail_at=day(5.5))) == {}
    assert only(reactivate(6), complaint(5, mail_at=day(7))).reason is Reason.COMPLAINT
    assert only(reactivate(6), complaint(7, mail_at=day(5))).reason is Reason.COMPLAINT


def test_a_reactivation_of_a_stream_lifts_complaints_and_entries_on_that_stream_only() -> None:
    evidence = [
        complaint(0, stream="news", id="c-news"),
        complaint(0, stream="receipts", id="c-receipts"),
        piece(Kind.SUPPRESS, 0, stream="news", id="s-news"),
        hard(0, stream="news", bounce_sub_type="UnsubscribedRecipient", id="u-news"),
        hard(0, stream="news", id="b"),
    ]
    assert set(verdict(*evidence)) == {"news", "receipts", EVERY_STREAM}
    assert set(verdict(*evidence, reactivate(1, stream="news"))) == {"receipts", EVERY_STREAM}
    assert set(verdict(complaint(0), reactivate(1, stream="news"))) == {EVERY_STREAM}


def test_a_stream_reactivation_forgets_no_transient_bounce() -> None:
    five = [transient(at, stream="news") for at in range(5)]
    assert only(*five, reactivate(6, stream="news")).rule is Rule.TRANSIENT_BOUNCE


def test_a_void_takes_away_what_one_piece_of_evidence_did() -> None:
    wrong, real = hard(1), hard(0)
    assert verdict(wrong, void(2, wrong)) == {}
    assert only(wrong, real, void(2, wrong)).since == day(0)


def test_a_void_strikes_out_whatever_its_time() -> None:
    assert verdict(hard(3), void(1, hard(3))) == {}


def test_a_void_can_be_voided_by_a_newer_one() -> None:
    wrong = hard(0)
    undo = void(1, wrong)
    revert = piece(Kind.VOID, 2, voids=undo.id, id="revert")
    assert only(wrong, undo, revert).rule is Rule.HARD_BOUNCE
    assert verdict(wrong, undo, revert, piece(Kind.VOID, 3, voids="revert", id="again")) == {}


def test_an_older_void_cannot_void_a_newer_one() -> None:
    wrong = hard(0)
    undo = void(2, wrong)
    assert verdict(wrong, undo, piece(Kind.VOID, 1, voids=undo.id, id="early")) == {}


def test_a_voided_reactivation_lifts_nothing() -> None:
    assert only(hard(0), reactivate(1), void(2, reactivate(1))).rule is Rule.HARD_BOUNCE


def test_a_void_of_something_unknown_is_recorded() -> None:
    stray = piece(Kind.VOID, 1, voids="gone")
    assert steps(stray) == {stray.id: (Rule.VOID, Effect.RECORDED)}


# --- causes, streams, simulator, never


def test_causes_are_kept_apart_and_the_longest_speaks() -> None:
    short = piece(Kind.SUPPRESS, 0, until=day(1))
    assert only(short, block(0)).reason is Reason.BOUNCE
    assert only(piece(Kind.SUPPRESS, 0, until=day(9)), block(0)).reason is Reason.MANUAL
    assert only(hard(0), short).reason is Reason.BOUNCE


def test_between_causes_that_last_equally_complaint_speaks_before_manual_before_bounce() -> None:
    everything = [hard(0), piece(Kind.SUPPRESS, 0), complaint(0)]
    assert only(*everything).reason is Reason.COMPLAINT
    assert only(*everything[:2]).reason is Reason.MANUAL


def test_of_suppressions_the_one_that_lasts_longest_holds_the_mail() -> None:
    def longest(*suppressions: Suppression) -> Suppression | None:
        streams = {f"{number}": one for number, one in enumerate(suppressions)}
        return hold(streams, streams, day(0))

    short = only(piece(Kind.SUPPRESS, 0, until=day(1)))
    unknown = replace(short, reason="REASON OF A NEWER VERSION")
    assert longest() is None
    assert longest(short, only(hard(0)), short) == only(hard(0))
    bounced = replace(short, reason=Reason.BOUNCE)
    assert longest(unknown, bounced) == longest(bounced, unknown) == bounced
    assert hold({"*": short}, ["*"], day(1)) is None
    assert hold({"news": short}, ["*", "receipts"], day(0)) is None


def test_a_dead_mailbox_stays_dead_when_a_later_complaint_is_taken_back() -> None:
    found = only(hard(0), complaint(1, certain=False), not_spam(2))
    assert (found.reason, found.since) == (Reason.BOUNCE, day(0))


def test_a_cause_that_goes_on_keeps_its_beginning_and_one_that_ended_begins_anew() -> None:
    assert (only(block(0), block(6)).since, only(block(0), block(6)).until) == (day(0), day(6 + 14))
    assert only(block(0), block(8)).since == day(8)
    assert only(block(0), block(7)).since == day(7)
    goes_on = only(block(0), hard(3), block(4))
    assert (goes_on.rule, goes_on.since, goes_on.until) == (Rule.HARD_BOUNCE, day(0), None)


def test_of_two_complaints_the_certain_one_speaks() -> None:
    found = only(complaint(0, certain=False, id="perhaps"), complaint(1, certain=True, id="surely"))
    assert (found.certain, found.evidence_id, found.since) == (True, "surely", day(0))


def test_a_suppression_of_the_simulator_ends_after_a_day_and_its_record_with_it() -> None:
    address = "bounce+x@simulator.amazonses.com"
    for evidence in (hard(0), complaint(0), piece(Kind.SUPPRESS, 0), block(0)):
        decision = decide(address, [evidence], POLICY)
        assert decision.suppressions[EVERY_STREAM].until == day(1)
        assert expires_at(address, decision, POLICY) == day(1).timestamp()
    shorter = decide(address, [piece(Kind.SUPPRESS, 0, until=day(0.5))], POLICY)
    assert shorter.suppressions[EVERY_STREAM].until == day(0.5)


@pytest.mark.parametrize("spared", ["jane@example.com", "example.com"])
def test_what_is_never_suppressed_is_recorded(spared: str) -> None:
    policy = Policy(never_suppress=frozenset({spared}))
    assert verdict(hard(0), complaint(0), policy=policy) == {}
    assert steps(hard(0), policy=policy) == {"bounce-0": (Rule.HARD_BOUNCE, Effect.RECORDED)}
    assert verdict(hard(0), policy=policy, address="joe@example.net") != {}


def test_thresholds_are_the_policys() -> None:
    policy = Policy(
        transient_bounces=2, transient_hold_days=3, block_hold_days=5, longest_hold_days=8
    )
    assert only(transient(0), transient(1), policy=policy).until == day(4)
    assert only(block(0), block(1), policy=policy).until == day(1 + 8)
    assert only(block(0), policy=Policy(block_hold_days=9, longest_hold_days=5)).until == day(9)


# --- expiry


def expiry(*evidence: Evidence) -> int | None:
    return expires_at(JANE, decide(JANE, evidence, POLICY), POLICY)


def test_a_record_never_expires_while_a_suppression_has_no_end() -> None:
    assert expiry(hard(0)) is None
    assert expiry(complaint(0, stream="news"), block(0)) is None


def test_a_record_expires_after_its_last_verdict_or_400_days_after_its_newest_evidence() -> None:
    assert expiry(transient(0), transient(1)) == day(401).timestamp()
    assert expiry(block(0)) == day(400).timestamp()
    assert expiry(piece(Kind.SUPPRESS, 0, until=day(900))) == day(900).timestamp()


def test_times_of_the_verdict_are_whole_seconds() -> None:
    late = replace(block(0), at=day(0) + timedelta(microseconds=999_999))
    assert (only(late).since, only(late).until) == (day(0), day(7))


def test_the_end_of_time_is_no_error() -> None:
    last = replace(block(0), at=datetime.max.replace(tzinfo=UTC))
    assert only(last).until == datetime.max.replace(tzinfo=UTC, microsecond=0)


# --- properties


@given(evidence_with_voids(any_evidence, max_size=12), st.randoms())
def test_the_order_of_the_evidence_never_changes_the_verdict(
    evidence: list[Evidence],
    random: st.randoms,  # type: ignore[valid-type]  # Hypothesis' own
) -> None:
    shuffled = evidence.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(JANE, shuffled, POLICY) == decide(JANE, evidence, POLICY)


@given(evidence_with_voids(any_evidence, max_size=12))
def test_every_piece_of_evidence_is_explained_once_and_in_order(evidence: list[Evidence]) -> None:
    explained = [step.evidence for step in decide(JANE, evidence, POLICY).steps]
    assert explained == sorted(evidence, key=lambda one: (one.at, one.id))


@given(evidence_with_voids(any_evidence, max_size=12))
def test_a_verdict_rests_on_evidence_that_suppresses(evidence: list[Evidence]) -> None:
    decision = decide(JANE, evidence, POLICY)
    suppressing = {step.evidence.id for step in decision.steps if step.effect is Effect.SUPPRESSES}
    assert {found.evidence_id for found in decision.suppressions.values()} <= suppressing
    assert bool(suppressing) == bool(decision.suppressions)


@given(evidence_with_voids(any_evidence, max_size=12), any_evidence)
def test_a_suppression_without_end_never_disappears_without_an_operators_action(
    evidence: list[Evidence], new: Evidence
) -> None:
    """There are three exceptions.

    A certain not-spam lifts its uncertain complaint; a recipient may subscribe again; another copy
    of a known event may narrow `*` to a stream.
    """
    assume(new.kind not in OPERATOR_KINDS)
    before = decide(JANE, merge((), evidence), POLICY).suppressions
    after = decide(JANE, merge(evidence, [new]), POLICY).suppressions
    lost = {
        stream
        for stream, suppression in before.items()
        if suppression.until is None and (stream not in after or after[stream].until is not None)
    }
    if lost:
        takes_back = rule_of(new) is Rule.NOT_SPAM and new.certain
        is_a_copy = new.id in {known.id for known in evidence}
        subscribes = rule_of(new) is Rule.SUBSCRIBED
        assert takes_back or subscribes or is_a_copy


@given(st.lists(chimeras(), max_size=20))
def test_no_evidence_however_odd_makes_the_decision_raise(evidence: list[Evidence]) -> None:
    decision = decide(JANE, evidence, POLICY)
    expires_at(JANE, decision, POLICY)
    assert len(decision.steps) == len(evidence)


def test_of_an_undo_the_newest_word_on_each_target_speaks() -> None:
    one, other = hard(0), hard(0.5)
    again = piece(Kind.VOID, 3, voids=one.id, undo="undo-1", lifted=True)
    assert verdict(one, void(1, one)) == {}
    assert verdict(one, void(1, one), again)["*"].until is None
    assert verdict(one, other, void(1, other), void(2, one), void(3, one)) == {}


def test_a_delivery_while_ses_still_tries_strikes_out_no_bounce_that_comes_later() -> None:
    given_up = transient(1, mail_at=day(0.4), status="4.4.7")
    for at, is_voided in ((0.5, False), (1, False), (1.1, True)):
        (step,) = [
            step
            for step in decide(JANE, [given_up, delivery(at)], POLICY).steps
            if step.evidence == given_up
        ]
        assert (step.effect is Effect.VOIDED) is is_voided, at


def test_mail_is_under_way_from_the_first_that_was_sent_to_the_last_that_bounced() -> None:
    """Also over midnight, which is two thirds of a day after the start; not if SES gave it up."""
    evening, night = transient(0.6, mail_at=day(0.5)), transient(0.8, mail_at=day(0.55))
    under_way = UnderWay([evening, night, transient(3, mail_at=day(2.9))])
    within = [0.5, 0.55, 0.6, 0.7, 0.8, 2.9, 3]
    assert [at for at in within if day(at) not in under_way] == []
    assert [at for at in (0.49, 0.81, 2.89, 3.01) if day(at) in under_way] == []
    nearly = transient(1, mail_at=day(1) - GIVEN_UP + timedelta(seconds=1))
    assert day(0.9) in UnderWay([nearly])
    assert day(0.9) not in UnderWay([transient(1, mail_at=day(1) - GIVEN_UP)])
