"""Each process gets the keys of its role, or a sentence that says what is wrong with them."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.addresses.address import EmailAddress
from app.addresses.admission import AdmittedRow, admit_mac, is_admitted
from app.addresses.blind_index import blind_index, known_indexes
from app.addresses.keyring import Keyring, KeysInsideData, check_apart
from app.addresses.public_keys import PublicKeys
from app.addresses.sealing import seal
from app.addresses.unsealing import open_sealed
from app.keys.creation import create_keys
from app.keys.key_files import read_key, write_key
from app.keys.key_format import KeyDamaged, KeyExposed, KeyMissing, KeyName

ANN = EmailAddress("ann@example.org")
ROW, LINK = b"r" * 16, b"l" * 8
PUBLIC = ("hot.1.pub", "list.1.pub", "link.1.key")
SECRET = ("hot.1.key", "list.1.key", "index.1.key", "never.1.key", "mac.1.key")


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def add_kid_2(keys_dir: Path, *purposes: str) -> None:
    """Put a second key beside the first, as a rotation does."""
    for purpose in purposes:
        if purpose in ("hot", "list"):
            private = X25519PrivateKey.generate()
            write_key(keys_dir, KeyName(purpose, 2, "key"), private.private_bytes_raw())
            write_key(keys_dir, KeyName(purpose, 2, "pub"), private.public_key().public_bytes_raw())
        else:
            write_key(
                keys_dir, KeyName(purpose, 2, "key"), b"2" * (64 if purpose == "link" else 32)
            )


def test_what_the_public_process_seals_only_the_sender_opens(
    keys_dir: Path, tmp_path: Path
) -> None:
    public_dir = tmp_path / "public"
    public_dir.mkdir()
    for name in PUBLIC:
        shutil.copy(keys_dir / name, public_dir)
    public, keyring = PublicKeys.load(public_dir), Keyring.load(keys_dir)

    hot, kept = seal(public.hot_sealing, ROW, ANN), seal(public.list_sealing, ROW, ANN)
    assert open_sealed(keyring.hot_opening, ROW, hot) == ANN
    assert open_sealed(keyring.list_opening, ROW, kept) == ANN
    token = keyring.links.unsubscribe(LINK, 202504, "en")
    assert public.links.open_unsubscribe(token).link_id == LINK
    with pytest.raises(KeyMissing):
        Keyring.load(public_dir)


def test_the_keyring_can_do_what_the_public_keys_can(keys_dir: Path) -> None:
    keyring = Keyring.load(keys_dir)
    assert isinstance(keyring, PublicKeys)
    assert open_sealed(keyring.hot_opening, ROW, seal(keyring.hot_sealing, ROW, ANN)) == ANN


def test_after_a_rotation_the_new_keys_make_and_all_open(keys_dir: Path) -> None:
    old = Keyring.load(keys_dir)
    add_kid_2(keys_dir, "hot", "list", "index", "mac", "link")
    new = Keyring.load(keys_dir)

    for key in (old.list_sealing, new.list_sealing):
        assert open_sealed(new.list_opening, ROW, seal(key, ROW, ANN)) == ANN
    assert (new.list_sealing.kid, new.hot_sealing.kid) == (2, 2)
    assert known_indexes(new.index, ANN) == (
        blind_index(new.index, ANN),
        blind_index(old.index, ANN),
    )
    facts = (ROW, LINK, b"i" * 33, b"")
    assert is_admitted(new.admit, AdmittedRow(*facts, admit_mac(old.admit, *facts)))
    assert admit_mac(new.admit, *facts)[0] == 2
    token = old.links.unsubscribe(LINK, 202504, "en")
    assert new.links.open_unsubscribe(token).link_id == LINK
    assert new.links.unsubscribe(LINK, 202504, "en") != token
    assert new.secret("confirm") != old.secret("confirm")


def test_an_old_public_key_may_go_while_its_private_key_stays(keys_dir: Path) -> None:
    old = Keyring.load(keys_dir)
    add_kid_2(keys_dir, "list")
    (keys_dir / "list.1.pub").unlink()
    kept = seal(old.list_sealing, ROW, ANN)
    assert open_sealed(Keyring.load(keys_dir).list_opening, ROW, kept) == ANN


def test_one_key_serves_one_purpose(keys_dir: Path) -> None:
    keyring = Keyring.load(keys_dir)
    mac = read_key(keys_dir, KeyName("mac", 1, "key"))
    secrets = [keyring.secret(label) for label in ("confirm", "manage", "message-id", "admit")]
    assert len({*secrets, mac}) == 5
    assert {len(secret) for secret in secrets} == {32}
    assert Keyring.load(keys_dir).secret("confirm") == secrets[0]


@pytest.mark.parametrize("name", [*PUBLIC, *SECRET])
def test_a_missing_file_is_named(keys_dir: Path, name: str) -> None:
    (keys_dir / name).unlink()
    with pytest.raises(KeyMissing, match=name):
        Keyring.load(keys_dir)


@pytest.mark.parametrize("name", ["hot.2.key", "list.2.key"])
def test_the_newest_public_key_needs_its_private_key(keys_dir: Path, name: str) -> None:
    add_kid_2(keys_dir, "hot", "list")
    (keys_dir / name).unlink()
    with pytest.raises(KeyMissing, match=name):
        Keyring.load(keys_dir)


@pytest.mark.parametrize("name", [*PUBLIC, *SECRET])
def test_a_damaged_file_is_named(keys_dir: Path, name: str) -> None:
    (keys_dir / name).chmod(0o600)
    (keys_dir / name).write_text("AAAA")
    with pytest.raises(KeyDamaged, match=name):
        Keyring.load(keys_dir)


@pytest.mark.parametrize("name", ["link.1.key", *SECRET])
def test_an_exposed_file_is_named(keys_dir: Path, name: str) -> None:
    (keys_dir / name).chmod(0o440)
    with pytest.raises(KeyExposed, match=name):
        Keyring.load(keys_dir)


def test_halves_of_two_installations_do_not_go_together(keys_dir: Path, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "list.1.pub", tmp_path / "list.1.pub")
    (tmp_path / "list.1.pub").replace(keys_dir / "list.1.pub")
    with pytest.raises(KeyDamaged, match=r"list\.1\.key"):
        Keyring.load(keys_dir)


def test_keys_never_show_themselves(keys_dir: Path) -> None:
    keyring = Keyring.load(keys_dir)
    shown = " ".join(map(repr, (keyring, keyring.index, keyring.admit, keyring.list_opening)))
    assert repr(keyring.macs[1])[2:-1] not in shown
    assert "macs=" not in shown


@pytest.mark.parametrize("inside", ["data", "data/keys", "data/a/b", "link/keys"])
def test_keys_stay_out_of_the_data_directory(tmp_path: Path, inside: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    with pytest.raises(KeysInsideData):
        check_apart(tmp_path / inside, tmp_path / "data")


@pytest.mark.parametrize("outside", ["data-keys", "keys", "."])
def test_keys_may_lie_beside_the_data_directory(tmp_path: Path, outside: str) -> None:
    check_apart(tmp_path / outside, tmp_path / "data")
