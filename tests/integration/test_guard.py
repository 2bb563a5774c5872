"""The guard in real boto3 clients; botocore's stubber sees what would go to SES."""

import re
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ParamValidationError
from botocore.stub import Stubber

from ses_suppression.client.screening import AddressesUnknownError, Unknown
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.errors import AllRecipientsSuppressedError, InvalidAddressError
from ses_suppression.integrations.boto3 import _OPERATIONS, LEFT_ALONE, METADATA_KEY, guard, sending
from ses_suppression.testing import InMemorySuppressionList
from tests.answering_store import NOW, VERDICTS, AnsweringStore

HELD, CLEAR, OTHER = "Held@example.com", "clear@example.com", "other@example.net"
SENDER = "shop@example.com"
TEXT = {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}
VERIFICATION = {"EmailAddress": HELD, "TemplateName": "t"}
TEMPLATED: dict[str, Any] = {"Source": SENDER, "Template": "t", "TemplateData": "{}"}


def raw(**headers: str) -> bytes:
    lines = [f"{name}: {value}" for name, value in {"From": SENDER, **headers}.items()]
    return "\r\n".join([*lines, "", "Hello."]).encode()


def refuse_to_send(**_: object) -> None:
    raise AssertionError("a request was made")


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
        self.sent: list[dict[str, Any]] = []
        client.meta.events.register("before-send", refuse_to_send)
        # Registered after the guard's own, it sees what the guard leaves.
        client.meta.events.register_last(
            "before-parameter-build", lambda params, **_: self.sent.append(dict(params))
        )

    def call(
        self, method: str, given: dict[str, Any], sent: dict[str, Any], answer: Any = None
    ) -> Any:
        self.stubber.add_response(method, answer or {"MessageId": "m1"})
        with self.stubber:
            response = getattr(self.client, method)(**given)
        self.stubber.assert_no_pending_responses()
        assert self.sent.pop() == sent
        return response

    def refused(
        self, method: str, given: dict[str, Any], error: type[Exception], match: str
    ) -> Any:
        with pytest.raises(error, match=match) as raised:
            getattr(self.client, method)(**given)
        assert self.sent == []
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
        ("ses", "send_custom_verification_email", VERIFICATION),
        ("ses", "verify_email_address", {"EmailAddress": HELD}),
        ("ses", "verify_email_identity", {"EmailAddress": HELD}),
        ("sesv2", "send_custom_verification_email", VERIFICATION),
        ("sesv2", "create_email_identity", {"EmailIdentity": HELD}),
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
        "send_email", {"Content": content}, {"Content": content, "Destination": to(CLEAR, OTHER)}
    )


@pytest.mark.parametrize("named", [{}, {"Destinations": []}])
def test_headers_that_name_nobody_held_back_are_the_envelope(named: dict[str, Any]) -> None:
    """SES may read headers otherwise than we do: it is told who is meant."""
    given = {"RawMessage": {"Data": raw(To=CLEAR)}, **named}
    Guarded("ses").call("send_raw_email", given, {**given, "Destinations": [CLEAR]})
    held = {"RawMessage": {"Data": raw(To=HELD)}, **named}
    Guarded("ses").refused("send_raw_email", held, AllRecipientsSuppressedError, "all 1")


@pytest.mark.parametrize("named", [{}, {"Destination": {}}, {"Destination": {"ToAddresses": []}}])
def test_headers_of_the_second_version_are_the_envelope_too(named: dict[str, Any]) -> None:
    given = {"Content": {"Raw": {"Data": raw(To=CLEAR)}}, **named}
    Guarded("sesv2").call("send_email", given, {**given, "Destination": to(CLEAR)})


def test_a_raw_mail_may_be_text_and_name_a_domain_in_utf_8() -> None:
    message = {"Data": raw(To=f"x@bücher.example, {HELD}").decode()}
    Guarded("ses").call(
        "send_raw_email",
        {"RawMessage": message},
        {"RawMessage": message, "Destinations": ["x@bücher.example"]},
    )


def test_a_bulk_entry_without_recipients_is_left_to_ses() -> None:
    entries: list[Any] = [{"Destination": one} for one in ({}, to(HELD), to(CLEAR))]
    given = {"DefaultContent": {"Template": {"TemplateName": "t"}}, "BulkEmailEntries": entries}
    sent = {**given, "BulkEmailEntries": [entries[0], entries[2]]}
    Guarded("sesv2").call("send_bulk_email", given, sent, {"BulkEmailEntryResults": []})


