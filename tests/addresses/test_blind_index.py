"""The blind index: one per mailbox, none without the key."""

from hypothesis import given

from app.addresses.address import EmailAddress
from app.addresses.blind_index import (
    IndexKeys,
    NeverKeys,
    blind_index,
    known_indexes,
    never_index,
    never_indexes,
)
from tests.addresses.test_address import addresses

OLD = IndexKeys({1: b"o" * 32})
KEYS = IndexKeys({1: b"o" * 32, 2: b"n" * 32})
ANN = EmailAddress("ann@example.org")


@given(addresses())
def test_spellings_share_one_index_of_33_bytes(typed: str) -> None:
    address = EmailAddress.parse(typed)
    index = blind_index(KEYS, address)
    assert index == blind_index(KEYS, EmailAddress.parse(typed.upper()))
    assert len(index) == 33
    assert index[0] == 2


def test_other_mailboxes_have_other_indexes() -> None:
    others = ["bob@example.org", "ann@example.com", "a.nn@example.org", "ann+news@example.org"]
    indexes = {blind_index(KEYS, EmailAddress(other)) for other in [*others, ANN.wire]}
    assert len(indexes) == 5


def test_an_address_indexed_before_a_rotation_is_still_known() -> None:
    assert known_indexes(KEYS, ANN) == (blind_index(KEYS, ANN), blind_index(OLD, ANN))


def test_the_index_depends_on_the_key() -> None:
    assert blind_index(IndexKeys({1: b"x" * 32}), ANN) != blind_index(OLD, ANN)


@given(addresses())
def test_a_suppression_has_one_index_that_is_nobody_s_on_the_list(typed: str) -> None:
    address = EmailAddress.parse(typed)
    never = NeverKeys(KEYS.by_kid)
    index = never_index(never, address)
    assert index == never_index(never, EmailAddress.parse(typed.upper()))
    assert (len(index), index[0]) == (33, 2)
    assert index not in known_indexes(KEYS, address)
    assert never_indexes(never, address) == (index, never_index(NeverKeys(OLD.by_kid), address))
