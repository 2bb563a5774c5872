import string

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_suppression.address import (
    MAX_LENGTH,
    domain_of,
    fingerprint,
    is_simulator,
    normalise,
)
from ses_suppression.errors import InvalidAddressError


@pytest.mark.parametrize(
    ("spelling", "normalised"),
    [
        ("jane@example.com", "jane@example.com"),
        ("Jane.Doe@EXAMPLE.com", "jane.doe@example.com"),
        (" \t jane@example.com\r\n", "jane@example.com"),
        ("jane@example.com.", "jane@example.com"),
        ("<jane@example.com>", "jane@example.com"),
        ('"Jane Doe" <jane@example.com>', "jane@example.com"),
        ('"Doe, Jane <x@y.example>" <jane@example.com>', "jane@example.com"),
        ("=?utf-8?q?J=C3=A4ne?= <jane@example.com>", "jane@example.com"),
        ("Jane < jane@example.com >", "jane@example.com"),
        ("jane+news@example.com", "jane+news@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
        ('"jane"@example.com', "jane@example.com"),
        ('"ja\\ne"@example.com', "jane@example.com"),
        ('"Jane Doe"@example.com', '"jane doe"@example.com'),
        (r'"a\"b"@example.com', r'"a\"b"@example.com'),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ("jane..doe.@docomo.example", "jane..doe.@docomo.example"),
        ("JÄNE@example.com", "jäne@example.com"),
        ("ja\u0308ne@example.com", "jäne@example.com"),
        ("jane@BÜCHER.example", "jane@xn--bcher-kva.example"),
        ("jane@xn--bcher-kva.example", "jane@xn--bcher-kva.example"),
        ("jane@straße.example", "jane@xn--strae-oqa.example"),
        ("jane@例え。テスト", "jane@xn--r8jz45g.xn--zckzah"),
        ("jane@ｅｘａｍｐｌｅ．com", "jane@example.com"),
        ("jane@[192.0.2.1]", "jane@[192.0.2.1]"),
        ("jane@localhost", "jane@localhost"),
        ("jane@a_b.example.com", "jane@a_b.example.com"),
    ],
)
def test_every_spelling_of_a_mailbox_has_one_key(spelling: str, normalised: str) -> None:
    assert normalise(spelling) == normalised


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "needs an @"),
        ("jane", "needs an @"),
        ("@example.com", "nothing stands before"),
        ("jane@", "empty part"),
        ("jane@example..com", "empty part"),
        ("jane@.example.com", "empty part"),
        ("jane doe@example.com", "without quotes"),
        ("jane@doe@example.com", "without quotes"),
        ("a@example.com, b@example.com", "without quotes"),
        ("jane\x00@example.com", "control character"),
        ("jane\ud800@example.com", "lone surrogate"),
        ("jane@exam\ud800ple.com", "no domain can have"),
        ("jane@exam ple.com", "no domain can have"),
        ("jane@exa/mple.com", "no domain can have"),
        ("jane@℀.com", "no domain can have"),
        ("jane@" + "a" * 64 + ".com", "more than 63"),
        ("jane@" + "a." * 130 + "com", "at most 253"),
        ("j" * MAX_LENGTH + "@example.com", "at most 320"),
        ("j" * 2_037 + "@example.com", "at most 320"),
    ],
)
def test_what_cannot_be_an_address_is_refused_without_repeating_it(text: str, reason: str) -> None:
    with pytest.raises(InvalidAddressError, match=reason) as raised:
        normalise(text)
    assert "@ex" not in str(raised.value)


@pytest.mark.parametrize("cell", [None, 5, 1.5, b"jane@example.com", ["jane@example.com"]])
def test_what_is_no_text_is_no_address(cell: object) -> None:
    with pytest.raises(InvalidAddressError, match="a text is needed, this is"):
        normalise(cell)  # type: ignore[arg-type]  # what a list may hold all the same


@pytest.mark.parametrize(
    "text",
    [
        "x@" + "".join(chr(0x4E00 + number) for number in range(20_000)) + ".example",
        "x" + "\u0301" * 300_000 + "@example.com",
        '"' + "x" * 1_000_000 + '" <' + "\u0301" * 300_000 + "@example.com>",
        "<" * 100_000 + "x@example.com",
        '"' * 100_001 + "<x@example.com>",
    ],
    ids=["domain", "local part", "in brackets", "brackets", "quotes"],
)
@pytest.mark.timeout(2)
def test_a_hostile_length_costs_no_time(text: str) -> None:
    """Unicode's normal forms and punycode take quadratic time."""
    with pytest.raises(InvalidAddressError):
        normalise(text)


@given(st.text() | st.emails() | st.from_regex(r"[^@]{1,20}@[^@]{1,20}"))
def test_normalising_ends_in_an_address_or_an_error_and_twice_is_once(text: str) -> None:
    try:
        address = normalise(text)
    except InvalidAddressError:
        return
    assert normalise(address) == address
    assert len(address) <= MAX_LENGTH
    assert len(address.encode()) <= 2048, "a key of DynamoDB has at most 2,048 bytes"


@given(st.emails())
def test_case_and_surrounding_space_never_matter(address: str) -> None:
    assert normalise(f"  {address.upper()}\n") == normalise(address)


LETTERS = string.ascii_letters + string.digits + "äöüßÄÖÜéÉñçÇøØαβγςσΣΩжЖяЯאבגمرحبا日本語テスト한국"


@given(st.text(LETTERS, min_size=1, max_size=15))
def test_an_international_domain_is_spelt_as_the_idna_library_spells_it(label: str) -> None:
    try:
        expected = idna.encode(label, uts46=True).decode()
    except idna.IDNAError:
        return  # not a domain that can be registered
    assert domain_of(normalise(f"x@{label}.example")) == f"{expected}.example"


def test_the_simulator_is_known_by_its_domain() -> None:
    assert is_simulator("bounce+label@simulator.amazonses.com")
    assert not is_simulator("bounce@simulator.amazonses.com.example.com")


def test_a_fingerprint_is_twelve_digits_and_depends_on_the_key() -> None:
    one, other = fingerprint("jane@example.com", "key"), fingerprint("jane@example.com", "other")
    assert len(one) == len(other) == 12
    assert one != other
