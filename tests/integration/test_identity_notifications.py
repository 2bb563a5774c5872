"""The custom resource, against botocore's stubber: it checks every call against SES's own model."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.cloudformation import respond
from lambdas.identity_notifications import handle
from ses_suppression.ses_account.checks.identities import fix_identities
from ses_suppression.ses_account.destination import DEFAULT_SET, Destination
from ses_suppression.ses_account.environment import Stack
from ses_suppression.ses_account.identity_feedback import (
    SECONDS_TO_APPEAR,
    IdentityNotifications,
    RefusedError,
)

TOPICS: dict[Any, str] = {
    kind: f"arn:aws:sns:eu-west-1:1:ses-{kind.lower()}"
    for kind in ("Bounce", "Complaint", "Delivery")
}
THEIRS = "arn:aws:sns:eu-west-1:1:theirs"
OURS = "ses-suppression-prod"  # the configuration set
NOTHING: Destination = {}


class SES:
    """Stubbed clients of SES's two versions, their calls in order, and the pauses in between."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.pauses: list[float] = []
        clients = [self._client("ses"), self._client("sesv2")]
        self.stubber, self.stubber_v2 = (Stubber(client) for client in clients)
        self.notifications = IdentityNotifications(*clients, sleep=self.pauses.append)

    def _client(self, service: Any) -> Any:
        client = boto3.client(
            service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.meta.events.register(
            "before-parameter-build", lambda model, **_: self.calls.append(model.name)
        )
        return client

    @contextmanager
    def stubbed(self) -> Iterator[None]:
        with self.stubber, self.stubber_v2:
            yield

    def has(
        self,
        topics: Mapping[str, str] | None,
        *,
        default: str | None = None,
        is_known_to_v2: bool = True,
        forwarding: bool = True,
    ) -> None:
        attributes: dict[str, Any] = {}
        if topics is not None:
            named = {f"{kind}Topic": arn for kind, arn in topics.items()}
            required = {"BounceTopic": "", "ComplaintTopic": "", "DeliveryTopic": ""}
            attributes = {"example.com": {**required, **named, "ForwardingEnabled": forwarding}}
        self.stubber.add_response(
            "get_identity_notification_attributes",
            {"NotificationAttributes": attributes},
            {"Identities": ["example.com"]},
        )
        if not is_known_to_v2:
            self.stubber_v2.add_client_error("get_email_identity", "NotFoundException")
        elif topics is not None:
            answer = {"ConfigurationSetName": default} if default else {}
            self.stubber_v2.add_response(
                "get_email_identity", answer, {"EmailIdentity": "example.com"}
            )

    def gets_topic(self, kind: str, arn: str | None) -> None:
        expected = {"Identity": "example.com", "NotificationType": kind}
        if arn:
            expected["SnsTopic"] = arn
        self.stubber.add_response("set_identity_notification_topic", {}, expected)

    def gets_default(self, configuration_set: str | None) -> None:
        expected = {"EmailIdentity": "example.com"}
        if configuration_set:
            expected["ConfigurationSetName"] = configuration_set
        self.stubber_v2.add_response(
            "put_email_identity_configuration_set_attributes", {}, expected
        )

    def gets_forwarding(self, *, enabled: bool) -> None:
        self.stubber_v2.add_response(
            "put_email_identity_feedback_attributes",
            {},
            {"EmailIdentity": "example.com", "EmailForwardingEnabled": enabled},
        )

    def put(
        self, wanted: Destination = TOPICS, *, previous: Destination = NOTHING, **options: bool
    ) -> None:
        with self.stubbed():
            change = self.notifications.plan("example.com", wanted, previous=previous, **options)
            self.notifications.carry_out(change)
        self.has_no_more_calls()

    def delete(self, ours: Destination = TOPICS, *, replaced: Destination = NOTHING) -> None:
        with self.stubbed():
            self.notifications.delete("example.com", ours, replaced=replaced)
        self.has_no_more_calls()

    def has_no_more_calls(self) -> None:
        self.stubber.assert_no_pending_responses()
        self.stubber_v2.assert_no_pending_responses()


@pytest.fixture
def ses() -> SES:
    return SES()


@pytest.mark.parametrize("by_set", [True, False])
def test_the_operators_fix_makes_the_settings_of_a_deploy(ses: SES, *, by_set: bool) -> None:
    outputs = {
        f"{kind}TopicArn": topic
        for kind, topic in zip(
            ("Bounces", "Complaints", "Deliveries"), TOPICS.values(), strict=True
        )
    }
    outputs |= {"Identities": "example.com", "ConfigurationSetName": OURS}
    outputs |= {"Feed": "configuration-set"} if by_set else {}
    ses.has({} if by_set else without_deliveries(TOPICS))
    if by_set:
        ses.gets_default(OURS)
    else:
        ses.gets_topic("Delivery", TOPICS["Delivery"])
    ses.gets_forwarding(enabled=False)
    with ses.stubbed():
        fix_identities(Stack("ses-suppression-prod", outputs), ses.notifications)
    ses.has_no_more_calls()


def test_topics_are_set_first_and_forwarding_is_turned_off_last_a_second_apart(ses: SES) -> None:
    ses.has({})
    for kind, arn in TOPICS.items():
        ses.gets_topic(kind, arn)
    ses.gets_forwarding(enabled=False)
    ses.put()
    assert ses.pauses == [1.0, 1.0, 1.0]
    assert ses.calls[-1] == "PutEmailIdentityFeedbackAttributes"


def test_forwarding_stays_on_while_bounces_or_complaints_have_no_topic(ses: SES) -> None:
    ses.has({})
    ses.gets_topic("Bounce", TOPICS["Bounce"])
    ses.put({"Bounce": TOPICS["Bounce"]})


def test_a_topic_that_is_set_already_is_not_set_again(ses: SES) -> None:
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=False)
    ses.put()


