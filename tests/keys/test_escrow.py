"""The keys in a file for somebody elsewhere: whole, for them alone, and back again."""

import io
import tarfile
from datetime import date
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.addresses.keyring import Keyring
from app.addresses.public_keys import PublicKeys
from app.keys import escrow as escrow_module
from app.keys.age import (
    IdentityWrong,
    NotForUs,
    Recipients,
    RecipientSecret,
    RecipientWrong,
    decrypt,
)
from app.keys.creation import create_keys
from app.keys.destruction import destroy_all
from app.keys.escrow import (
    EscrowDamaged,
    KeysThere,
    escrow,
    escrowed_generation,
    restore,
)
from app.keys.key_format import KeyDamaged, KeyMissing, KeysDestroyed, key_names

TODAY = date(2025, 1, 27)
IDENTITY = pyrage.x25519.Identity.generate()
OTHER = pyrage.x25519.Identity.generate()
FILE = f"# created: today\n# public key: {IDENTITY.to_public()}\n{IDENTITY}\n"


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(name): (folder / str(name)).read_bytes() for name in key_names(folder)}


def escrowed(keys_dir: Path, *recipients: object) -> bytes:
    out = io.BytesIO()
    wanted = recipients or (IDENTITY.to_public(),)
    names = escrow(keys_dir, Recipients(map(str, wanted)), out, today=TODAY)
    assert names == sorted(contents(keys_dir))
    return out.getvalue()


def test_what_was_escrowed_comes_back_as_it_was(keys_dir: Path, tmp_path: Path) -> None:
    content = escrowed(keys_dir)
    restored = tmp_path / "new" / "keys"
    assert sorted(restore(content, FILE, restored)) == sorted(contents(keys_dir))
    assert contents(restored) == contents(keys_dir)
    assert {path.stat().st_mode & 0o777 for path in restored.iterdir()} == {0o400}
    assert restored.stat().st_mode & 0o777 == 0o700
    Keyring.load(restored)


def test_it_is_a_plain_tar_inside_for_whoever_has_no_vestka(keys_dir: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(escrowed(keys_dir), [IDENTITY]))) as tar:
        assert sorted(tar.getnames()) == sorted(contents(keys_dir))
        assert {entry.mode for entry in tar} == {0o400}


def test_nobody_else_can_open_it(keys_dir: Path) -> None:
    content = escrowed(keys_dir)
    for secret in contents(keys_dir).values():
        assert secret.split()[0] not in content
    with pytest.raises(NotForUs):
        decrypt(content, str(OTHER))
    with pytest.raises(NotForUs):
        decrypt(content[:-1], str(IDENTITY))


def test_each_of_several_can_open_it_alone(keys_dir: Path) -> None:
    content = escrowed(keys_dir, IDENTITY.to_public(), OTHER.to_public())
    assert decrypt(content, str(IDENTITY)) == decrypt(content, str(OTHER))


def test_it_is_remembered_which_generation_was_escrowed(keys_dir: Path) -> None:
    assert escrowed_generation(keys_dir) == 0
    escrowed(keys_dir)
    assert escrowed_generation(keys_dir) == 1


def test_keys_that_are_there_are_not_overwritten(keys_dir: Path) -> None:
    before = contents(keys_dir)
    with pytest.raises(KeysThere):
        restore(escrowed(keys_dir), FILE, keys_dir)
    assert contents(keys_dir) == before


def test_damaged_keys_are_not_escrowed(keys_dir: Path) -> None:
    (keys_dir / "list.1.key").chmod(0o600)
    (keys_dir / "list.1.key").write_text("AAAA")
    with pytest.raises(KeyDamaged):
        escrowed(keys_dir)


@pytest.mark.parametrize("name", ["../list.1.key", "/etc/x", "launches", "list.1.key"])
def test_a_file_that_is_no_whole_set_is_refused(
    keys_dir: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    monkeypatch.setattr(escrow_module, "_packed", lambda *_: packed.getvalue())
    content = escrowed(keys_dir)
    with pytest.raises(EscrowDamaged):
        restore(content, FILE, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_mixed_up_files_are_refused(keys_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    files = contents(keys_dir)
    files["list.1.key"], files["hot.1.key"] = files["hot.1.key"], files["list.1.key"]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    sealed = pyrage.encrypt(packed.getvalue(), [IDENTITY.to_public()])
    with pytest.raises(EscrowDamaged):
        restore(sealed, FILE, copy)
    assert list(copy.iterdir()) == []


@given(st.text(max_size=80))
def test_what_is_no_recipient_is_refused(text: str) -> None:
    with pytest.raises(RecipientWrong):
        Recipients([text])


def test_a_secret_given_as_recipient_is_refused_and_not_repeated() -> None:
    with pytest.raises(RecipientSecret) as refused:
        Recipients([str(IDENTITY)])
    assert str(IDENTITY) not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", "# nothing", "AGE-SECRET-KEY-1", pytest.param(str(IDENTITY)[:-1], id="one that is cut")],
)
def test_what_is_no_identity_is_refused(text: str) -> None:
    with pytest.raises(IdentityWrong):
        decrypt(b"", text)


@given(st.lists(st.binary(max_size=50)))
def test_what_comes_in_pieces_is_one_file(chunks: list[bytes]) -> None:
    out = io.BytesIO()
    Recipients([str(IDENTITY.to_public())]).encrypt(chunks, out)
    assert pyrage.decrypt(out.getvalue(), [IDENTITY]) == b"".join(chunks)


def test_what_fails_while_it_is_read_is_told_as_it_is() -> None:
    def failing() -> object:
        yield b"x"
        raise KeyMissing

    with pytest.raises(KeyMissing):
        Recipients([str(IDENTITY.to_public())]).encrypt(failing(), io.BytesIO())  # type: ignore[arg-type]


def test_after_a_panic_nothing_is_left_and_nothing_made(keys_dir: Path) -> None:
    secrets = [line.split()[0] for line in contents(keys_dir).values()]
    (keys_dir / ".mac.2.key.new").write_text("half")
    (keys_dir / ".making").mkdir()
    (keys_dir / ".making" / "list.1.key").write_text("half")
    (keys_dir / "launches").write_text("2025-W04 en\n")
    destroyed = destroy_all(keys_dir, today=TODAY)
    assert destroyed[0] == "list.1.key"
    left = {path.name: path.read_bytes() for path in keys_dir.rglob("*") if path.is_file()}
    assert set(left) == {"destroyed", "launches"}
    assert not any(secret in content for secret in secrets for content in left.values())
    for load in (Keyring.load, PublicKeys.load, create_keys):
        with pytest.raises(KeysDestroyed):
            load(keys_dir)
    assert destroy_all(keys_dir, today=TODAY) == []


def test_an_escrow_brings_back_what_a_panic_destroyed(keys_dir: Path) -> None:
    content, before = escrowed(keys_dir), contents(keys_dir)
    destroy_all(keys_dir, today=TODAY)
    restore(content, FILE, keys_dir)
    assert contents(keys_dir) == before
    Keyring.load(keys_dir)
