"""Only the row the sender let in carries its mark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.addresses.admission import AdmitKeys, admit_mac, is_admitted

OLD = AdmitKeys({1: b"o" * 32})
KEYS = AdmitKeys({1: b"o" * 32, 2: b"n" * 32})
ROW, LINK, SEALED = b"r" * 16, b"l" * 8, b"s" * 306
MARK = admit_mac(KEYS, ROW, LINK, SEALED)

row_ids = st.binary(min_size=16, max_size=16)
link_ids = st.binary(min_size=8, max_size=8)


@given(row_ids, link_ids, st.binary())
def test_an_admitted_row_is_known_also_after_a_rotation(
    row_id: bytes, link_id: bytes, sealed: bytes
) -> None:
    mark = admit_mac(OLD, row_id, link_id, sealed)
    assert len(mark) == 33
    assert is_admitted(KEYS, row_id, link_id, sealed, mark)
    assert is_admitted(KEYS, row_id, link_id, sealed, admit_mac(KEYS, row_id, link_id, sealed))


@given(row_ids, link_ids, st.binary())
def test_the_mark_binds_all_three(row_id: bytes, link_id: bytes, sealed: bytes) -> None:
    assert is_admitted(KEYS, row_id, LINK, SEALED, MARK) == (row_id == ROW)
    assert is_admitted(KEYS, ROW, link_id, SEALED, MARK) == (link_id == LINK)
    assert is_admitted(KEYS, ROW, LINK, sealed, MARK) == (sealed == SEALED)


def test_every_bit_of_the_mark_counts() -> None:
    for bit in range(len(MARK) * 8):
        changed = bytearray(MARK)
        changed[bit // 8] ^= 1 << bit % 8
        assert not is_admitted(KEYS, ROW, LINK, SEALED, bytes(changed))


@given(st.binary(), st.binary(), st.binary(), st.binary())
def test_planted_bytes_are_never_admitted_and_never_an_error(
    row_id: bytes, link_id: bytes, sealed: bytes, mark: bytes
) -> None:
    assert not is_admitted(KEYS, row_id, link_id, sealed, mark)
    assert not is_admitted(KEYS, ROW, LINK, SEALED, mark)
    assert not is_admitted(KEYS, ROW + LINK[:1], LINK[1:], SEALED, MARK)


def test_another_installation_does_not_admit() -> None:
    assert not is_admitted(AdmitKeys({2: b"x" * 32}), ROW, LINK, SEALED, MARK)
    assert not is_admitted(AdmitKeys({1: b"n" * 32}), ROW, LINK, SEALED, MARK)


@pytest.mark.parametrize(("row_id", "link_id"), [(b"", LINK), (ROW, b""), (ROW + b"x", LINK)])
def test_only_ids_can_be_bound(row_id: bytes, link_id: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        admit_mac(KEYS, row_id, link_id, SEALED)
