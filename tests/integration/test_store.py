import io
import json
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from local.waiting import wait_for
from ses_suppression.client.screening import AddressesUnknownError, Unknown
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.core.decision import decide
from ses_suppression.core.evidence import Evidence
from ses_suppression.core.policy import Policy
from ses_suppression.core.record import Record, update
from ses_suppression.core.retention import merge
from ses_suppression.errors import (
    _PERMANENT,
    ConflictError,
    StoreUnavailableError,
    UnreadableItemError,
)
from ses_suppression.ingest import Message, Status, ingest
from ses_suppression.store.deadline import Deadline
from ses_suppression.store.dynamodb import DynamoDBStore
from ses_suppression.store.items import to_item, to_record, to_suppressions
from ses_suppression.store.protocol import Found
from ses_suppression.store.rate_limit import Pace
from ses_suppression.testing import InMemoryStore
from tests.arrivals import apply_in_batches, twelve_notifications, without_revisions
from tests.builders import (
    JANE,
    block,
    bounce_notification,
    complaint,
    day,
    hard,
    opt_out,
    record_of,
    tenant_bounce,
)
from tests.integration.servers import ACCESS
from tests.integration.tables import TABLE_NAME, create_table, save
from tests.processes import answered_in_a_fork
from tests.strategies import START, any_evidence, evidence_with_voids, without_deliveries

POLICY = Policy()
PLACE = f"table {TABLE_NAME} in eu-west-1"


def store_of(client: Any, now: datetime = START) -> DynamoDBStore:
    return DynamoDBStore(client, TABLE_NAME, clock=lambda: now)


def load_one(store: DynamoDBStore, address: str = JANE) -> Record:
    return store.load([address], consistent=True, deadline=Deadline(5)).records[address]


@given(evidence_with_voids(any_evidence, max_size=8))
def test_an_item_reads_back_as_the_record_that_was_written(evidence: list[Evidence]) -> None:
    decision = decide(JANE, evidence, POLICY)
    record = Record(
        address=JANE, evidence=tuple(evidence), suppressions=decision.suppressions, expires_at=17
    )
    assert to_record(to_item(record, "r1")) == replace(record, revision="r1")


def test_a_saved_record_is_loaded_again(client: Any) -> None:
    store = store_of(client)
    record = record_of(hard(0), complaint(1, stream="news"))
    assert save(store, record) == {}
    loaded = load_one(store)
    assert loaded.revision is not None
    assert replace(loaded, revision=None) == record


def test_times_of_the_verdict_are_numbers_of_epoch_seconds(client: Any) -> None:
    save(store_of(client), record_of(block(0)))
    item = client.get_item(TableName=TABLE_NAME, Key={"address": {"S": JANE}})["Item"]
    suppression = item["suppressions"]["M"]["*"]["M"]
    assert suppression["since"] == {"N": str(int(day(0).timestamp()))}
    assert suppression["until"] == {"N": str(int(day(7).timestamp()))}
    assert item["expires_at"] == {"N": str(int(day(400).timestamp()))}


def test_an_address_without_an_item_has_an_empty_record(client: Any) -> None:
    assert load_one(store_of(client)) == Record(address=JANE)


def test_more_addresses_than_one_request_takes_are_loaded_and_duplicates_once(client: Any) -> None:
    store = store_of(client)
    addresses = [f"a{number}@example.com" for number in range(250)]
    save(store, *(record_of(hard(0), address=address) for address in addresses))
    loaded = store.load(
        [*addresses, *addresses, "none@example.com"], consistent=False, deadline=Deadline(5)
    )
    assert loaded.failures == {}
    assert sum(bool(record.evidence) for record in loaded.records.values()) == 250
    assert len(loaded.records) == 251


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_reads_with_threads_of_its_own(client: Any) -> None:
    store = store_of(client)
    addresses = [f"a{number}@example.com" for number in range(250)]

    def are_read(asked: list[str]) -> bool:
        return [*store.load(asked, consistent=True, deadline=Deadline(5)).records] == asked

    assert are_read(addresses)
    assert answered_in_a_fork(lambda: are_read(addresses[:101]))