def test_somebody_elses_topic_is_not_taken_over_and_is_named(ses: SES) -> None:
    ses.has({"Bounce": THEIRS})
    with pytest.raises(
        RefusedError, match=f"publishes already: Bounce -> {THEIRS}. Set take_over: true"
    ):
        ses.put()


def test_somebody_elses_topic_is_taken_over_when_that_is_wanted(ses: SES) -> None:
    ses.has({"Bounce": THEIRS, "Complaint": TOPICS["Complaint"], "Delivery": TOPICS["Delivery"]})
    ses.gets_topic("Bounce", TOPICS["Bounce"])
    ses.gets_forwarding(enabled=False)
    ses.put(take_over=True)


def test_somebody_elses_topic_of_a_kind_that_is_not_ours_stays(ses: SES) -> None:
    ours = without_deliveries(TOPICS)
    ses.has({**ours, "Delivery": THEIRS})
    ses.gets_forwarding(enabled=False)
    ses.put(ours)


def test_what_was_ours_before_is_replaced_without_asking_and_cleared_when_it_goes(ses: SES) -> None:
    old = {kind: f"{arn}-old" for kind, arn in TOPICS.items()}
    ses.has(old)
    ses.gets_topic("Bounce", TOPICS["Bounce"])
    ses.gets_topic("Complaint", TOPICS["Complaint"])
    ses.gets_topic("Delivery", None)
    ses.gets_forwarding(enabled=False)
    ses.put(without_deliveries(TOPICS), previous=old)


SET: Destination = {DEFAULT_SET: OURS}


def test_a_configuration_set_becomes_the_default_and_forwarding_is_turned_off_last(
    ses: SES,
) -> None:
    ses.has({"Bounce": THEIRS})
    ses.gets_default(OURS)
    ses.gets_forwarding(enabled=False)
    ses.put(SET)
    assert ses.calls[-2:] == [
        "PutEmailIdentityConfigurationSetAttributes",
        "PutEmailIdentityFeedbackAttributes",
    ]


def test_somebody_elses_default_is_not_taken_over_and_is_named(ses: SES) -> None:
    ses.has({}, default="theirs")
    with pytest.raises(
        RefusedError, match="publishes already: default configuration set -> theirs"
    ):
        ses.put(SET)


def test_somebody_elses_default_is_taken_over_when_that_is_wanted(ses: SES) -> None:
    ses.has({}, default="theirs")
    ses.gets_default(OURS)
    ses.gets_forwarding(enabled=False)
    ses.put(SET, take_over=True)


