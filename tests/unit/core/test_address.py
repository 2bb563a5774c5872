import string
import unicodedata

import idna
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ses_suppression.core.address import (
    MAX_LENGTH,
    domain_of,
    fingerprint,
    is_simulator,
    normalise,
    normalise_reported,
)
from ses_suppression.core.domain_name import _punycode, is_invisible
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
        ("jane@exam ple.com", "a space or an invisible character"),
        ("jane\u0378@example.com", "unassigned character"),
        ('"jane\u00a0doe"@example.com', "before the @ is an invisible character"),
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


MARKS_OF_A_MAILBOX = 'ab.@<>()[],:;"\\ \t\r\n\x00é\u200c\ufeff'
AMBIGUOUS = (
    "held@a.example(<clear@b.example>",
    "held@a.example <clear@b.example>",
    "held@a.example, X <clear@b.example>",
    "held@a.example; X <clear@b.example>",
    "Doe, Jane <clear@b.example>",
    "friends: Jane <clear@b.example>",
    "Jane (work) <clear@b.example>",
    '"Jane" held@a.example <clear@b.example>',
    "Jane\nBcc\n <clear@b.example>",
    '"Jane\r\nBcc: held@a.example\r\n" <clear@b.example>',
    "Jane\x00 <clear@b.example>",
)
REFUSED_ANYHOW = (
    "held@a.example, clear@b.example",
    "held@a.example,clear@b.example",
    "held@a.example;clear@b.example",
    "held@a.example clear@b.example",
    "<held@a.example>, <clear@b.example>",
    "<held@a.example><clear@b.example>",
    "friends: clear@b.example;",
    "friends: held@a.example, clear@b.example;",
    "<@a.example:clear@b.example>",
    "<@a.example,@c.example:clear@b.example>",
    "clear@b.example(held)",
    "clear(held)@b.example",
    "(held)clear@b.example",
    "\x00clear@b.example",
    "clear@b.example\x00",
    "clear\\@b.example",
)


@pytest.mark.parametrize("text", AMBIGUOUS + REFUSED_ANYHOW)
def test_a_text_that_may_name_another_mailbox_is_refused(text: str) -> None:
    assert refusal(text)


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_ses_reports_the_mailbox_in_the_brackets(text: str) -> None:
    assert normalise_reported(text) == "clear@b.example"


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary()
    | st.lists(st.text())
    | st.text(MARKS_OF_A_MAILBOX)
    | st.text()
)
def test_nothing_but_an_invalid_address_is_raised(text: object) -> None:
    for read in (normalise, normalise_reported):
        try:
            key = read(text)  # type: ignore[arg-type]  # what a list may hold all the same
        except InvalidAddressError:
            continue
        assert normalise(key) == key


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
        "\u200f" * 300_000 + "@" + "\u200f" * 300_000,
    ],
    ids=["domain", "local part", "in brackets", "brackets", "quotes", "invisible"],
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


BLANKS = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\ufe00\ufe0e\ufe0f\uffa0\ufffc"
    "\U00016fe4\U0001d159\U000e0100\U000e01ef"
)
FORMAT = "".join(
    character
    for character in map(chr, [*range(0xD800), *range(0xE000, 0x110000)])
    if unicodedata.category(character) == "Cf"
)
UNASSIGNED = "\u2065\ufff0\U000e0000\U000e0fff"  # Unicode reserves them for invisible ones
INVISIBLE = FORMAT + BLANKS + UNASSIGNED


@pytest.mark.parametrize(
    ("spelling", "normalised"),
    [
        ("\u200fjane@example.com", "jane@example.com"),
        ("jane@example.com\u200e", "jane@example.com"),
        ("\u202bJANE@example.com\u202c", "jane@example.com"),
        ("\u2068jane@example.com\u2069", "jane@example.com"),
        (" \u061c \ufeff\u00a0\u200bjane@example.com\u2060\r\n\u200d ", "jane@example.com"),
        ("\u00adjane@example.com\u00ad", "jane@example.com"),
        ("\U000e0001\U000e0065jane@example.com\U000e007f", "jane@example.com"),
        ("\u3164jane@example.com\u2800\ufe0f", "jane@example.com"),
        ("\u200fJane <\u200f jane@example.com \u200e>\u200e", "jane@example.com"),
        ('"Ja\u200fne" <jane@example.com>', "jane@example.com"),
        ("jane@\u200fexample.com", "jane@example.com"),
        ("jane@example.com.\u200f", "jane@example.com"),
        ("jane@ex\u00adample.com", "jane@example.com"),
        ("jane@ex\u034fam\ufe0fple\U000e0100.com", "jane@example.com"),
        ("jane@bu\ufe0f\u0308cher.example", "jane@xn--bcher-kva.example"),
        ("jane@xn--\u00adbcher-kva.example", "jane@xn--bcher-kva.example"),
    ],
)
def test_an_invisible_character_makes_no_other_key(spelling: str, normalised: str) -> None:
    assert normalise(spelling) == normalised


