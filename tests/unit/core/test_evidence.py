import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.core.evidence import TENANT_LIST, Evidence, Kind, join
from tests.builders import (
    LATER,
    NOON,
    attributed,
    bounce_notification,
    changed,
    complaint_notification,
    delivery_notification,
    evidence_of,
    iso,
    subscription_event,
)
from tests.strategies import copies_of_one_event


def test_a_bounce_is_about_the_address_that_was_mailed() -> None:
    ((address, evidence),) = attributed(
        bounce_notification("Jane@example.com", status="5.1.1")
    ).evidence
    assert address == "jane@example.com"
    assert evidence == Evidence(
        id="feedback-1",
        kind=Kind.BOUNCE,
        at=NOON,
        mail_id="mail-1",
        mail_at=NOON,
        identity="example.com",
        bounce_type="Permanent",
        bounce_sub_type="General",
        status="5.1.1",
    )


def test_a_forwarded_bounce_belongs_to_the_one_destination() -> None:
    body = changed(
        bounce_notification("other@elsewhere.example"),
        "mail.destination",
        ["Jane <jane@example.com>"],
    )
    ((address, evidence),) = attributed(body).evidence
    assert address == "jane@example.com"
    assert evidence.reported_as == "other@elsewhere.example"


def test_a_forwarded_bounce_of_several_destinations_belongs_to_nobody() -> None:
    body = changed(
        bounce_notification("other@elsewhere.example"),
        "mail.destination",
        ["jane@example.com", "joe@example.com"],
    )
    attribution = attributed(body)
    assert attribution.evidence == ()
    assert attribution.unattributed == ("bounce.bouncedRecipients[0].emailAddress",)


def test_a_destination_that_the_report_does_not_name_is_not_touched() -> None:
    body = changed(
        bounce_notification("jane@example.com"),
        "mail.destination",
        ["jane@example.com", "joe@example.com"],
    )
    assert [address for address, _ in attributed(body).evidence] == ["jane@example.com"]


def test_without_a_destination_the_named_address_is_taken() -> None:
    body = changed(bounce_notification("jane@example.com"), "mail.destination", None)
    assert [address for address, _ in attributed(body).evidence] == ["jane@example.com"]


def test_beside_a_destination_that_cannot_be_read_nobody_is_meant_by_elimination() -> None:
    destination = ["jane@example.com", '12" records <bob@example.com>']
    attribution = attributed(
        changed(bounce_notification("bob@example.com"), "mail.destination", destination)
    )
    assert attribution.evidence == ()
    assert len(attribution.unattributed) == 1
    complained = attributed(
        changed(complaint_notification("jane@example.com"), "mail.destination", destination)
    )
    assert evidence_of(complained).certain is False


def test_one_destination_that_cannot_be_read_leaves_the_named_address() -> None:
    attribution = attributed(
        changed(bounce_notification("bob@example.com"), "mail.destination", ["undisclosed"])
    )
    assert [address for address, _ in attribution.evidence] == ["bob@example.com"]


def test_two_reports_about_one_destination_are_two_pieces_of_evidence() -> None:
    body = changed(bounce_notification("x"), "mail.destination", ["jane@example.com"])
    named = ["a@elsewhere.example", "b@elsewhere.example", "jane@example.com"]
    body = changed(body, "bounce.bouncedRecipients", [{"emailAddress": one} for one in named])
    evidence = attributed(body).evidence
    assert {address for address, _ in evidence} == {"jane@example.com"}
    assert len({piece.id for _, piece in evidence}) == 3
    assert evidence[2][1].id == "feedback-1"
    assert evidence == attributed(body, received_at=LATER + timedelta(days=1)).evidence


def test_a_recipient_that_is_no_address_belongs_to_the_one_destination_or_is_broken() -> None:
    body = changed(bounce_notification("undisclosed"), "mail.destination", ["jane@example.com"])
    ((address, evidence),) = attributed(body).evidence
    assert (address, evidence.reported_as) == ("jane@example.com", "undisclosed")
    attribution = attributed(changed(bounce_notification("undisclosed"), "mail.destination", []))
    assert [str(error) for error in attribution.broken] == [
        "bounce.bouncedRecipients[0].emailAddress: not an e-mail address"
    ]