def test_a_change_of_the_feed_sets_what_is_new_before_it_clears_what_was_before(ses: SES) -> None:
    """And SES forwards while topics are cleared, as it may insist on either."""
    ses.has(TOPICS)
    ses.gets_default(OURS)
    ses.gets_forwarding(enabled=True)
    for kind in TOPICS:
        ses.gets_topic(kind, None)
    ses.gets_forwarding(enabled=False)
    ses.put(SET, previous=TOPICS)
    assert ses.calls[2:4] == [
        "PutEmailIdentityConfigurationSetAttributes",
        "PutEmailIdentityFeedbackAttributes",
    ]
    assert ses.calls[-1] == "PutEmailIdentityFeedbackAttributes"


def test_a_change_of_the_feed_back_does_the_same(ses: SES) -> None:
    ses.has({}, default=OURS)
    for kind, arn in TOPICS.items():
        ses.gets_topic(kind, arn)
    ses.gets_default(None)
    ses.gets_forwarding(enabled=False)
    ses.put(previous=SET)
    assert ses.calls[-2:] == [
        "PutEmailIdentityConfigurationSetAttributes",
        "PutEmailIdentityFeedbackAttributes",
    ]


def test_at_removal_the_default_goes_unless_somebody_has_changed_it(ses: SES) -> None:
    ses.has({}, default=OURS)
    ses.gets_forwarding(enabled=True)
    ses.gets_default(None)
    ses.delete(SET)
    ses.has({}, default="theirs")
    ses.delete(SET)


def test_an_identity_that_ses_does_not_know_is_an_error_with_its_name(ses: SES) -> None:
    for _ in range(10):
        ses.has(None)
    with pytest.raises(
        RefusedError, match=r"SES does not know the identity example\.com in this region"
    ):
        ses.put()
    assert sum(ses.pauses) == SECONDS_TO_APPEAR == 45


def test_an_identity_that_was_just_made_is_waited_for(ses: SES) -> None:
    ses.has(None)
    ses.has({}, is_known_to_v2=False)
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=False)
    ses.put()
    assert ses.pauses == [5.0, 5.0]


def test_at_removal_forwarding_is_turned_on_first_and_only_ours_is_cleared(ses: SES) -> None:
    ses.has({**TOPICS, "Complaint": THEIRS})
    ses.gets_forwarding(enabled=True)
    ses.gets_topic("Bounce", None)
    ses.gets_topic("Delivery", None)
    ses.delete()


def test_at_removal_forwarding_is_turned_on_where_somebody_has_cleared_everything(ses: SES) -> None:
    ses.has({})
    ses.gets_forwarding(enabled=True)
    ses.delete()


def test_removing_a_refused_take_over_harms_nobody(ses: SES) -> None:
    ses.has({"Bounce": THEIRS})
    ses.delete()


def test_removing_from_an_identity_that_is_gone_is_fine(ses: SES) -> None:
    ses.has(None)
    ses.delete()


def without_deliveries(topics: Mapping[Any, str]) -> dict[Any, str]:
    return {kind: topic for kind, topic in topics.items() if kind != "Delivery"}


def request(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": "http://127.0.0.1:9/",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "logical",
        "ResourceProperties": {"Identity": "example.com", "Topics": TOPICS, "TakeOver": "false"},
        **more,
    }


def handled(ses: SES, event: Mapping[str, Any]) -> str | None:
    """Handle an event; give the reason of its failure."""
    return answered(ses, event)[1]


def answered(
    ses: SES, event: Mapping[str, Any], *, rolling_back: bool = False, superseded: bool = False
) -> tuple[str, str | None]:
    """Handle an event; give the physical id, and the reason of its failure."""
    answers: list[tuple[str, str | None]] = []
    with ses.stubbed():
        handle(
            event,
            ses.notifications,
            is_rolling_back=lambda _stack: rolling_back,
            is_superseded=lambda _event: superseded,
            respond=lambda _event, physical_id, reason: answers.append((physical_id, reason)),
        )
    (answer,) = answers
    return answer


