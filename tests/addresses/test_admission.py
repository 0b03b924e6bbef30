"""Only the row the sender let in carries its mark, and opens."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.addresses.address import EmailAddress
from app.addresses.admission import (
    AdmitKeys,
    AdmittedRow,
    NotAdmitted,
    admit_mac,
    is_admitted,
    open_admitted,
)
from app.addresses.sealing import SealingKey, seal
from app.addresses.unsealing import OpeningKeys, SealBroken

OLD = AdmitKeys({1: b"o" * 32})
KEYS = AdmitKeys({1: b"o" * 32, 2: b"n" * 32})
ROW, LINK, INDEX, SEALED = b"r" * 16, b"l" * 8, b"i" * 33, b"s" * 306
MARK = admit_mac(KEYS, ROW, LINK, INDEX, SEALED)
GOOD = AdmittedRow(ROW, LINK, INDEX, SEALED, MARK)
PRIVATE = X25519PrivateKey.generate()
ANN = EmailAddress("ann@example.org")


def ids(length: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=length, max_size=length)


@given(ids(16), ids(8), ids(33), st.binary())
def test_an_admitted_row_is_known_also_after_a_rotation(
    row_id: bytes, link_id: bytes, index: bytes, sealed: bytes
) -> None:
    facts = (row_id, link_id, index, sealed)
    mark = admit_mac(OLD, *facts)
    assert len(mark) == 33
    assert is_admitted(KEYS, AdmittedRow(*facts, mark))
    assert is_admitted(KEYS, AdmittedRow(*facts, admit_mac(KEYS, *facts)))


@given(ids(16), ids(8), ids(33), st.binary())
def test_the_mark_binds_all_four(
    row_id: bytes, link_id: bytes, index: bytes, sealed: bytes
) -> None:
    assert is_admitted(KEYS, GOOD._replace(row_id=row_id)) == (row_id == ROW)
    assert is_admitted(KEYS, GOOD._replace(link_id=link_id)) == (link_id == LINK)
    assert is_admitted(KEYS, GOOD._replace(blind_index=index)) == (index == INDEX)
    assert is_admitted(KEYS, GOOD._replace(sealed=sealed)) == (sealed == SEALED)


def test_every_bit_of_the_mark_counts() -> None:
    for bit in range(len(MARK) * 8):
        changed = bytearray(MARK)
        changed[bit // 8] ^= 1 << bit % 8
        assert not is_admitted(KEYS, GOOD._replace(mark=bytes(changed)))


@given(st.tuples(*[st.binary()] * 5))
def test_planted_bytes_are_never_admitted_and_never_an_error(
    planted: tuple[bytes, bytes, bytes, bytes, bytes],
) -> None:
    assert not is_admitted(KEYS, AdmittedRow(*planted))
    assert not is_admitted(KEYS, GOOD._replace(mark=planted[4]))
    assert not is_admitted(KEYS, GOOD._replace(row_id=ROW + LINK[:1], link_id=LINK[1:]))


def test_another_installation_does_not_admit() -> None:
    assert not is_admitted(AdmitKeys({2: b"x" * 32}), GOOD)
    assert not is_admitted(AdmitKeys({1: b"n" * 32}), GOOD)


@pytest.mark.parametrize(
    ("row_id", "link_id", "index"),
    [(b"", LINK, INDEX), (ROW, b"", INDEX), (ROW + b"x", LINK, INDEX), (ROW, LINK, INDEX[1:])],
)
def test_only_ids_can_be_bound(row_id: bytes, link_id: bytes, index: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        admit_mac(KEYS, row_id, link_id, index, SEALED)


def test_only_what_was_let_in_is_opened() -> None:
    opening = OpeningKeys("list", {1: PRIVATE})
    sealed = seal(SealingKey("list", 1, PRIVATE.public_key()), ROW, ANN)
    row = AdmittedRow(ROW, LINK, INDEX, sealed, admit_mac(KEYS, ROW, LINK, INDEX, sealed))
    assert open_admitted(KEYS, opening, row) == ANN
    with pytest.raises(NotAdmitted):
        open_admitted(OLD, opening, row)
    with pytest.raises(SealBroken):
        open_admitted(KEYS, OpeningKeys("list", {}), row)