def refusal(text: str) -> str:
    """Return the reason for which a text is refused; empty: it is an address."""
    try:
        normalise(text)
    except InvalidAddressError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("local", ["ja%sne", "jane%s", '"%sjane"', '"ja\\%sne"', '"ja %s ne"'])
def test_an_invisible_character_before_the_at_is_refused(local: str) -> None:
    reasons = {mark: refusal(f"{local % mark}@example.com") for mark in INVISIBLE}
    named = {mark for mark, reason in reasons.items() if "an invisible character" in reason}
    unassigned = {mark for mark, reason in reasons.items() if "an unassigned character" in reason}
    assert named == set(FORMAT + BLANKS)
    assert unassigned == set(UNASSIGNED)
    assert not any(mark in reason for mark, reason in reasons.items())


def test_an_invisible_character_in_the_domain_is_ignored_as_in_uts_46_or_refused() -> None:
    accepted = [mark for mark in INVISIBLE if not refusal(f"jane@exam{mark}ple.com")]
    assert {normalise(f"jane@exam{mark}ple.com") for mark in accepted} == {"jane@example.com"}
    assert {idna.uts46_remap(f"exam{mark}ple") for mark in accepted} == {"example"}
    assert "".join(accepted) == (
        "\u00ad\u034f\u180b\u180c\u180d\u180f\ufe00\ufe0e\ufe0f\U000e0100\U000e01ef"
    )


PLACES = ("jane@example.com", '"jane"@example.com', "Jane <jane@mail.example.com>", "jane@例え.com")
MARKS = st.text(INVISIBLE + " \t\u00a0\u2003\u3000", min_size=1, max_size=3)


@given(st.sampled_from(PLACES) | st.emails(), st.lists(st.tuples(st.integers(0), MARKS)))
def test_two_texts_that_differ_only_in_invisible_characters_never_have_two_keys(
    address: str, insertions: list[tuple[int, str]]
) -> None:
    marked = address
    for place, marks in insertions:
        index = place % (len(marked) + 1)
        marked = marked[:index] + marks + marked[index:]
    try:
        key = normalise(marked)
    except InvalidAddressError:
        return
    assert key == normalise(address)


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        ("نامه\u200cای", True),  # Persian: between two letters that would join
        ("می\u200cخواهم", True),
        ("نَ\u200cَا", True),  # marks on the letters
        ("ک\u200cک\u200cک", True),
        ("ܒ\u200cܐ", True),  # Syriac
        ("ߊ\u200cߊ", True),  # N'Ko
        ("क्\u200cष", True),  # Devanagari, after a virama
        ("क्\u200dष", True),
        ("ශ්\u200dරී", True),  # Sinhala
        ("دا\u200cدن", False),  # alef does not join the next letter
        ("ء\u200cب", False),
        ("ب\u200cء", False),
        ("ب\u200dب", False),
        ("ب\u200c\u200cب", False),
        ("\u200cب", False),
        ("بب\u200c", False),
        ("ب\u200cb", False),
        ("क\u200cष", False),
        ("क\u200dष", False),
        ("क्\u200d\u200dष", False),
        ("\u200dष", False),
        ("exam\u200cple", False),
        ("exam\u200dple", False),
    ],
)
def test_a_joiner_is_allowed_where_its_script_has_one(label: str, allowed: bool) -> None:
    if allowed:
        expected = idna.encode(label, uts46=True).decode()
        assert normalise(f"x@mail.{label}.example") == f"x@mail.{expected}.example"
    else:
        assert "joiner where its script has none" in refusal(f"x@mail.{label}.example")