def test_every_failure_reaches_cloudformation_with_its_reason(ses: SES) -> None:
    ses.has({"Bounce": THEIRS})
    refused = handled(ses, request("Create"))
    assert refused is not None
    assert refused.startswith("the identity example.com publishes already")
    ses.stubber.add_client_error(
        "get_identity_notification_attributes", "AccessDenied", "not allowed"
    )
    denied = handled(ses, request("Update"))
    assert denied is not None
    assert "AccessDenied" in denied
    assert handled(ses, {**request("Create"), "ResourceProperties": {}}) == "KeyError: 'Identity'"


def test_an_update_of_the_same_identity_knows_what_was_ours(ses: SES) -> None:
    old = {kind: f"{arn}-old" for kind, arn in TOPICS.items()}
    ses.has(old)
    for kind, arn in TOPICS.items():
        ses.gets_topic(kind, arn)
    ses.gets_forwarding(enabled=False)
    event = request("Update", OldResourceProperties={"Identity": "example.com", "Topics": old})
    assert handled(ses, event) is None


def test_a_roll_back_of_a_change_of_the_feed_brings_back_what_was_before(ses: SES) -> None:
    ses.has({}, default=OURS)
    for kind, arn in TOPICS.items():
        ses.gets_topic(kind, arn)
    ses.gets_default(None)
    ses.gets_forwarding(enabled=False)
    failed = {"Identity": "example.com", "Topics": {}, "ConfigurationSet": OURS}
    assert handled(ses, request("Update", OldResourceProperties=failed)) is None
    ses.has_no_more_calls()


def test_a_roll_back_leaves_alone_what_somebody_else_has_set_since(ses: SES) -> None:
    """A roll back that fails would leave a stack that nothing can be done with."""
    ses.has({**TOPICS, "Bounce": THEIRS})
    ses.gets_topic("Delivery", None)
    old = {"Identity": "example.com", "Topics": TOPICS}
    before = {"Identity": "example.com", "Topics": without_deliveries(TOPICS)}
    event = request("Update", ResourceProperties=before, OldResourceProperties=old)
    assert answered(ses, event, rolling_back=True)[1] is None
    ses.has_no_more_calls()


def test_a_roll_back_of_an_identity_that_is_gone_is_fine(ses: SES) -> None:
    ses.has(None)
    assert answered(ses, request("Update"), rolling_back=True)[1] is None


def test_what_was_taken_over_is_remembered_in_the_resources_name_and_given_back(ses: SES) -> None:
    ses.has({"Bounce": THEIRS})
    for kind, arn in TOPICS.items():
        ses.gets_topic(kind, arn)
    ses.gets_forwarding(enabled=False)
    taking = {"Identity": "example.com", "Topics": TOPICS, "TakeOver": "true"}
    physical_id, reason = answered(ses, request("Create", ResourceProperties=taking))
    assert reason is None
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=True)
    ses.gets_topic("Bounce", THEIRS)
    ses.gets_topic("Complaint", None)
    ses.gets_topic("Delivery", None)
    assert handled(ses, request("Delete", PhysicalResourceId=physical_id)) is None
    ses.has_no_more_calls()


TAKING = {"Identity": "example.com", "Topics": TOPICS, "TakeOver": "true"}


def gives_back_bounces(ses: SES, physical_id: str) -> None:
    """See that a removal gives their topic of bounces back, and clears what was nobody's."""
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=True)
    ses.gets_topic("Bounce", THEIRS)
    ses.gets_topic("Complaint", None)
    ses.gets_topic("Delivery", None)
    event = request("Delete", PhysicalResourceId=physical_id, ResourceProperties=TAKING)
    assert answered(ses, event) == (physical_id, None)
    ses.has_no_more_calls()


def test_what_was_taken_over_is_remembered_though_the_attempt_fails_in_the_middle(ses: SES) -> None:
    ses.has({"Bounce": THEIRS})
    ses.gets_topic("Bounce", TOPICS["Bounce"])
    ses.stubber.add_client_error("set_identity_notification_topic", "InternalFailure")
    physical_id, reason = answered(ses, request("Create", ResourceProperties=TAKING))
    assert reason is not None
    gives_back_bounces(ses, physical_id)


