"""The guard in real boto3 clients; botocore's stubber sees what would go to SES."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ses_suppression.client import AddressesUnknownError, SuppressionList, Unknown
from ses_suppression.errors import AllRecipientsSuppressedError, InvalidAddressError
from ses_suppression.guard import METADATA_KEY, guard, sending
from tests.unit.test_client import NOW, VERDICTS, AnsweringStore

HELD, CLEAR, OTHER = "Held@example.com", "clear@example.com", "other@example.net"
SENDER = "shop@example.com"
TEXT = {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}
TEMPLATED: dict[str, Any] = {"Source": SENDER, "Template": "t", "TemplateData": "{}"}


def raw(**headers: str) -> bytes:
    lines = [f"{name}: {value}" for name, value in {"From": SENDER, **headers}.items()]
    return "\r\n".join([*lines, "", "Hello."]).encode()


class Guarded:
    """A guarded client, and what it would send."""

    def __init__(
        self, service: Any, *, unknown: Unknown = Unknown.HOLD, stream: str | None = None
    ) -> None:
        store = AnsweringStore(VERDICTS, silent=["silent@example.com"])
        suppressions = SuppressionList(store, unknown=unknown, clock=lambda: NOW)
        client: Any = boto3.client(
            service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.client = guard(client, suppressions, stream=stream)
        self.stubber = Stubber(client)

    def call(
        self, method: str, given: dict[str, Any], sent: dict[str, Any], answer: Any = None
    ) -> Any:
        self.stubber.add_response(method, answer or {"MessageId": "m1"}, sent)
        with self.stubber:
            response = getattr(self.client, method)(**given)
        self.stubber.assert_no_pending_responses()
        return response

    def refused(
        self, method: str, given: dict[str, Any], error: type[Exception], match: str
    ) -> Any:
        with self.stubber, pytest.raises(error, match=match) as raised:
            getattr(self.client, method)(**given)
        return raised.value


def to(*addresses: str, **more: list[str]) -> dict[str, list[str]]:
    return {"ToAddresses": list(addresses), **more}


@pytest.mark.parametrize(
    ("service", "method", "more"),
    [
        ("ses", "send_email", {"Source": SENDER, "Message": TEXT}),
        ("ses", "send_templated_email", TEMPLATED),
        ("sesv2", "send_email", {"FromEmailAddress": SENDER, "Content": {"Simple": TEXT}}),
        (
            "sesv2",
            "send_email",
            {"FromEmailAddress": SENDER, "Content": {"Raw": {"Data": raw(To=HELD)}}},
        ),
    ],
)
def test_who_is_held_back_is_taken_out_of_to_cc_and_bcc(
    service: str, method: str, more: dict[str, Any]
) -> None:
    given = to(HELD, CLEAR, CcAddresses=[f"Held <{HELD}>"], BccAddresses=[OTHER, HELD])
    before = {**given}
    response = Guarded(service).call(
        method,
        {**more, "Destination": given},
        {**more, "Destination": to(CLEAR, BccAddresses=[OTHER])},
    )
    assert given == before, "the caller's own parameters are not changed"
    removed = response["ResponseMetadata"][METADATA_KEY]
    assert list(removed) == [HELD, f"Held <{HELD}>"]
    assert removed[HELD].reason == "BOUNCE"


def test_a_mail_that_nobody_is_held_back_from_goes_as_it_is() -> None:
    given = {"Source": SENDER, "Message": TEXT, "Destination": to(CLEAR, OTHER, CLEAR)}
    response = Guarded("ses").call("send_email", given, given)
    assert response["ResponseMetadata"][METADATA_KEY] == {}


@pytest.mark.parametrize(
    ("service", "method", "given"),
    [
        ("ses", "send_email", {"Source": SENDER, "Message": TEXT, "Destination": to(HELD)}),
        ("ses", "send_templated_email", {**TEMPLATED, "Destination": to(HELD, HELD)}),
        ("ses", "send_raw_email", {"RawMessage": {"Data": raw(To=HELD)}}),
        ("ses", "send_raw_email", {"RawMessage": {"Data": raw(To=CLEAR)}, "Destinations": [HELD]}),
        (
            "ses",
            "send_bulk_templated_email",
            {
                "Source": SENDER,
                "Template": "t",
                "DefaultTemplateData": "{}",
                "Destinations": [{"Destination": to(HELD)}],
            },
        ),
        ("sesv2", "send_email", {"Content": {"Simple": TEXT}, "Destination": to(HELD)}),
        ("sesv2", "send_email", {"Content": {"Raw": {"Data": raw(Bcc=HELD)}}}),
        (
            "sesv2",
            "send_bulk_email",
            {
                "DefaultContent": {"Template": {"TemplateName": "t"}},
                "BulkEmailEntries": [{"Destination": to(HELD)}],
            },
        ),
    ],
)
def test_a_mail_with_nobody_left_is_refused_without_a_request(
    service: str, method: str, given: dict[str, Any]
) -> None:
    error = Guarded(service).refused(
        method, given, AllRecipientsSuppressedError, "all 1 recipients are held back"
    )
    assert list(error.suppressed) == [HELD]


def test_a_raw_mails_envelope_is_screened_and_not_its_headers() -> None:
    data = {"Data": raw(To=HELD)}
    Guarded("ses").call(
        "send_raw_email",
        {"RawMessage": data, "Destinations": [CLEAR, HELD]},
        {"RawMessage": data, "Destinations": [CLEAR]},
    )


def test_where_only_headers_name_recipients_the_envelope_is_set_from_them() -> None:
    data = {"Data": raw(To=f"Some One <{HELD}>, {CLEAR}", Cc=OTHER, Bcc=f'"X, Y" <{HELD}>')}
    Guarded("ses").call(
        "send_raw_email", {"RawMessage": data}, {"RawMessage": data, "Destinations": [CLEAR, OTHER]}
    )
    content = {"Raw": data}
    Guarded("sesv2").call(
        "send_email",
        {"Content": content},
        {"Content": content, "Destination": to(CLEAR, OTHER)},
    )


def test_headers_that_name_nobody_held_back_leave_the_call_as_it_is() -> None:
    given = {"RawMessage": {"Data": raw(To=CLEAR)}}
    Guarded("ses").call("send_raw_email", given, given)


def test_a_bulk_leaves_out_whole_entries_and_its_results_line_up() -> None:
    entries = [
        {"Destination": to(one), "ReplacementTemplateData": "{}"}
        for one in (HELD, CLEAR, HELD, OTHER)
    ]
    entries.append({"Destination": to(HELD, CLEAR), "ReplacementTemplateData": "{}"})
    given = {
        "Source": SENDER,
        "Template": "t",
        "DefaultTemplateData": "{}",
        "Destinations": entries,
    }
    sent = [entries[1], entries[3], {**entries[4], "Destination": to(CLEAR)}]
    answer = {"Status": [{"Status": "Success", "MessageId": f"m{number}"} for number in (1, 3, 4)]}
    response = Guarded("ses").call(
        "send_bulk_templated_email", given, {**given, "Destinations": sent}, answer
    )
    held = {"Status": "Failed", "Error": "held back by the suppression list"}
    ok = answer["Status"]
    assert response["Status"] == [held, ok[1], held, ok[3], ok[4]]


def test_a_bulk_of_the_second_version_too() -> None:
    entries = [{"Destination": to(one)} for one in (CLEAR, HELD)]
    given = {"DefaultContent": {"Template": {"TemplateName": "t"}}, "BulkEmailEntries": entries}
    answer = {"BulkEmailEntryResults": [{"Status": "SUCCESS", "MessageId": "m0"}]}
    response = Guarded("sesv2").call(
        "send_bulk_email", given, {**given, "BulkEmailEntries": entries[:1]}, answer
    )
    assert [one["Status"] for one in response["BulkEmailEntryResults"]] == ["SUCCESS", "FAILED"]


def test_the_stream_is_said_at_guard_time_or_per_call() -> None:
    subscriber = "news@example.com"
    given = {"Source": SENDER, "Message": TEXT, "Destination": to(subscriber)}
    Guarded("ses").call("send_email", given, given)
    news = Guarded("ses", stream="news")
    news.refused("send_email", given, AllRecipientsSuppressedError, "all 1")
    with sending("receipts"):
        news.call("send_email", given, given)
    with sending("news"):
        Guarded("ses").refused("send_email", given, AllRecipientsSuppressedError, "all 1")
    Guarded("ses").call("send_email", given, given)


def test_unknown_recipients_stop_the_mail_unless_they_are_to_be_let_through() -> None:
    given = {
        "Source": SENDER,
        "Message": TEXT,
        "Destination": to(CLEAR, "silent@example.com", HELD),
    }
    for mode in (Unknown.HOLD, Unknown.RAISE):
        Guarded("ses", unknown=mode).refused(
            "send_email", given, AddressesUnknownError, "nothing is known about 1"
        )
    sent = {**given, "Destination": to(CLEAR, "silent@example.com")}
    Guarded("ses", unknown=Unknown.ALLOW).call("send_email", given, sent)


def test_a_recipient_that_is_no_address_is_named_by_its_place() -> None:
    given = {
        "Source": SENDER,
        "Message": TEXT,
        "Destination": to(CLEAR, BccAddresses=["a b@example.com"]),
    }
    Guarded("ses").refused(
        "send_email", given, InvalidAddressError, r"Destination\.BccAddresses\[0\]: a space"
    )
    in_headers = {"RawMessage": {"Data": raw(To="nobody")}}
    Guarded("ses").refused(
        "send_raw_email",
        in_headers,
        InvalidAddressError,
        r"RawMessage\.Data: To\[0\]: an address needs",
    )


def test_a_call_that_sends_nothing_is_left_alone() -> None:
    guarded = Guarded("ses")
    guarded.stubber.add_response("get_send_quota", {"Max24HourSend": 1.0})
    with guarded.stubber:
        assert guarded.client.get_send_quota()["Max24HourSend"] == 1.0
