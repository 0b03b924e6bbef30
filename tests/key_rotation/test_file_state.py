"""A process takes up new keys, says which it uses, and ends with keys that were destroyed."""

import errno
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.addresses.public_keys import PublicKeys
from app.database import Database
from app.key_rotation.file_state import SAY_EVERY, SETTLED, KeyWatch
from app.key_rotation.key_users import ALIVE, KeysBehind, take_into_use
from app.key_rotation.models import KeyUser
from app.keys.creation import create_keys
from app.keys.destruction import destroy_all
from app.keys.generations import destroy_keys, make_generation, older_keys, use_generation
from app.keys.key_format import KeysDestroyed
from tests.support.clock import MONDAY

SECOND = timedelta(seconds=1)


@pytest.fixture
def own_keys(tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def said(database: Database) -> list[tuple[str, int, int]]:
    with database.reading() as session:
        users = session.scalars(select(KeyUser).order_by(KeyUser.role))
        return [(each.role, each.seals, each.knows) for each in users]


def next_generation(keys_dir: Path) -> None:
    make_generation(keys_dir, 2, today=MONDAY.date())
    use_generation(keys_dir, 2)


def test_the_public_process_seals_with_new_keys_before_it_says_so(
    database: Database, own_keys: Path
) -> None:
    given: list[PublicKeys] = []
    watch = KeyWatch(database, own_keys, "public", PublicKeys.load(own_keys), given.append)
    watch.begin(MONDAY)
    assert said(database) == [("public", 1, 0)]
    watch.look(MONDAY + SECOND)
    assert given == []
    next_generation(own_keys)
    watch.look(MONDAY + 2 * SECOND)
    assert [each.list_sealing.kid for each in given] == [2]
    assert said(database) == [("public", 1, 0)]
    watch.look(MONDAY + 2 * SECOND + SETTLED)
    assert said(database) == [("public", 2, 0)]
    watch.end()
    assert said(database) == []


def test_a_sender_says_what_it_works_with_not_what_lies_there(
    database: Database, own_keys: Path
) -> None:
    old = Keyring.load(own_keys)
    watch = KeyWatch(database, own_keys, "sender", old, lambda _: None)
    watch.begin(MONDAY)
    watch.works_with(old, MONDAY)
    make_generation(own_keys, 2, today=MONDAY.date())
    later = MONDAY + SAY_EVERY + SETTLED
    watch.look(later)
    watch.look(later + SETTLED)
    assert said(database) == [("sender", 1, 1)]
    watch.works_with(Keyring.load(own_keys), later)
    watch.look(later + SETTLED + SETTLED)
    assert said(database) == [("sender", 1, 2)]
    use_generation(own_keys, 2)
    watch.works_with(Keyring.load(own_keys), later)
    watch.look(later + 3 * SETTLED)
    watch.look(later + 4 * SETTLED)
    assert said(database) == [("sender", 2, 2)]


def test_keys_that_cannot_be_used_leave_those_that_can(database: Database, own_keys: Path) -> None:
    given: list[PublicKeys] = []
    watch = KeyWatch(database, own_keys, "sender", Keyring.load(own_keys), given.append)
    watch.begin(MONDAY)
    next_generation(own_keys)
    (own_keys / "mac.2.key").chmod(0o600)
    (own_keys / "mac.2.key").write_text("half copied")
    watch.look(MONDAY + SECOND)
    assert (given, watch.keys.list_sealing.kid) == ([], 1)


def test_keys_that_are_gone_are_taken_out_of_memory(database: Database, own_keys: Path) -> None:
    next_generation(own_keys)
    watch = KeyWatch(database, own_keys, "sender", Keyring.load(own_keys), lambda _: None)
    watch.begin(MONDAY)
    destroy_keys(own_keys, older_keys(own_keys, 2))
    watch.look(MONDAY + SECOND)
    assert isinstance(watch.keys, Keyring)
    assert set(watch.keys.list_opening.private) == {2}


def test_destroyed_keys_end_the_process(database: Database, own_keys: Path) -> None:
    watch = KeyWatch(database, own_keys, "public", PublicKeys.load(own_keys), lambda _: None)
    watch.begin(MONDAY)
    destroy_all(own_keys, today=MONDAY.date())
    with pytest.raises(KeysDestroyed):
        watch.look(MONDAY + SECOND)


def test_who_begins_with_old_keys_is_refused(database: Database, own_keys: Path) -> None:
    with database.transaction() as session:
        take_into_use(session, 2)
    watch = KeyWatch(database, own_keys, "public", PublicKeys.load(own_keys), lambda _: None)
    with pytest.raises(KeysBehind):
        watch.begin(MONDAY)
    assert said(database) == []


def test_the_dead_are_forgotten(database: Database, own_keys: Path) -> None:
    keys = PublicKeys.load(own_keys)
    KeyWatch(database, own_keys, "dead", keys, lambda _: None).begin(MONDAY)
    KeyWatch(database, own_keys, "new", keys, lambda _: None).begin(MONDAY + 2 * ALIVE + SECOND)
    assert said(database) == [("new", 1, 0)]


def test_files_that_cannot_be_opened_for_a_while_end_nothing(
    database: Database, own_keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[PublicKeys] = []
    watch = KeyWatch(database, own_keys, "public", PublicKeys.load(own_keys), given.append)
    watch.begin(MONDAY)
    next_generation(own_keys)

    def used_up(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    for name in ("iterdir", "open"):  # the directory, and then a file in it
        with monkeypatch.context() as spoiled:
            spoiled.setattr(Path, name, used_up)
            for second in range(3):
                watch.look(MONDAY + second * SECOND)
        assert "too many open files" in watch.unreadable
        assert given == []
    watch.look(MONDAY + 4 * SECOND)
    assert [each.list_sealing.kid for each in given] == [2]
    assert watch.unreadable == ""