def test_what_an_update_takes_over_is_remembered(ses: SES) -> None:
    ses.has({**TOPICS, "Bounce": THEIRS})
    ses.gets_topic("Bounce", TOPICS["Bounce"])
    ses.gets_forwarding(enabled=False)
    named = "identity-notifications:example.com"
    event = request("Update", PhysicalResourceId=named, ResourceProperties=TAKING)
    physical_id, reason = answered(ses, event)
    assert reason is None
    assert physical_id != named
    # To CloudFormation another name is another resource, so it deletes the one of before.
    old = request("Delete", PhysicalResourceId=named)
    assert answered(ses, old, superseded=True) == (named, None)
    gives_back_bounces(ses, physical_id)


def test_a_later_update_forgets_nothing_and_keeps_the_first_that_was_replaced(ses: SES) -> None:
    ses.has({"Bounce": THEIRS, "Complaint": TOPICS["Complaint"], "Delivery": TOPICS["Delivery"]})
    ses.gets_topic("Bounce", TOPICS["Bounce"])
    ses.gets_forwarding(enabled=False)
    first, _ = answered(ses, request("Create", ResourceProperties=TAKING))
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=False)
    event = request("Update", PhysicalResourceId=first, ResourceProperties=TAKING)
    assert answered(ses, event) == (first, None)
    ses.has({**TOPICS, "Bounce": f"{THEIRS}-newer"})
    ses.gets_topic("Bounce", TOPICS["Bounce"])
    ses.gets_forwarding(enabled=False)
    assert answered(ses, event) == (first, None)


def test_the_longest_names_are_remembered_in_less_than_a_kilobyte(ses: SES) -> None:
    theirs = {kind: f"arn:aws:sns:ap-southeast-1:123456789012:{kind:a>256}" for kind in TOPICS}
    ses.has(theirs, default="s" * 64)
    for kind, arn in TOPICS.items():
        ses.gets_topic(kind, arn)
    ses.gets_default(OURS)
    ses.gets_forwarding(enabled=False)
    both = {**TAKING, "ConfigurationSet": OURS}
    physical_id, reason = answered(ses, request("Create", ResourceProperties=both))
    assert reason is None
    assert len(physical_id) <= 1024
    ses.has(TOPICS, default=OURS)
    ses.gets_forwarding(enabled=True)
    for kind, arn in theirs.items():
        ses.gets_topic(kind, arn)
    ses.gets_default("s" * 64)
    event = request("Delete", PhysicalResourceId=physical_id, ResourceProperties=both)
    assert answered(ses, event)[1] is None
    ses.has_no_more_calls()


def test_what_was_taken_over_by_an_earlier_version_is_given_back(ses: SES) -> None:
    kept = json.dumps({"Topics": {"Bounce": THEIRS}, "ConfigurationSet": None})
    gives_back_bounces(ses, f"identity-notifications:example.com|replaced|{kept}")


def test_a_give_back_that_is_throttled_is_tried_again_and_never_taken_for_a_refusal(
    ses: SES,
) -> None:
    for _ in range(2):
        ses.has(TOPICS)
        ses.gets_forwarding(enabled=True)
        for _ in range(2):
            ses.stubber.add_client_error("set_identity_notification_topic", "Throttling")
        ses.gets_topic("Bounce", THEIRS)
        ses.gets_topic("Complaint", None)
        ses.gets_topic("Delivery", None)
        ses.delete(replaced={"Bounce": THEIRS})
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=True)
    for _ in range(5):
        ses.stubber.add_client_error("set_identity_notification_topic", "Throttling")
    with pytest.raises(ClientError, match="Throttling"):
        ses.delete(replaced={"Bounce": THEIRS})


def test_an_update_keeps_the_resources_name(ses: SES) -> None:
    """Another name would be another resource, and the old one would be deleted."""
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=False)
    named = request("Update", PhysicalResourceId="as-it-was")
    assert answered(ses, named) == ("as-it-was", None)


def test_what_cannot_be_given_back_is_cleared(ses: SES) -> None:
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=True)
    ses.stubber.add_client_error("set_identity_notification_topic", "InvalidParameterValue")
    for kind in TOPICS:
        ses.gets_topic(kind, None)
    ses.delete(replaced={"Bounce": THEIRS})


def test_forwarding_stays_off_where_another_stack_has_the_identity_too(ses: SES) -> None:
    ses.has(TOPICS, default=OURS)
    ses.gets_default(None)
    ses.delete(SET)