def test_streams_may_be_said_within_each_other() -> None:
    given = {"Source": SENDER, "Message": TEXT, "Destination": to("news@example.com")}
    guarded = Guarded("ses")
    with sending("news"):
        with sending("receipts"):
            guarded.call("send_email", given, given)
        guarded.refused("send_email", given, AllRecipientsSuppressedError, "all 1")


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
    for other in ("receipts", None):
        with sending(other):
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


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (f"To : {HELD}\r\n\r\nx", "malformed"),
        (f"To: {'(' * 5_000}\r\n\r\nx", "malformed|an address needs an @"),  # by Python's version
        (f"\nFrom: {SENDER}\nTo: {HELD}\n\nx", "neither To nor Cc nor Bcc names anybody"),
        (f"To: {CLEAR}\r\nwhat is this\r\nBcc: {HELD}\r\n\r\nx", "malformed"),
        (f"From: {SENDER}\r\n\r\nx", "neither"),
        ("", "neither"),
    ],
)
def test_headers_that_may_hide_a_recipient_are_refused(data: str, problem: str) -> None:
    Guarded("ses").refused(
        "send_raw_email", {"RawMessage": {"Data": data.encode()}}, InvalidAddressError, problem
    )
    given = {"Content": {"Raw": {"Data": data.encode()}}}
    Guarded("sesv2").refused("send_email", given, InvalidAddressError, problem)


def test_a_mail_to_undisclosed_recipients_is_screened_by_its_bcc() -> None:
    data = {"Data": raw(To="undisclosed-recipients:;", Bcc=f"{HELD}, {CLEAR}")}
    Guarded("ses").call(
        "send_raw_email", {"RawMessage": data}, {"RawMessage": data, "Destinations": [CLEAR]}
    )


def test_folded_repeated_and_encoded_headers_are_read() -> None:
    data = (
        f"From: {SENDER}\r\nTo: =?utf-8?q?B=C3=BCcher?=\r\n <{HELD}>\r\ncC: {CLEAR}\r\n"
        f"to: Friends: {OTHER}, {HELD};\r\n\r\nTo: not-a-header@example.com"
    )
    message = {"Data": data.encode()}
    Guarded("ses").call(
        "send_raw_email",
        {"RawMessage": message},
        {"RawMessage": message, "Destinations": [OTHER, CLEAR]},
    )


TENANTS = "tenant@example.com"


def test_the_tenant_is_read_from_the_call() -> None:
    mail = {"FromEmailAddress": SENDER, "Content": {"Simple": TEXT}}
    both = {**mail, "Destination": to(TENANTS, CLEAR)}
    guarded = Guarded("sesv2")
    guarded.call("send_email", both, both)
    acme = {"TenantName": "acme"}
    guarded.call("send_email", {**both, **acme}, {**mail, "Destination": to(CLEAR), **acme})
    other = {**both, "TenantName": "initech"}
    guarded.call("send_email", other, other)


def test_the_tenant_of_a_bulk_is_that_of_all_its_entries() -> None:
    bulk = {"DefaultContent": {"Template": {"TemplateName": "t"}}, "TenantName": "acme"}
    entries = [{"Destination": to(one)} for one in (TENANTS, CLEAR)]
    Guarded("sesv2").call(
        "send_bulk_email",
        {**bulk, "BulkEmailEntries": entries},
        {**bulk, "BulkEmailEntries": entries[1:]},
        {"BulkEmailEntryResults": [{"Status": "SUCCESS"}]},
    )


@pytest.mark.parametrize("header", ["X-SES-TENANT", "x-ses-tenant"])
def test_the_tenant_of_a_raw_mail_may_be_in_its_header(header: str) -> None:
    data = raw(To=f"{TENANTS}, {CLEAR}", **{header: " acme "})
    message: dict[str, Any] = {"RawMessage": {"Data": data}}
    for given in (message, {**message, "Destinations": [TENANTS, CLEAR]}):
        Guarded("ses").call("send_raw_email", given, {**message, "Destinations": [CLEAR]})
    content: dict[str, Any] = {"Content": {"Raw": {"Data": data}}}
    for given in (content, {**content, "Destination": to(TENANTS, CLEAR)}):
        Guarded("sesv2").call("send_email", given, {**content, "Destination": to(CLEAR)})


