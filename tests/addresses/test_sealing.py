"""A sealed address opens in its place, with its key, unchanged; else not at all."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.addresses import sealing
from app.addresses.address import EmailAddress
from app.addresses.sealing import SEALED_LENGTH, Purpose, SealingKey, seal
from app.addresses.unsealing import OpeningKeys, SealBroken, open_sealed
from tests.addresses.test_address import LONGEST, addresses

OLD, NEW, FOREIGN = (X25519PrivateKey.generate() for _ in range(3))
OLD_LIST = SealingKey("list", 1, OLD.public_key())
LIST = SealingKey("list", 2, NEW.public_key())
HOT = SealingKey("hot", 2, NEW.public_key())  # the same key, so that only the purpose differs
OPENS_LIST = OpeningKeys("list", {1: OLD, 2: NEW})
OPENS_HOT = OpeningKeys("hot", {1: OLD, 2: NEW})
ROW = bytes(range(16))
ANN = EmailAddress("Ann@example.org")
ANN_SEALED = seal(LIST, ROW, ANN)

row_ids = st.binary(min_size=16, max_size=16)


@given(addresses(), row_ids)
def test_what_is_sealed_opens(typed: str, row_id: bytes) -> None:
    address = EmailAddress.parse(typed)
    assert open_sealed(OPENS_LIST, row_id, seal(LIST, row_id, address)) == address


def test_old_blobs_open_after_a_rotation() -> None:
    assert open_sealed(OPENS_LIST, ROW, seal(OLD_LIST, ROW, ANN)) == ANN


def test_c6_blobs_have_one_length_and_are_never_the_same() -> None:
    short, long = EmailAddress("a@b.co"), EmailAddress(LONGEST)
    blobs = [seal(LIST, ROW, short), seal(LIST, ROW, long), seal(LIST, ROW, short)]
    assert {len(blob) for blob in blobs} == {SEALED_LENGTH} == {306}
    assert len(set(blobs)) == 3
    assert open_sealed(OPENS_LIST, ROW, blobs[1]) == long


def test_c5_every_bit_counts() -> None:
    for bit in range(SEALED_LENGTH * 8):
        changed = bytearray(ANN_SEALED)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            open_sealed(OPENS_LIST, ROW, bytes(changed))


@given(row_ids.filter(lambda row_id: row_id != ROW))
def test_c4_a_blob_opens_in_its_row_only(row_id: bytes) -> None:
    with pytest.raises(SealBroken):
        open_sealed(OPENS_LIST, row_id, ANN_SEALED)


@pytest.mark.parametrize(("key", "opens"), [(HOT, OPENS_LIST), (LIST, OPENS_HOT)])
def test_purposes_never_cross(key: SealingKey, opens: OpeningKeys) -> None:
    with pytest.raises(SealBroken):
        open_sealed(opens, ROW, seal(key, ROW, ANN))


@pytest.mark.parametrize("private", [{}, {1: NEW}, {2: FOREIGN}])
def test_another_key_does_not_open(private: dict[int, X25519PrivateKey]) -> None:
    with pytest.raises(SealBroken):
        open_sealed(OpeningKeys("list", private), ROW, ANN_SEALED)


@given(st.integers(0, SEALED_LENGTH - 1), st.binary(min_size=1))
def test_c5_a_cut_or_grown_blob_does_not_open(length: int, more: bytes) -> None:
    for blob in (ANN_SEALED[:length], ANN_SEALED[length + 1 :], ANN_SEALED + more):
        with pytest.raises(SealBroken):
            open_sealed(OPENS_LIST, ROW, blob)


@given(st.binary(), st.binary(min_size=304, max_size=304), st.binary(max_size=20))
def test_no_bytes_raise_anything_but_a_broken_seal(blob: bytes, body: bytes, row: bytes) -> None:
    for candidate in (blob, bytes((1, 2)) + body, bytes((1, 2)) + bytes(32) + body[32:]):
        with pytest.raises(SealBroken):
            open_sealed(OPENS_LIST, row, candidate)


@pytest.mark.parametrize(
    "padded",
    [
        b"\1\x0fann@example.org".ljust(256, b"\0")[:255] + b"x",
        b"\2\x0fann@example.org".ljust(256, b"\0"),
        b"\1\x0dann@localhost".ljust(256, b"\0"),
        b"\1\x11ann@example.org\r\n".ljust(256, b"\0"),
        b"\1\x0e\xc3\xa9n@example.org".ljust(256, b"\0"),
        b"\1\x00".ljust(256, b"\0"),
        b"\1\xff" + LONGEST.encode(),
    ],
)
def test_what_a_stranger_sealed_never_reaches_the_wire(padded: bytes) -> None:
    """Anyone with the public key can seal anything, so opening checks what it finds."""
    head = bytes((1, LIST.kid))
    info = sealing.bound_to(head, "list", ROW)
    blob = head + sealing.SUITE.encrypt(padded, LIST.public, info=info)
    assert len(blob) == SEALED_LENGTH
    with pytest.raises(SealBroken):
        open_sealed(OPENS_LIST, ROW, blob)


def test_c5_an_unknown_suite_does_not_open() -> None:
    head = bytes((2, LIST.kid))
    body = ANN_SEALED[2:]
    info = sealing.bound_to(head, "list", ROW)
    padded = sealing.SUITE.decrypt(body, NEW, info=sealing.bound_to(ANN_SEALED[:2], "list", ROW))
    blob = head + sealing.SUITE.encrypt(padded, LIST.public, info=info)
    with pytest.raises(SealBroken):
        open_sealed(OPENS_LIST, ROW, blob)


@given(st.binary().filter(lambda row_id: len(row_id) != 16))
def test_only_a_row_id_can_be_bound(row_id: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        seal(LIST, row_id, ANN)


@pytest.mark.parametrize("purpose", ["hot", "list"])
def test_a_broken_seal_says_nothing_of_what_it_held(purpose: Purpose) -> None:
    with pytest.raises(SealBroken) as broken:
        open_sealed(OpeningKeys(purpose, {}), ROW, ANN_SEALED)
    assert "example" not in str(broken.value)
    assert ANN.wire.encode() not in ANN_SEALED