def test_of_two_writers_one_is_refused_and_nothing_is_overwritten(client: Any) -> None:
    store = store_of(client)
    one, other = record_of(hard(0)), record_of(complaint(0))
    assert save(store, one) == {}
    assert isinstance(save(store, other)[JANE], ConflictError)
    read = load_one(store)
    assert save(store, read) == {}
    assert isinstance(save(store, read)[JANE], ConflictError)


def test_an_item_that_was_deleted_in_between_is_not_brought_back(client: Any) -> None:
    store = store_of(client)
    save(store, record_of(hard(0)))
    read = load_one(store)
    client.delete_item(TableName=TABLE_NAME, Key={"address": {"S": JANE}})
    assert isinstance(save(store, read)[JANE], ConflictError)


def test_an_expired_item_is_as_good_as_none_and_can_be_written_over(client: Any) -> None:
    save(store_of(client), record_of(block(0)))
    assert load_one(store_of(client, now=day(400) - timedelta(seconds=1))).evidence
    assert not load_one(store_of(client, now=day(400))).evidence
    late = store_of(client, now=day(500))
    read = load_one(late)
    assert (read.evidence, read.suppressions) == ((), {})
    afresh = update(read, [block(500)], POLICY)
    assert afresh is not None
    assert save(late, afresh) == {}
    assert [piece.id for piece in load_one(late).evidence] == ["bounce-500"]


def test_an_item_that_somebody_else_wrote_is_named_and_costs_its_neighbours_nothing(
    client: Any,
) -> None:
    store = store_of(client)
    save(store, record_of(hard(0)))
    strange = {
        "address": {"S": "x@example.com"},
        "evidence": {"L": [{"M": {"kind": {"S": "odd"}}}]},
    }
    client.put_item(TableName=TABLE_NAME, Item=strange)
    loaded = store.load([JANE, "x@example.com"], consistent=True, deadline=Deadline(5))
    assert list(loaded.records) == [JANE]
    failure = loaded.failures["x@example.com"]
    assert isinstance(failure, StoreUnavailableError)
    assert failure.code == "UnreadableItem"


def test_an_attribute_of_a_newer_version_is_no_error() -> None:
    item = to_item(record_of(hard(0)), "r1")
    item["evidence"]["L"][0]["M"]["invented"] = {"S": "x"}
    item["invented"] = {"S": "x"}
    assert to_record(item).evidence == (hard(0),)


def test_an_older_app_reads_the_verdict_beside_a_kind_and_a_rule_that_are_new() -> None:
    item = to_item(record_of(opt_out(0), tenant_bounce(0)), "r1")
    for piece in item["evidence"]["L"]:
        piece["M"]["kind"] = {"S": "invented"}
    for held in item["suppressions"]["M"].values():
        held["M"]["rule"] = {"S": "invented"}
    found = to_suppressions(item)
    assert {stream: held.rule for stream, held in found.items()} == {
        "*": "invented",
        "tenant:acme": "invented",
    }
    with pytest.raises(UnreadableItemError):
        to_record(item)


def test_what_a_subscription_says_is_a_boolean_and_a_tenant_is_a_text() -> None:
    evidence = to_item(record_of(opt_out(0), tenant_bounce(1)), "r1")["evidence"]["L"]
    assert [piece["M"].get("subscribed") for piece in evidence] == [{"BOOL": False}, None]
    assert [piece["M"].get("tenant") for piece in evidence] == [None, {"S": "acme"}]


