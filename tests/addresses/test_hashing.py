"""Keyed hashes under several keys: the newest makes, all check."""

from hypothesis import given
from hypothesis import strategies as st

from app.addresses.hashing import TAG_LENGTH, HashKeys

OLD = HashKeys({1: b"o" * 32})
BOTH = HashKeys({1: b"o" * 32, 2: b"n" * 32})


@given(st.binary())
def test_tags_outlive_a_rotation(message: bytes) -> None:
    assert BOTH.made(OLD.newest(message), message)
    assert BOTH.newest(message)[0] == 2
    assert tuple(BOTH.every(message)) == (BOTH.newest(message), OLD.newest(message))


@given(st.binary(), st.binary())
def test_a_tag_is_for_its_message_only(message: bytes, other: bytes) -> None:
    assert BOTH.made(BOTH.newest(message), other) == (message == other)


@given(st.binary(max_size=40))
def test_what_was_not_made_is_not_taken(tag: bytes) -> None:
    assert not BOTH.made(tag, b"message")
    assert len(BOTH.newest(b"message")) == TAG_LENGTH == 33


def test_keys_do_not_show_themselves() -> None:
    assert "ooo" not in repr(BOTH)
