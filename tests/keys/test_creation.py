"""The first set of keys is made once and whole, whatever happens meanwhile."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.addresses.keyring import Keyring
from app.keys import creation
from app.keys.creation import RECOVERY, create_keys
from app.keys.key_files import sync, write_key
from app.keys.key_format import KeyMissing, KeyUnreadable, key_names

NAMES = [
    "hot.1.key",
    "hot.1.pub",
    "index.1.key",
    "link.1.key",
    "list.1.key",
    "list.1.pub",
    "mac.1.key",
    "never.1.key",
]


def contents(keys_dir: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in keys_dir.iterdir()}


def test_the_first_start_makes_a_set_and_the_next_leaves_it(tmp_path: Path) -> None:
    keys_dir = tmp_path / "deep" / "keys"
    assert create_keys(keys_dir) is True
    made = contents(keys_dir)
    assert sorted(made) == NAMES
    assert create_keys(keys_dir) is False
    assert contents(keys_dir) == made
    Keyring.load(keys_dir)


def test_every_installation_has_keys_of_its_own(tmp_path: Path) -> None:
    create_keys(tmp_path / "a")
    create_keys(tmp_path / "b")
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert all(a[name] != b[name] for name in NAMES)
    assert len(set(a.values())) == len(NAMES)


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    keys_dir = tmp_path / "keys"
    keys_dir.mkdir(mode=0o755)
    create_keys(keys_dir)
    assert keys_dir.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in keys_dir.iterdir()} == {0o400}


def test_other_files_in_the_directory_stay(tmp_path: Path) -> None:
    (tmp_path / "launches").write_text("2025-W04 en\n")
    assert create_keys(tmp_path) is True
    assert (tmp_path / "launches").read_text() == "2025-W04 en\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_hole_is_named_and_not_filled(tmp_path: Path, name: str) -> None:
    create_keys(tmp_path)
    (tmp_path / name).unlink()
    left = contents(tmp_path)
    with pytest.raises(KeyMissing, match=name.replace(".1.", r"\.\*\.")):
        create_keys(tmp_path)
    assert contents(tmp_path) == left


def test_a_rotated_set_is_whole(tmp_path: Path) -> None:
    create_keys(tmp_path)
    (tmp_path / "mac.1.key").rename(tmp_path / "mac.2.key")
    assert create_keys(tmp_path) is False


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("survived", range(30))
def test_whoever_dies_on_the_way_is_followed_by_a_whole_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    """Die at each of the steps that change the disk; the next start must find its way."""
    left = iter(range(survived))

    def dying(step: object) -> object:
        def take(*args: object, **kwargs: object) -> object:
            if next(left, None) is None:
                raise Killed
            return step(*args, **kwargs)  # type: ignore[operator] # whatever was patched

        return take

    with monkeypatch.context() as patched:
        patched.setattr(creation, "write_key", dying(write_key))
        for step in ("mkdir", "chmod", "rename", "rmdir"):
            patched.setattr(Path, step, dying(getattr(Path, step)))
        patched.setattr(creation, "sync", dying(sync))
        try:
            finished = create_keys(tmp_path)
        except Killed:
            finished = None

    seen = contents_of_moved(tmp_path)
    again = create_keys(tmp_path)
    assert again is (finished is None)
    assert sorted(contents(tmp_path)) == NAMES
    assert seen.items() <= contents(tmp_path).items()
    Keyring.load(tmp_path)


def contents_of_moved(keys_dir: Path) -> dict[str, bytes]:
    """Return the key files that already have their final names: they must never change."""
    return {str(name): (keys_dir / str(name)).read_bytes() for name in key_names(keys_dir)}


START = """
import sys
from pathlib import Path
from app.keys.creation import create_keys
from app.addresses.keyring import Keyring
from app.addresses.address import EmailAddress
from app.addresses.blind_index import blind_index
print("ready", flush=True)
sys.stdin.readline()
made = create_keys(Path(sys.argv[1]))
keys = Keyring.load(Path(sys.argv[1]))
print(made, blind_index(keys.index, EmailAddress("ann@example.org")).hex())
"""


def test_processes_that_start_together_end_with_one_set(tmp_path: Path) -> None:
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(tmp_path / "keys")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        for _ in range(4)
    ]
    for start in starts:
        assert start.stdout is not None
        assert start.stdout.readline() == "ready\n"
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("go\n")
        start.stdin.flush()
    answers = [start.communicate()[0].split() for start in starts]
    assert sorted(answer[0] for answer in answers) == ["False", "False", "False", "True"]
    assert len({answer[1] for answer in answers}) == 1


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for keys_dir in (tmp_path / "file", tmp_path / "file" / "keys"):
        with pytest.raises(KeyUnreadable):
            create_keys(keys_dir)


def test_the_recovery_procedure_names_the_directory_and_every_secret() -> None:
    said = RECOVERY.format(keys_dir="/srv/vestka-keys")
    assert said.count("/srv/vestka-keys") == 2
    for purpose in ("list", "hot", "index", "never", "mac", "link"):
        assert f"{purpose}.*.key" in said