def test_the_same_feedback_through_both_channels_is_one_piece_of_evidence() -> None:
    by_identity = bounce_notification("jane@example.com")
    document = {**json.loads(by_identity), "eventType": "Bounce"}
    del document["notificationType"]
    document["mail"]["tags"] = {"campaign": ["spring"]}
    one = evidence_of(attributed(by_identity, stream_tag="campaign"))
    other = evidence_of(attributed(json.dumps(document), stream_tag="campaign"))
    assert one.id == other.id
    assert join(one, other).stream == "spring"


def test_feedback_without_an_id_gets_the_same_one_each_time_and_another_for_another_time() -> None:
    body = changed(bounce_notification("jane@example.com"), "bounce.feedbackId", None)
    again = evidence_of(attributed(body, received_at=LATER + timedelta(hours=1)))
    other = evidence_of(
        attributed(changed(body, "bounce.timestamp", iso(NOON + timedelta(minutes=1))))
    )
    assert evidence_of(attributed(body)).id == again.id != other.id


def test_a_delivery_is_known_by_its_mail() -> None:
    assert (
        evidence_of(attributed(delivery_notification("jane@example.com"))).id == "delivery:mail-1"
    )


def test_no_time_is_later_than_the_receipt() -> None:
    body = bounce_notification("jane@example.com", at=LATER + timedelta(days=3_650))
    evidence = evidence_of(attributed(body))
    assert evidence.at == evidence.mail_at == LATER


def test_feedback_without_a_time_has_that_of_its_receipt() -> None:
    assert (
        evidence_of(
            attributed(changed(bounce_notification("jane@example.com"), "bounce.timestamp", "soon"))
        ).at
        == LATER
    )


@pytest.mark.parametrize(
    ("destination", "named", "certain"),
    [
        (["jane@example.com"], ["jane@example.com"], True),
        (["jane@example.com", "joe@elsewhere.example"], ["jane@example.com"], True),
        (["jane@example.com", "joe@example.com"], ["jane@example.com"], False),
        (["jane@example.com", "joe@example.com"], ["jane@example.com", "joe@example.com"], False),
    ],
)
def test_a_complaint_is_certain_when_nobody_else_can_have_made_it(
    destination: list[str], named: list[str], certain: bool
) -> None:
    body = changed(complaint_notification("jane@example.com"), "mail.destination", destination)
    body = changed(body, "complaint.complainedRecipients", [{"emailAddress": one} for one in named])
    assert {evidence.certain for _, evidence in attributed(body).evidence} == {certain}


@pytest.mark.parametrize(
    ("tags", "stream"),
    [
        ({"list": ["news"]}, "news"),
        ({"list": ["news", "more"]}, "news"),
        ({"list": ["*"]}, None),
        ({"list": ["tenant:acme"]}, None),
        ({"list": ["tenants"]}, "tenants"),
        ({"list": ["s" * 256]}, "s" * 256),
        ({"list": []}, None),
        ({"other": ["news"]}, None),
        (None, None),
    ],
)
def test_the_stream_of_a_mail_is_the_value_of_the_configured_tag(
    tags: Any, stream: str | None
) -> None:
    body = changed(bounce_notification("jane@example.com"), "mail.tags", tags)
    assert evidence_of(attributed(body, stream_tag="list")).stream == stream
    assert evidence_of(attributed(body)).stream is None


@pytest.mark.parametrize("tag", ["ses:from-domain", "t" * 256])
def test_a_tag_with_a_colon_or_a_long_name_may_be_the_stream(tag: str) -> None:
    body = changed(bounce_notification("jane@example.com"), "mail.tags", {tag: ["example.com"]})
    assert evidence_of(attributed(body, stream_tag=tag)).stream == "example.com"


