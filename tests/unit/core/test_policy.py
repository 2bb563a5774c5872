from typing import Any

import pytest

from ses_suppression.core.policy import CONSEQUENCES, LONGEST_DAYS, Policy
from ses_suppression.core.rules import WHEN, Rule
from ses_suppression.errors import InvalidPolicyError


def test_every_rule_has_its_meaning_and_its_consequence() -> None:
    assert set(CONSEQUENCES) == set(WHEN) == set(Rule)


def test_the_defaults_are_those_that_are_documented() -> None:
    assert Policy.from_mapping({}) == Policy()
    policy = Policy()
    assert (policy.transient_bounces, policy.transient_window_days) == (5, None)
    assert (policy.transient_hold_days, policy.block_hold_days) == (14, 7)
    assert (policy.longest_hold_days, policy.ses_list_days) == (112, 14)
    assert (policy.simulator_days, policy.kept_days) == (1, 400)
    assert (policy.never_suppress, policy.complaints_do_not_block) == (frozenset(), frozenset())
    assert policy.stream_tag is None


def test_values_are_taken_and_addresses_normalised() -> None:
    policy = Policy.from_mapping(
        {
            "transient_bounces": 1,
            "kept_days": LONGEST_DAYS,
            "never_suppress": ["Jane@Example.com", "BÜCHER.example"],
            "complaints_do_not_block": ["security"],
            "stream_tag": "list",
        }
    )
    assert (policy.transient_bounces, policy.kept_days) == (1, LONGEST_DAYS)
    assert policy.never_suppress == {"jane@example.com", "xn--bcher-kva.example"}
    assert policy.complaints_do_not_block == {"security"}
    assert policy.stream_tag == "list"
    assert Policy.from_mapping({"stream_tag": None}).stream_tag is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"transient": 1}, "transient is not a key of the policy; there are transient_bounces, "),
        ({"kept_days": 0}, "kept_days: a whole number from 1 to 3650 is needed, not 0"),
        ({"kept_days": 3651}, "kept_days: a whole number from 1 to 3650 is needed, not 3651"),
        ({"kept_days": 1.5}, "kept_days: a whole number from 1 to 3650 is needed, not 1.5"),
        ({"kept_days": True}, "kept_days: a whole number from 1 to 3650 is needed, not True"),
        ({"kept_days": "9"}, "kept_days: a whole number from 1 to 3650 is needed, not '9'"),
        (
            {"kept_days": 13, "transient_window_days": 14},
            "kept_days: evidence has to be kept for transient_window_days at least",
        ),
        ({"stream_tag": ""}, "stream_tag: the name of a message tag is needed, not ''"),
        ({"stream_tag": 5}, "stream_tag: the name of a message tag is needed, not 5"),
        (
            {"complaints_do_not_block": ["tenant:acme"]},
            "complaints_do_not_block: 'tenant:acme' is no stream: tenant: is reserved",
        ),
        ({"never_suppress": "x.example"}, "never_suppress: a list of texts is needed"),
        ({"never_suppress": [5]}, "never_suppress: a list of texts is needed"),
        ({"never_suppress": [""]}, "never_suppress: a list of texts is needed"),
        (
            {"never_suppress": ["a@b@c"]},
            "never_suppress: an entry is neither an address nor a domain",
        ),
        ({"never_suppress": ["no domain"]}, "never_suppress: an entry is neither an address nor a"),
        ({"complaints_do_not_block": ["*"]}, "complaints_do_not_block: a list of texts is needed"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_and_no_address_repeated(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidPolicyError) as raised:
        Policy.from_mapping(values)
    assert str(raised.value).startswith(message)
    assert "a@b" not in str(raised.value)


def test_a_row_has_to_fit_into_its_window_and_into_what_is_kept() -> None:
    for window, most in ((14, 14), (60, 40), (None, 40)):
        values = {"transient_bounces": most, "transient_window_days": window}
        assert Policy.from_mapping(values).transient_bounces == most
    with pytest.raises(InvalidPolicyError) as raised:
        Policy.from_mapping({"transient_bounces": 41})
    assert str(raised.value) == (
        "transient_bounces: that many, one a day, do not fall within transient_window_days and the "
        "40 days that are kept"
    )
    with pytest.raises(InvalidPolicyError):
        Policy.from_mapping({"transient_bounces": 15, "transient_window_days": 14})
    assert Policy.from_mapping({"transient_window_days": None}).transient_window_days is None


def test_evidence_may_be_kept_for_just_the_window() -> None:
    values = {"kept_days": 14, "transient_window_days": 14}
    assert Policy.from_mapping(values).kept_days == 14


def test_the_policy_is_read_from_the_environment() -> None:
    text = '{"transient_bounces": 3}'
    assert Policy.from_environ({"SUPPRESSION_POLICY": text}) == Policy(transient_bounces=3)
    assert Policy.from_environ({}) == Policy()
    with pytest.raises(InvalidPolicyError) as raised:
        Policy.from_environ({"SUPPRESSION_POLICY": "{"})
    assert str(raised.value).startswith("SUPPRESSION_POLICY is not JSON: Expecting property name")