def spelling(label: str) -> str | None:
    """Return how we spell a label; None: we refuse it."""
    try:
        key = normalise(f"x@mail.{label}.example")  # right after the @ more is taken off
    except InvalidAddressError:
        return None
    return key.removeprefix("x@mail.").removesuffix(".example")


def spelling_of_the_library(label: str) -> str | None:
    try:
        return idna.encode(f"{label}.example", uts46=True).decode().removesuffix(".example")
    except (idna.IDNAError, UnicodeError):
        return None


ASSIGNED = [
    character
    for character in map(chr, range(0x110000))
    if unicodedata.category(character) not in {"Cn", "Co", "Cs"}
    and character not in "@.\u3002\uff0e\uff61"
]


@pytest.mark.parametrize(
    ("template", "one_in"),
    [
        ("%s", 11),
        ("a%sa", 37),
        pytest.param("%s", 1, marks=pytest.mark.slow),
        pytest.param("a%sa", 1, marks=pytest.mark.slow),
    ],
)
def test_every_character_of_a_domain_is_refused_or_spelt_as_the_idna_library_does(
    template: str, one_in: int
) -> None:
    others = {
        character: (spelling(label), spelling_of_the_library(label))
        for character in ASSIGNED[::one_in]
        if spelling(label := template % character) != spelling_of_the_library(label)
    }
    refused = {character for character, (ours, _) in others.items() if ours is None}
    assert all(is_invisible(character) for character in refused), "stricter of the invisible alone"
    assert others.keys() - refused <= set("_-"), "labels in ASCII are taken as they are"


CONTEXTUAL = "·lͅͅ͵αאב׳״・アあ漢٠١۰۱ـ́-_1٣ßςẞᾳᏸﷺ½ǆ…⒈ªⅷ💩"


@given(st.text(LETTERS + CONTEXTUAL, min_size=1, max_size=6))
@example("xn--é")
@example("ａ_b")
def test_an_international_label_is_refused_or_spelt_as_the_idna_library_does(label: str) -> None:
    assert label.isascii() or spelling(label) == spelling_of_the_library(label)


@given(st.text(max_size=20).filter(lambda text: not text.isascii()))
def test_a_label_is_encoded_as_python_encodes_it_as_far_as_it_may_be_long(label: str) -> None:
    expected = label.encode("punycode", "surrogatepass").decode()
    assert _punycode(label)[:63] == expected[:63]


JOINING_BLOCKS = [
    character
    for character in map(chr, range(0x0600, 0x0900))
    if unicodedata.category(character)[0] in "LM"
    and unicodedata.normalize("NFKC", character) == character
]


@pytest.mark.parametrize("template", ["ب\u200c%s", "%s\u200cب", "ب%s\u200cب", "ب\u200c%sب"])
def test_every_arabic_letter_joins_as_the_idna_library_says(template: str) -> None:
    labels = [template % character for character in JOINING_BLOCKS]
    assert [one for one in labels if spelling(one) != spelling_of_the_library(one)] == []


@given(st.text("بناهءدَٰܒܐߊक्षශ්රab-\u200c\u200d\u200c\u200d", min_size=1, max_size=8))
@example("ب्\u200cب\u200cب")
def test_joiners_are_allowed_where_the_idna_library_allows_them(label: str) -> None:
    assert label.isascii() or spelling(label) == spelling_of_the_library(label)


WITH_JOINERS = LETTERS + "بناهءدَٰܒܐߊक्षශ්ර\u200c\u200d" + INVISIBLE


@given(st.text(WITH_JOINERS, min_size=1, max_size=10))
def test_a_domain_with_invisible_characters_is_refused_or_spelt_as_the_idna_library_spells_it(
    label: str,
) -> None:
    try:
        expected = idna.encode(label, uts46=True).decode()
        key = normalise(f"x@{label}.example")
    except (idna.IDNAError, InvalidAddressError):
        return
    assert key == f"x@{expected}.example"


def test_the_simulator_is_known_by_its_domain() -> None:
    assert is_simulator("bounce+label@simulator.amazonses.com")
    assert not is_simulator("bounce@simulator.amazonses.com.example.com")


def test_a_fingerprint_is_twelve_digits_and_depends_on_the_key() -> None:
    one, other = fingerprint("jane@example.com", "key"), fingerprint("jane@example.com", "other")
    assert len(one) == len(other) == 12
    assert one != other
