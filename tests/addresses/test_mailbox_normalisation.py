"""Folding: whatever reaches one mailbox counts as one, and folding again changes nothing."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.addresses.address import AddressRefused, EmailAddress
from app.addresses.mailbox_normalisation import folded

MESSAGES = "abcdefghijklmnopqrstuvwxyz0123456789"
names = st.text(MESSAGES, min_size=1, max_size=20)
tags = st.lists(st.text(MESSAGES + "+", max_size=8), max_size=3)


def disguised(name: str, dots: set[int], tags: list[str], capitals: set[int]) -> str:
    """Write the name with dots in it, tags behind it and capitals anywhere."""
    dotted = "".join(
        (char.upper() if place in capitals else char)
        + ("." if place in dots and place + 1 < len(name) else "")
        for place, char in enumerate(name)
    )
    return "+".join([dotted, *tags])


@given(names, st.sets(st.integers(0, 19)), tags, st.sets(st.integers(0, 19)))
def test_every_disguise_of_one_mailbox_folds_to_it(
    name: str, dots: set[int], tags: list[str], capitals: set[int]
) -> None:
    local = disguised(name, dots, tags, capitals)
    assume(len(local) <= 64)
    address = EmailAddress.parse(f"{local}@Example.ORG")
    assert folded(address) == f"{name}@example.org"


@given(names, names)
def test_two_names_stay_two(one: str, other: str) -> None:
    assume(one != other)
    assert folded(EmailAddress(f"{one}@example.org")) != folded(
        EmailAddress(f"{other}@example.org")
    )
    assert folded(EmailAddress(f"{one}@example.org")) != folded(EmailAddress(f"{one}@example.com"))


@given(st.text(MESSAGES + ".+-_'", min_size=1, max_size=64))
def test_folding_twice_is_folding_once(local: str) -> None:
    try:
        once = folded(EmailAddress.parse(f"{local}@example.org"))
    except AddressRefused:
        return
    assert folded(EmailAddress(once)) == once


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("+tag@example.org", "+tag@example.org"),
        ("a.b+c@googlemail.com", "ab@gmail.com"),
        ("ab@gmail.com", "ab@gmail.com"),
        ("first-last@example.org", "first-last@example.org"),
    ],
)
def test_what_is_counted(written: str, counted: str) -> None:
    assert folded(EmailAddress.parse(written)) == counted