def stubbed() -> tuple[Any, Stubber]:
    client = boto3.client(
        "dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    return client, Stubber(client)


def unprocessed(*addresses: str) -> dict[str, Any]:
    keys = [{"address": {"S": address}} for address in addresses]
    return {"Responses": {TABLE_NAME: []}, "UnprocessedKeys": {TABLE_NAME: {"Keys": keys}}}


def test_keys_that_were_not_answered_are_asked_again() -> None:
    client, stubber = stubbed()
    item = to_item(record_of(hard(0)), "r1")
    stubber.add_response("batch_get_item", unprocessed(JANE))
    stubber.add_response("batch_get_item", unprocessed(JANE))
    stubber.add_response(
        "batch_get_item", {"Responses": {TABLE_NAME: [item]}, "UnprocessedKeys": {}}
    )
    with stubber:
        loaded = store_of(client).load(
            [JANE, "b@example.com"], consistent=True, deadline=Deadline(5)
        )
    stubber.assert_no_pending_responses()
    assert loaded.records[JANE].evidence == (hard(0),)
    assert loaded.records["b@example.com"] == Record(address="b@example.com")


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Mon, 30 Nov 2026 12:00:00 GMT", datetime(2026, 11, 30, 12, 0, 1, tzinfo=UTC)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_what_was_read_says_the_servers_time(date: str | None, expected: datetime | None) -> None:
    client, stubber = stubbed()
    headers = {"date": date} if date else {}
    answer = {
        "Responses": {TABLE_NAME: []},
        "ResponseMetadata": {"HTTPHeaders": headers, "HTTPStatusCode": 200},
    }
    stubber.add_response("batch_get_item", answer)
    with stubber:
        loaded = store_of(client).load([JANE], consistent=True, deadline=Deadline(5))
    assert loaded.answered_at == expected


def test_a_key_that_is_never_answered_is_unknown_and_not_empty() -> None:
    client, stubber = stubbed()
    now = [0.0]
    deadline = Deadline(
        1, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)
    )
    for _ in range(500):
        stubber.add_response("batch_get_item", unprocessed(JANE))
    with stubber:
        loaded = store_of(client).load([JANE], consistent=True, deadline=deadline)
    assert loaded.records == {}
    failure = loaded.failures[JANE]
    assert isinstance(failure, StoreUnavailableError)
    assert failure.code == "UnprocessedKeys"


@pytest.mark.parametrize("consistent", [True, False])
def test_a_read_is_as_consistent_as_is_asked_for(*, consistent: bool) -> None:
    client, stubber = stubbed()
    expected = {
        "RequestItems": {
            TABLE_NAME: {"Keys": [{"address": {"S": JANE}}], "ConsistentRead": consistent}
        }
    }
    answer: dict[str, Any] = {"Responses": {TABLE_NAME: []}, "UnprocessedKeys": {}}
    stubber.add_response("batch_get_item", answer, expected)
    with stubber:
        store_of(client).load([JANE], consistent=consistent, deadline=Deadline(5))
    stubber.assert_no_pending_responses()


def test_what_was_answered_before_a_refusal_is_known_and_the_rest_is_not() -> None:
    client, stubber = stubbed()
    stubber.add_response("batch_get_item", unprocessed(JANE))
    stubber.add_client_error("batch_get_item", "AccessDeniedException", "")
    with stubber:
        loaded = store_of(client).load(
            [JANE, "b@example.com"], consistent=True, deadline=Deadline(5)
        )
    assert loaded.records.keys() == {"b@example.com"}
    assert loaded.failures.keys() == {JANE}


def test_each_part_of_a_long_read_that_fails_is_told() -> None:
    client, stubber = stubbed()
    for _ in range(3):
        stubber.add_client_error("batch_get_item", "AccessDeniedException", "")
    addresses = [f"a{number}@example.com" for number in range(250)]
    with stubber:
        loaded = store_of(client).load(addresses, consistent=True, deadline=Deadline(5))
    assert loaded.failures.keys() == {*addresses}
    assert loaded.records == {}


def test_a_refusal_is_told_for_every_address_and_by_its_code_alone() -> None:
    client, stubber = stubbed()
    stubber.add_client_error("batch_get_item", "AccessDeniedException", f"not for {JANE}")
    stubber.add_client_error(
        "put_item", "ProvisionedThroughputExceededException", f"not for {JANE}"
    )
    stubber.add_client_error("delete_item", "ResourceNotFoundException", f"not for {JANE}")
    stubber.add_client_error("scan", "AccessDeniedException", "not for you")
    store = store_of(client)
    with stubber:
        read = store.load([JANE, "b@example.com"], consistent=True, deadline=Deadline(5)).failures
        written = save(store, record_of(hard(0)))
        with pytest.raises(StoreUnavailableError) as raised:
            store.erase(JANE)
        with pytest.raises(StoreUnavailableError, match="AccessDeniedException"):
            list(store.scan(segments=1))
    assert [str(error) for error in read.values()] == [
        f"AccessDeniedException: DynamoDB refused BatchGetItem on {PLACE}"
    ] * 2
    assert str(written[JANE]) == (
        f"ProvisionedThroughputExceededException: DynamoDB refused PutItem on {PLACE}"
    )
    assert str(raised.value) == (
        f"ResourceNotFoundException: DynamoDB refused DeleteItem on {PLACE}"
    )


