"""A marker is found where it stands, and nothing but a fitting value takes its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.message import placeholders
from app.mail.message.placeholders import (
    Placeholder,
    PlaceholderMisplaced,
    find,
    in_body,
    in_header,
    marker,
)

NAMES = ["unsubscribe", "confirm", "manage", "message-id", "to"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [28, 40, 43, 254])
def test_a_marker_has_exactly_its_length(name: str, length: int) -> None:
    assert len(marker(name, length)) == length


@pytest.mark.parametrize(
    ("name", "length"), [("unsubscribe", 27), ("", 40), ("index", 40), ("A", 40)]
)
def test_a_marker_that_cannot_be_told_apart_is_not_made(name: str, length: int) -> None:
    with pytest.raises(ValueError, match="no marker"):
        marker(name, length)


@given(before=st.text(), after=st.text(alphabet="x-a1") | st.text(), name=st.sampled_from(NAMES))
def test_a_marker_ends_where_it_says_whatever_follows(before: str, after: str, name: str) -> None:
    found = list(find((before + marker(name, 40) + after).encode("utf-8", "replace")))
    start = len(before.encode("utf-8", "replace"))
    assert Placeholder(name, start, start + 40) in found


@pytest.mark.parametrize(
    "text",
    [
        "vestka-slot-",
        "vestka-slot-040-to",
        "vestka-slot-040-to-" + "y" * 21,
        "vestka-slot-999-to-x",
    ],
)
def test_what_resembles_a_marker_is_text(text: str) -> None:
    assert list(find(text.encode())) == []


def test_a_body_takes_a_token_of_the_markers_length_and_nothing_else() -> None:
    fits = in_body(Placeholder("unsubscribe", 0, 40)).shape.fullmatch
    assert fits("aZ9_-" * 8)
    for value in ("a" * 39, "a" * 41, "a" * 39 + "\n", "a" * 39 + "=", "a" * 39 + "é", ""):
        assert not fits(value)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("To", "ann.o'neil+news@example.org"),
        ("Message-ID", "3f2a@example.org"),
        ("Date", "Tue, 21 Jan 2025 09:00:00 +0200"),
        ("X-Anything", "short"),
    ],
)
def test_a_header_takes_what_it_is_made_for(header: str, value: str) -> None:
    assert in_header(header, Placeholder("a", 0, 100)).shape.fullmatch(value)


@pytest.mark.parametrize(
    "value",
    [
        "ann@example.org, bob@example.org",
        "ann@example.org\r\nBcc: bob@example.org",
        "Ann <ann@example.org>",
        "ann@example.org>",
        "ann@bob@example.org",
        "ann",
        "",
        "ann@пошта.бел",
        "a" * 90 + "@example.org",
    ],
)
def test_to_takes_one_bare_address_no_longer_than_its_marker(value: str) -> None:
    assert not in_header("To", Placeholder("to", 0, 100)).shape.fullmatch(value)


def test_the_strictest_place_of_a_slot_decides() -> None:
    slot = Placeholder("unsubscribe", 0, 40)
    in_link, in_list_header = in_body(slot), in_header("List-Unsubscribe", slot)
    assert in_link.agreed(in_list_header) == in_list_header.agreed(in_link) == in_link
    with pytest.raises(PlaceholderMisplaced):
        in_link.agreed(in_header("To", slot))
    with pytest.raises(PlaceholderMisplaced):
        in_link.agreed(in_body(Placeholder("unsubscribe", 0, 41)))


def test_refusals_never_repeat_a_value() -> None:
    assert (
        str(placeholders.PlaceholderValueUnsafe(field="to"))
        == "A value does not fit its slot in the message."
    )