@pytest.mark.parametrize("form", ["Simple", "Template"])
def test_the_tenant_of_any_mail_may_be_in_its_header(form: str) -> None:
    contents: dict[str, dict[str, Any]] = {"Simple": TEXT, "Template": {"TemplateName": "t"}}
    headers = [{"Name": "x-ses-tenant", "Value": "acme"}]
    content = {form: {**contents[form], "Headers": headers}}
    mail = {"FromEmailAddress": SENDER, "Content": content}
    Guarded("sesv2").call(
        "send_email",
        {**mail, "Destination": to(TENANTS, CLEAR)},
        {**mail, "Destination": to(CLEAR)},
    )


def test_the_tenant_that_the_call_names_counts_before_the_header() -> None:
    data = raw(To=TENANTS, **{"X-SES-TENANT": "acme"})
    given = {"Content": {"Raw": {"Data": data}}, "TenantName": "initech"}
    Guarded("sesv2").call("send_email", given, {**given, "Destination": to(TENANTS)})


def test_every_sending_call_of_the_sdk_that_takes_a_tenant_is_guarded() -> None:
    model: Any = boto3.client("sesv2", region_name="eu-west-1").meta.service_model
    taking = {
        name
        for name in model.operation_names
        if name.startswith("Send")
        and "TenantName" in model.operation_model(name).input_shape.members
    }
    assert taking == {"SendEmail", "SendBulkEmail"}
    assert taking <= _OPERATIONS["sesv2"].keys()


def test_two_mailboxes_in_one_text_are_refused() -> None:
    given = {"Source": SENDER, "Message": TEXT, "Destination": to(f"{HELD}, X <{CLEAR}>")}
    Guarded("ses").refused("send_email", given, InvalidAddressError, "names several mailboxes")


def test_what_another_handler_adds_is_screened_too() -> None:
    guarded = Guarded("ses")

    def replaced(params: dict[str, Any], **_: object) -> dict[str, Any]:
        return {**params, "Destination": to(CLEAR, HELD)}

    def added(params: dict[str, Any], **_: object) -> None:
        params["Destination"]["BccAddresses"] = [HELD]

    guarded.client.meta.events.register("provide-client-params.ses.SendEmail", replaced)
    guarded.client.meta.events.register("before-parameter-build.ses.SendEmail", added)
    given = {"Source": SENDER, "Message": TEXT, "Destination": to(OTHER)}
    response = guarded.call("send_email", given, {**given, "Destination": to(CLEAR)})
    assert list(response["ResponseMetadata"][METADATA_KEY]) == [HELD]


def test_a_client_is_guarded_once_and_only_if_it_is_ses() -> None:
    guarded, suppressions = Guarded("ses"), InMemorySuppressionList()
    with pytest.raises(ValueError, match="guarded already; `sending` names the stream"):
        guard(guarded.client, suppressions, stream="news")
    sns = boto3.client("sns", region_name="eu-west-1")
    with pytest.raises(ValueError, match="takes a client for ses or sesv2, this is one for sns"):
        guard(sns, suppressions)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("send_raw_email", {"RawMessage": {}}),
        ("send_email", {"Source": SENDER, "Message": TEXT, "Destination": {"ToAddresses": HELD}}),
        ("send_email", {"Source": SENDER, "Message": TEXT, "Destination": None}),
    ],
)
def test_parameters_of_a_wrong_form_are_refused_as_botocore_does(
    method: str, given: dict[str, Any]
) -> None:
    client = boto3.client("ses", region_name="eu-west-1", config=Config(parameter_validation=False))
    guard(client, InMemorySuppressionList())
    with pytest.raises(ParamValidationError, match="Parameter validation failed"):
        getattr(client, method)(**given)


@pytest.mark.parametrize(
    ("service", "method", "given"),
    [
        ("ses", "verify_email_address", {"EmailAddress": CLEAR}),
        ("ses", "verify_email_identity", {"EmailAddress": CLEAR}),
        ("sesv2", "create_email_identity", {"EmailIdentity": CLEAR}),
        ("sesv2", "create_email_identity", {"EmailIdentity": "example.com"}),
    ],
)
def test_an_identity_that_is_not_held_back_is_verified(
    service: str, method: str, given: dict[str, Any]
) -> None:
    Guarded(service).call(method, given, given, {"ResponseMetadata": {}})