def test_an_answer_that_never_comes_is_told_by_its_name() -> None:
    client = boto3.client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
        config=Config(retries={"total_max_attempts": 1}),
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    failure = found(store_of(client)).failures[JANE]
    assert str(failure) == f"EndpointConnectionError: DynamoDB ({PLACE}) did not answer"


def found(store: DynamoDBStore) -> Found:
    return store.find_many([JANE], deadline=Deadline(5))


def test_an_item_without_a_verdict_is_no_yes(client: Any) -> None:
    client.put_item(TableName=TABLE_NAME, Item={"address": {"S": JANE}, "mail": {"S": "x"}})
    assert isinstance(found(store_of(client)).failures[JANE], UnreadableItemError)


def answering(body: bytes) -> Any:
    """Make a client to which a proxy, or a wrong endpoint, answers 200 with this body."""
    client = boto3.client("dynamodb", **ACCESS)

    class Answer(AWSResponse):
        content = body

    def answer(**_: Any) -> AWSResponse:
        headers: Any = {"Content-Type": "text/html"}
        return Answer("https://example.com", 200, headers, io.BytesIO())

    events: Any = client.meta.events
    events.register("before-send.dynamodb.*", answer)
    return client


NOT_DYNAMODB = [b"", b"<html>log in</html>", b"{}", b"[]", b"null", b'"ok"', b'{"message": "ok"}']
OF_ANOTHER = {"Responses": {TABLE_NAME: [{"address": {"S": "b@example.com"}}]}}


@pytest.mark.parametrize(
    "body",
    [
        *NOT_DYNAMODB,
        b'{"Responses": {"supp',
        b'{"Responses": null}',
        b'{"Responses": {}}',
        b'{"Responses": {"orders": []}, "UnprocessedKeys": {}}',
        json.dumps(OF_ANOTHER).encode(),
        json.dumps({"Responses": {TABLE_NAME: [{"id": {"S": "1"}}]}}).encode(),
    ],
)
def test_an_answer_that_is_not_dynamodbs_is_no_yes(body: bytes) -> None:
    client = answering(body)
    loaded = store_of(client).load([JANE], consistent=True, deadline=Deadline(5))
    assert (loaded.records, list(loaded.failures)) == ({}, [JANE])
    suppressions = SuppressionList(store_of(client), unknown="allow", check_seconds=5)
    with pytest.raises(StoreUnavailableError):
        SuppressionList(store_of(client), check_seconds=5).check(JANE)
    assert suppressions.check(JANE) is None
    assert suppressions.counts == {"unknown": 1, "allowed_unknown": 1}, "and it is counted"


@pytest.mark.parametrize(
    "body",
    [
        *NOT_DYNAMODB,
        b'{"ConsumedCapacity": null}',
        b'{"ConsumedCapacity": "1"}',
        b'{"ConsumedCapacity": {"Tab',
        b'{"ConsumedCapacity": {}}',
        b'{"ConsumedCapacity": {"html": 1}}',
        b'{"ConsumedCapacity": {"TableName": "another", "CapacityUnits": 1}}',
        b'{"ConsumedCapacity": {"TableName": "suppressions"}}',
    ],
)
def test_what_dynamodb_itself_did_not_confirm_is_not_written(body: bytes) -> None:
    store = store_of(answering(body))
    others = [record_of(hard(0), address=one) for one in ("a@example.com", "b@example.com")]
    for records in ([record_of(hard(0))], others):
        failures = save(store, *records)
        assert list(failures) == [record.address for record in records]
        assert all(PLACE in str(error) and "@" not in str(error) for error in failures.values())
    with pytest.raises(StoreUnavailableError, match=TABLE_NAME):
        store.erase(JANE)
    with pytest.raises(StoreUnavailableError, match=TABLE_NAME):
        list(store.scan(segments=1))