def test_at_removal_forwarding_is_turned_on_though_somebody_elses_default_set_is_there(
    ses: SES,
) -> None:
    """Whether that set reports bounces, SES does not say here: a mail too many is no loss."""
    ses.has(TOPICS, default="theirs")
    ses.gets_forwarding(enabled=True)
    for kind in TOPICS:
        ses.gets_topic(kind, None)
    ses.delete()


BOTH_THEIRS: dict[Any, str] = {"Bounce": THEIRS, "Complaint": THEIRS}


@pytest.mark.parametrize(
    ("before", "default"), [(BOTH_THEIRS, None), ({}, "theirs"), (BOTH_THEIRS, "theirs")]
)
@pytest.mark.parametrize("retried", [False, True])
def test_forwarding_that_was_off_before_is_off_afterwards(
    ses: SES, before: Mapping[Any, str], default: str | None, retried: bool
) -> None:
    ses.has(before, default=default, forwarding=False)
    for kind, arn in TOPICS.items():
        ses.gets_topic(kind, arn)
    ses.gets_forwarding(enabled=False)
    physical_id, reason = answered(ses, request("Create", ResourceProperties=TAKING))
    assert reason is None
    if retried:  # an update remembers it too, and sees our own setting for nobody else's
        ses.has(TOPICS, default=default, forwarding=False)
        ses.gets_forwarding(enabled=False)
        event = request("Update", PhysicalResourceId=physical_id, ResourceProperties=TAKING)
        assert answered(ses, event) == (physical_id, None)
    ses.has(TOPICS, default=default, forwarding=False)
    ses.gets_forwarding(enabled=True)
    for kind, arn in before.items():
        ses.gets_topic(kind, arn)
    for kind in TOPICS:
        if kind not in before:
            ses.gets_topic(kind, None)
    ses.gets_forwarding(enabled=False)
    event = request("Delete", PhysicalResourceId=physical_id, ResourceProperties=TAKING)
    assert answered(ses, event) == (physical_id, None)
    ses.has_no_more_calls()


def test_forwarding_that_was_off_is_on_where_nothing_else_reports(ses: SES) -> None:
    ses.has({}, forwarding=False)
    for kind, arn in TOPICS.items():
        ses.gets_topic(kind, arn)
    ses.gets_forwarding(enabled=False)
    created = answered(ses, request("Create", ResourceProperties=TAKING))
    assert created == ("identity-notifications:example.com", None)
    ses.has(TOPICS, forwarding=False)
    ses.gets_forwarding(enabled=True)
    for kind in TOPICS:
        ses.gets_topic(kind, None)
    ses.delete()


def test_a_create_that_is_tried_again_takes_our_own_setting_for_nobody_elses(ses: SES) -> None:
    ses.has(TOPICS, default="theirs", forwarding=False)
    ses.gets_forwarding(enabled=False)
    created = answered(ses, request("Create", ResourceProperties=TAKING))
    assert created == ("identity-notifications:example.com", None)


def test_a_delete_clears(ses: SES) -> None:
    ses.has(TOPICS)
    ses.gets_forwarding(enabled=True)
    for kind in TOPICS:
        ses.gets_topic(kind, None)
    assert handled(ses, request("Delete")) is None


TRIES = 3


@pytest.mark.parametrize(("reason", "status"), [(None, "SUCCESS"), ("it was refused", "FAILED")])
def test_the_answer_goes_to_the_url_that_cloudformation_gave(
    reason: str | None, status: str
) -> None:
    answers: list[dict[str, Any]] = []
    pauses: list[float] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if len(answers) == TRIES else 503)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    def serve(server: HTTPServer) -> None:
        for _ in range(TRIES):
            server.handle_request()

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/answer"
        respond(
            request("Create", ResponseURL=url),
            "identity-notifications:example.com",
            reason,
            data={"Found": "nothing"},
            sleep=pauses.append,
        )
        thread.join()
    assert pauses == [1.0, 2.0], "an answer that is lost is given again"
    first, second, answer = answers
    assert first == second == answer
    assert answer == {
        "Status": status,
        "Reason": reason or "done",
        "PhysicalResourceId": "identity-notifications:example.com",
        "Data": {"Found": "nothing"},
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "logical",
    }