_READS_OR_DELETES = re.compile(r"(BatchGet|Cancel|Delete|Describe|Get|List|Tag|Untag)[A-Z]")
_MAIL_NO_ADDRESS = {
    "ses": """
        CloneReceiptRuleSet CreateConfigurationSet CreateConfigurationSetEventDestination
        CreateConfigurationSetTrackingOptions CreateCustomVerificationEmailTemplate
        CreateReceiptFilter CreateReceiptRule CreateReceiptRuleSet CreateTemplate
        PutConfigurationSetDeliveryOptions PutIdentityPolicy ReorderReceiptRuleSet
        SetActiveReceiptRuleSet SetIdentityDkimEnabled SetIdentityFeedbackForwardingEnabled
        SetIdentityHeadersInNotificationsEnabled SetIdentityMailFromDomain
        SetIdentityNotificationTopic SetReceiptRulePosition TestRenderTemplate
        UpdateAccountSendingEnabled UpdateConfigurationSetEventDestination
        UpdateConfigurationSetReputationMetricsEnabled UpdateConfigurationSetSendingEnabled
        UpdateConfigurationSetTrackingOptions UpdateCustomVerificationEmailTemplate
        UpdateReceiptRule UpdateTemplate VerifyDomainDkim VerifyDomainIdentity
    """,
    "sesv2": """
        AssociateEmailIdentityCertificate CreateConfigurationSet
        CreateConfigurationSetEventDestination CreateContact CreateContactList
        CreateCustomVerificationEmailTemplate CreateDedicatedIpPool CreateEmailIdentityPolicy
        CreateEmailTemplate CreateExportJob CreateImportJob CreateMultiRegionEndpoint
        CreateTenant CreateTenantResourceAssociation DisassociateEmailIdentityCertificate
        PutAccountDedicatedIpWarmupAttributes PutAccountPricingAttributes
        PutAccountSendingAttributes PutAccountSuppressionAttributes PutAccountVdmAttributes
        PutConfigurationSetArchivingOptions PutConfigurationSetDeliveryOptions
        PutConfigurationSetReputationOptions PutConfigurationSetSendingOptions
        PutConfigurationSetSuppressionOptions PutConfigurationSetTrackingOptions
        PutConfigurationSetVdmOptions PutDedicatedIpInPool PutDedicatedIpPoolScalingAttributes
        PutDedicatedIpWarmupAttributes PutDeliverabilityDashboardOption
        PutEmailIdentityConfigurationSetAttributes PutEmailIdentityDkimAttributes
        PutEmailIdentityDkimSigningAttributes PutEmailIdentityFeedbackAttributes
        PutEmailIdentityMailFromAttributes PutSuppressedDestination
        PutTenantSuppressionAttributes TestRenderEmailTemplate UpdateConfigurationSet
        UpdateConfigurationSetEventDestination UpdateContact UpdateContactList
        UpdateCustomVerificationEmailTemplate UpdateEmailIdentityPolicy UpdateEmailTemplate
        UpdateReputationEntityCustomerManagedStatus UpdateReputationEntityPolicy
    """,
}
"""The operations that change settings or render a template; a new one is read up on first."""


@pytest.mark.parametrize("service", ["ses", "sesv2"])
def test_every_operation_of_ses_is_screened_or_named_as_left_alone(service: Any) -> None:
    model = boto3.client(service, region_name="eu-west-1").meta.service_model
    operations = {name for name in model.operation_names if not _READS_OR_DELETES.match(name)}
    screened, left_alone = _OPERATIONS[service].keys(), LEFT_ALONE[service].keys()
    mail_no_address = set(_MAIL_NO_ADDRESS[service].split())
    assert operations == screened | left_alone | mail_no_address
    assert len(operations) == len(screened) + len(left_alone) + len(mail_no_address), "one list"
    assert all(LEFT_ALONE[service].values()), "with its reason"


def test_a_call_that_sends_nothing_is_left_alone() -> None:
    guarded = Guarded("ses")
    guarded.stubber.add_response("get_send_quota", {"Max24HourSend": 1.0})
    with guarded.stubber:
        assert guarded.client.get_send_quota()["Max24HourSend"] == 1.0