def test_what_an_answer_of_something_else_leaves_out_is_not_acknowledged() -> None:
    client, stubber = stubbed()
    stubber.add_response("batch_get_item", {"Responses": {TABLE_NAME: []}, "UnprocessedKeys": {}})
    stubber.add_response("put_item", {})
    message = Message(id="1", body=bounce_notification(JANE), received_at=START)
    with stubber:
        (outcome,) = ingest([message], store=store_of(client), policy=POLICY, deadline=Deadline(5))
    assert outcome.status is Status.RETRIED


@pytest.mark.parametrize("mode", Unknown)
@pytest.mark.parametrize("code", sorted(_PERMANENT))
def test_a_failure_that_settings_cause_is_an_error_in_every_mode(code: str, mode: Unknown) -> None:
    client, stubber = stubbed()
    for _ in range(2):
        stubber.add_client_error("batch_get_item", code, f"not for {JANE}")
    suppressions = SuppressionList(store_of(client), unknown=mode, check_seconds=5)
    with stubber:
        with pytest.raises(StoreUnavailableError, match=f"^{code}: .* on {PLACE}$"):
            suppressions.check(JANE)
        if mode is Unknown.HOLD:
            assert list(suppressions.screen([JANE]).unknown) == [JANE]
        else:
            with pytest.raises(
                AddressesUnknownError, match=f"^{code}: .* 1 .* on {PLACE}$"
            ) as raised:
                suppressions.screen([JANE, "nobody"])
            assert list(raised.value.screening.unknown) == [JANE]
            assert raised.value.screening.allowed == ()
    assert "allowed_unknown" not in suppressions.counts


def test_a_table_that_does_not_exist_is_an_error_in_the_mode_allow(aws: None) -> None:
    del aws
    for name in ("no-such-table", "x"):  # the second is too short for a name
        suppressions = SuppressionList.of_table(
            name, client=boto3.client("dynamodb"), unknown="allow", check_seconds=5
        )
        with pytest.raises(StoreUnavailableError, match=f"on table {name} in eu-west-1$"):
            suppressions.check(JANE)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(twelve_notifications, st.data())
def test_any_order_repetition_and_batching_through_dynamodb_gives_the_verdict_of_the_sorted_set(
    bodies: list[str], data: st.DataObject
) -> None:
    received_at = START + timedelta(days=31)

    def messages(chosen: list[str]) -> list[Message]:
        return [
            Message(id=str(n), body=body, received_at=received_at) for n, body in enumerate(chosen)
        ]

    in_order = InMemoryStore(clock=lambda: received_at)
    ingest(messages(bodies), store=in_order, policy=POLICY, deadline=Deadline(5))
    arriving = data.draw(st.permutations(bodies + bodies[::2]))
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        create_table(client, TABLE_NAME)
        store = store_of(client, now=received_at)
        while arriving:
            size = data.draw(st.integers(1, len(arriving)))
            ingest(messages(arriving[:size]), store=store, policy=POLICY, deadline=Deadline(5))
            arriving = arriving[size:]
        found = replace(load_one(store), revision=None)
    assert found == without_revisions(in_order).get(JANE, Record(address=JANE))


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(evidence_with_voids(without_deliveries, max_size=12), st.data())
def test_any_set_of_evidence_and_actions_through_dynamodb_gives_one_verdict(
    evidence: list[Evidence], data: st.DataObject
) -> None:
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        create_table(client, TABLE_NAME)
        store = store_of(client)
        apply_in_batches(store, evidence, data)
        record = load_one(store)
    expected = merge((), evidence)
    assert record.evidence == expected
    assert record.suppressions == decide(JANE, expected, POLICY).suppressions


def test_merging_in_the_store_is_merging_in_the_core(client: Any) -> None:
    store = store_of(client)
    save(store, record_of(hard(1)))
    change = update(load_one(store), [hard(0)], POLICY)
    assert change is not None
    save(store, change)
    assert load_one(store).evidence == merge([hard(1)], [hard(0)])


def test_no_read_is_begun_after_the_deadline(client: Any) -> None:
    loaded = store_of(client).load([JANE], consistent=True, deadline=Deadline(0))
    assert loaded.records == {}
    error = loaded.failures[JANE]
    assert isinstance(error, StoreUnavailableError)
    assert error.code == "OutOfTime"