@pytest.mark.parametrize(
    ("tags", "tenant"),
    [
        ({"ses:tenant-name": ["acme"]}, "acme"),
        ({"ses:tenant-name": ["acme", "initech"]}, "acme"),
        ({"ses:tenant-name": [""]}, None),
        ({"ses:tenant-name": "acme"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_tenant_is_kept_of_feedback_from_a_tenants_list_and_of_no_other(
    tags: Any, tenant: str | None
) -> None:
    bounced = bounce_notification("jane@example.com", sub_type=TENANT_LIST)
    complained = complaint_notification("jane@example.com", complaintSubType=TENANT_LIST)
    for body in (bounced, complained):
        assert evidence_of(attributed(changed(body, "mail.tags", tags))).tenant == tenant
    for body in (
        bounce_notification("jane@example.com"),
        complaint_notification("jane@example.com"),
    ):
        assert evidence_of(attributed(changed(body, "mail.tags", tags))).tenant is None


def test_a_copy_without_the_tenant_and_one_with_it_end_with_the_tenant() -> None:
    by_identity = bounce_notification("jane@example.com", sub_type=TENANT_LIST)
    by_event = changed(by_identity, "mail.tags", {"ses:tenant-name": ["acme"]})
    one, other = evidence_of(attributed(by_identity)), evidence_of(attributed(by_event))
    assert (one.id, one.tenant) == (other.id, None)
    assert join(one, other) == join(other, one) == other


def test_a_subscription_is_one_piece_for_every_stream_and_one_for_each_topic() -> None:
    body = subscription_event(
        "Jane@example.com", unsubscribe_all=True, topics={"news": "OptOut", "offers": "OptIn"}
    )
    found = attributed(body, stream_tag="list").evidence
    assert {address for address, _ in found} == {"jane@example.com"}
    assert [(one.kind, one.stream, one.subscribed, one.at) for _, one in found] == [
        (Kind.SUBSCRIPTION, None, False, NOON),
        (Kind.SUBSCRIPTION, "news", False, NOON),
        (Kind.SUBSCRIPTION, "offers", True, NOON),
    ]


def test_the_tag_of_the_mail_is_not_the_topic() -> None:
    body = changed(
        subscription_event("jane@example.com", unsubscribe_all=True),
        "mail.tags",
        {"list": ["receipts"]},
    )
    assert evidence_of(attributed(body, stream_tag="list")).stream is None


def test_a_subscription_that_says_nothing_about_all_mail_is_no_piece_for_it() -> None:
    assert evidence_of(
        attributed(subscription_event("jane@example.com", topics={"news": "OptIn"}))
    ).subscribed
    assert attributed(subscription_event("jane@example.com")).evidence == ()


def test_the_ids_of_a_subscription_tell_its_topics_times_and_recipients_apart() -> None:
    def ids(address: str = "jane@example.com", **more: Any) -> list[str]:
        body = subscription_event(address, unsubscribe_all=True, topics={"news": "OptOut"}, **more)
        return [one.id for _, one in attributed(body).evidence]

    assert ids() == ids()
    others = [ids(), ids("joe@example.com"), ids(at=LATER), ids(mail_id="mail-2")]
    assert len({one for each in others for one in each}) == 8
    assert all(one.startswith("subscription:") for each in others for one in each)


@pytest.mark.parametrize(
    ("destination", "unattributed", "broken"),
    [
        (["jane@example.com", "joe@example.com"], ("mail.destination",), []),
        (["jane@example.com", "jane doe@example.com"], ("mail.destination",), []),
        ([], (), ["mail.destination: not an e-mail address"]),
        (["jane doe@example.com"], (), ["mail.destination: not an e-mail address"]),
    ],
)
def test_a_subscription_whose_contact_is_not_the_single_destination_is_about_nobody(
    destination: list[str], unattributed: tuple[str, ...], broken: list[str]
) -> None:
    body = changed(
        subscription_event("jane@example.com", unsubscribe_all=True),
        "mail.destination",
        destination,
    )
    attribution = attributed(body)
    assert attribution.evidence == ()
    assert attribution.unattributed == unattributed
    assert [str(error) for error in attribution.broken] == broken


@pytest.mark.parametrize("name", ["*", "tenant:acme"])
def test_a_topic_whose_name_no_stream_can_have_is_put_aside_and_the_others_are_applied(
    name: str,
) -> None:
    body = subscription_event("jane@example.com", topics={name: "OptOut", "news": "OptOut"})
    attribution = attributed(body)
    assert evidence_of(attribution).stream == "news"
    assert [error.field for error in attribution.broken] == [
        "subscription.newTopicPreferences.topicSubscriptionStatus[0].topicName"
    ]


@given(st.lists(copies_of_one_event(), min_size=3, max_size=3))
def test_joining_has_no_order_and_repeats_nothing(copies: list[Evidence]) -> None:
    one, two, three = copies
    assert join(one, two) == join(two, one)
    assert join(join(one, two), three) == join(one, join(two, three))
    assert join(join(one, two), two) == join(one, two)


def test_joining_prefers_what_is_present_and_then_the_smaller() -> None:
    one = Evidence(id="f", kind=Kind.BOUNCE, at=NOON, status="5.1.1")
    other = Evidence(id="f", kind=Kind.BOUNCE, at=LATER, status="4.0.0", action="failed")
    assert join(one, other) == Evidence(
        id="f", kind=Kind.BOUNCE, at=NOON, status="4.0.0", action="failed"
    )
