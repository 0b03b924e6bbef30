"""A key file is used only if it is what its name says and nobody else can touch it."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.keys.key_files import read_key, write_key
from app.keys.key_format import (
    LENGTHS,
    KeyDamaged,
    KeyExposed,
    KeyMissing,
    KeyName,
    KeyUnreadable,
    key_names,
    missing_kinds,
)

NAME = KeyName("index", 1, "key")
KEY = bytes(range(32))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    for number, (purpose, length) in enumerate(LENGTHS.items(), 1):
        name = KeyName(purpose, number, "key")
        write_key(tmp_path, name, bytes(length))
        assert read_key(tmp_path, name) == bytes(length)
        assert (tmp_path / f"{purpose}.{number}.key").stat().st_mode & 0o777 == 0o400


def test_a_key_is_one_short_line_that_may_be_typed_again(tmp_path: Path) -> None:
    write_key(tmp_path, NAME, KEY)
    text = (tmp_path / str(NAME)).read_text()
    assert text.count("\n") == 1
    assert len(text) < 60
    replace(tmp_path / str(NAME), f"  {text.strip()} \r\n")
    assert read_key(tmp_path, NAME) == KEY


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    write_key(tmp_path, NAME, KEY)
    with pytest.raises(FileExistsError):
        write_key(tmp_path, NAME, bytes(32))
    assert read_key(tmp_path, NAME) == KEY


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o420, 0o402, 0o777])
def test_a_secret_open_to_others_is_refused_whoever_asks(tmp_path: Path, mode: int) -> None:
    write_key(tmp_path, NAME, KEY)
    (tmp_path / str(NAME)).chmod(mode)
    with pytest.raises(KeyExposed, match=r"index\.1\.key"):
        read_key(tmp_path, NAME)


@pytest.mark.parametrize(("mode", "refused"), [(0o444, False), (0o464, True), (0o446, True)])
def test_a_public_key_may_be_read_but_not_replaced(
    tmp_path: Path, mode: int, *, refused: bool
) -> None:
    name = KeyName("list", 1, "pub")
    write_key(tmp_path, name, KEY)
    (tmp_path / str(name)).chmod(mode)
    if refused:
        with pytest.raises(KeyExposed):
            read_key(tmp_path, name)
    else:
        assert read_key(tmp_path, name) == KEY


def replace(file: Path, text: str) -> None:
    """Put `text` into a key file as an operator would who restores it."""
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("keys")
    write_key(folder, NAME, KEY)
    return (folder / str(NAME)).read_text()


def test_every_changed_character_is_noticed(tmp_path: Path, line: str) -> None:
    for at in range(len(line) - 1):
        if line[at] in "= ":
            continue
        replace(
            tmp_path / str(NAME), line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]
        )
        with pytest.raises(KeyDamaged, match=r"index\.1\.key"):
            read_key(tmp_path, NAME)


@pytest.mark.parametrize(
    "text", ["", "\n", "é", "\0" * 50, "A" * 10_000, "AAAA 00000000", "=", " "]
)
def test_other_text_is_no_key(tmp_path: Path, text: str) -> None:
    replace(tmp_path / str(NAME), text)
    with pytest.raises(KeyDamaged):
        read_key(tmp_path, NAME)


@given(text=st.text())
def test_no_text_raises_anything_but_a_damaged_key(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    replace(folder / str(NAME), text.encode("utf-8", "replace").decode())
    with pytest.raises(KeyDamaged):
        read_key(folder, NAME)


def test_a_damaged_key_is_not_repeated(tmp_path: Path, line: str) -> None:
    replace(tmp_path / str(NAME), line[:43])
    with pytest.raises(KeyDamaged) as refused:
        read_key(tmp_path, NAME)
    assert line[:10] not in str(refused.value)


@pytest.mark.parametrize("other", [KeyName("mac", 1, "key"), KeyName("index", 2, "key")])
def test_a_file_under_another_name_is_refused(tmp_path: Path, line: str, other: KeyName) -> None:
    replace(tmp_path / str(other), line)
    with pytest.raises(KeyDamaged):
        read_key(tmp_path, other)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match=r"index\.1\.key"):
        read_key(tmp_path, NAME)


def test_a_folder_in_place_of_a_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / str(NAME)).mkdir(mode=0o700)
    with pytest.raises(KeyUnreadable, match=r"index\.1\.key"):
        read_key(tmp_path, NAME)


def test_only_key_files_are_taken_for_keys(tmp_path: Path) -> None:
    for name in ("list.1.pub", "list.12.pub", "link.255.key", "mac.1.key"):
        (tmp_path / name).touch()
    for name in ("list.01.pub", "list.0.pub", "mac.256.key", "mac.1.key~", "launches", "x.1.key"):
        (tmp_path / name).touch()
    (tmp_path / "mac.1.pub").touch()
    names = [str(name) for name in key_names(tmp_path)]
    assert names == ["link.255.key", "list.1.pub", "list.12.pub", "mac.1.key"]
    assert missing_kinds(key_names(tmp_path)) == [
        "hot.*.pub",
        "hot.*.key",
        "list.*.key",
        "index.*.key",
        "never.*.key",
    ]


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    assert key_names(tmp_path / "absent") == []
    (tmp_path / "file").touch()
    with pytest.raises(KeyUnreadable):
        key_names(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    write_key(tmp_path, NAME, KEY)
    (tmp_path / str(NAME)).chmod(0)
    with pytest.raises(KeyUnreadable, match=r"index\.1\.key"):
        read_key(tmp_path, NAME)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EACCES, errno.EIO])
def test_a_file_that_cannot_be_opened_is_not_called_missing(
    keys_dir: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "")

    name = key_names(keys_dir)[0]
    for method in ("open", "iterdir"):
        with monkeypatch.context() as spoiled:
            spoiled.setattr(Path, method, fail)
            with pytest.raises(KeyUnreadable, match=os.strerror(number).lower()):
                read_key(keys_dir, name) if method == "open" else key_names(keys_dir)