def test_no_write_is_begun_after_the_deadline(client: Any) -> None:
    store = store_of(client)
    failures = store.save([record_of(hard(0))], deadline=Deadline(0))
    assert [str(error) for error in failures.values()] == [
        f"OutOfTime: there was no time left to write the record to DynamoDB ({PLACE})"
    ]
    assert load_one(store) == Record(address=JANE)


@pytest.mark.parametrize(
    "damage",
    [
        {"revision": None},
        {"evidence": {"S": "x"}},
        {"expires_at": {"N": "x"}},
        {"suppressions": {"M": {"*": {"M": {}}}}},
    ],
    ids=str,
)
def test_an_item_that_cannot_be_read_is_named_as_such(damage: dict[str, Any]) -> None:
    item = {**to_item(record_of(hard(0)), "r1"), **damage}
    item = {name: value for name, value in item.items() if value is not None}
    with pytest.raises(UnreadableItemError):
        to_record(item)


def test_an_end_beyond_the_end_of_time_is_no_crash_of_a_check(client: Any) -> None:
    store = store_of(client)
    save(store, record_of(block(0)))
    client.update_item(
        TableName=TABLE_NAME,
        Key={"address": {"S": JANE}},
        UpdateExpression="SET suppressions.#every.#until = :far",
        ExpressionAttributeNames={"#every": "*", "#until": "until"},
        ExpressionAttributeValues={":far": {"N": "100000000000000000000"}},
    )
    assert isinstance(found(store).failures[JANE], UnreadableItemError)


def test_a_rule_of_a_newer_version_is_read_as_its_name(client: Any) -> None:
    item = to_item(record_of(hard(0)), "r1")
    item["suppressions"]["M"]["*"]["M"] |= {"rule": {"S": "new-rule"}, "reason": {"S": "NEW"}}
    client.put_item(TableName=TABLE_NAME, Item=item)
    held = found(store_of(client)).verdicts[JANE]["*"]
    assert (held.rule, held.reason, held.origin) == ("new-rule", "NEW", "feedback")
    assert SuppressionList(store_of(client)).check(JANE) == held


def test_a_table_is_read_as_a_whole_without_what_has_expired(client: Any) -> None:
    addresses = [f"a{number}@example.com" for number in range(603)]
    records = [record_of(hard(0), address=one) for one in addresses]
    assert store_of(client).save(records, deadline=Deadline(60)) == {}
    save(store_of(client), record_of(block(0)))
    client.put_item(TableName=TABLE_NAME, Item={"address": {"S": "foreign@example.com"}})
    for segments in (1, 3):
        pages = list(store_of(client, now=day(500)).scan(segments=segments))
        assert max(len(page.records) for page in pages) <= 500
        read = [address for page in pages for address in page.records]
        assert sorted(read) == sorted(addresses)
        assert [one for page in pages for one in page.failures] == ["foreign@example.com"]


def test_a_scan_takes_no_more_than_its_pace() -> None:
    client, stubber = stubbed()
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pages = 5
    for number in range(pages):
        more = {"LastEvaluatedKey": {"address": {"S": "x"}}} if number < pages - 1 else {}
        units = {"ConsumedCapacity": {"TableName": TABLE_NAME, "CapacityUnits": 250.0}}
        stubber.add_response("scan", {"Items": [], **units, **more})
    with stubber:
        pace = Pace(1_000, clock=lambda: now[0], sleep=sleep)
        assert len(list(store_of(client).scan(segments=1, pace=pace))) == pages
    assert now[0] == pytest.approx((pages - 1) * 0.25, abs=0.001)


def test_a_scan_that_is_left_early_leaves_nothing_running(client: Any) -> None:
    save(store_of(client), record_of(hard(0)))
    pages: Any = store_of(client).scan(segments=4)
    next(pages)
    pages.close()
    wait_for(
        "the end of the scan's threads",
        lambda: not [one for one in threading.enumerate() if one.name.startswith("scan")],
        seconds=5,
    )


def test_what_is_erased_is_gone(client: Any) -> None:
    store = store_of(client)
    save(store, record_of(hard(0)))
    store.erase(JANE)
    store.erase(JANE)
    assert load_one(store).evidence == ()
