"""A rotation that is killed again and again, at any instant; the next goes on where it ended."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.addresses.keyring import Keyring
from app.database import Database
from app.keys.creation import create_keys
from app.keys.key_format import key_names
from app.subscribers.row_integrity import Flaw, open_selected, rows
from tests.crashes.harness import REPOSITORY, enlist

READERS = 600
KILLS = 4

# The command itself, with small portions: so that there is a middle in which to be killed.
ROTATE = """
import sys
from app.key_rotation import reencryption
reencryption.BATCH = 20
sys.argv = ["vestka", "seal", "rotate"]
from app.cli.parser import main
main()
"""


def rotate(folder: Path, url: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", ROTATE],
        cwd=REPOSITORY,
        env={
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "VESTKA_DATA_DIR": str(folder / "var"),
            "VESTKA_KEYS_DIR": str(folder / "keys"),
            "VESTKA_DATABASE_URL": url,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def addresses(database: Database, keyring: Keyring) -> dict[bytes, str]:
    with database.reading() as session:
        opened = {row.id: open_selected(keyring, row) for row in session.execute(rows())}
    return {
        row_id: str(address) if isinstance(address, Flaw) else address.wire
        for row_id, address in opened.items()
    }


@pytest.mark.parametrize("seed", [7])
def test_c8_a_rotation_killed_at_any_instant_loses_nobody(
    migrated_url: str, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    keys_dir = tmp_path / "keys"
    create_keys(keys_dir)
    database = Database(migrated_url)
    with database.transaction() as session:
        names = enlist(session, Keyring.load(keys_dir), READERS)
    killed_at = []
    for _ in range(KILLS):
        process = rotate(tmp_path, migrated_url)
        assert process.stderr is not None
        for _line in range(chance.randrange(1, 14)):
            said = process.stderr.readline()
        time.sleep(chance.random() * 0.02)
        process.kill()
        process.communicate()
        killed_at.append(said.strip())
        # Whatever stage it was killed in: every row opens with the keys that are there.
        assert addresses(database, Keyring.load(keys_dir)) == names, killed_at
    process = rotate(tmp_path, migrated_url)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 0, said
    assert addresses(database, Keyring.load(keys_dir)) == names
    generations = {name.kid for name in key_names(keys_dir) if name.purpose in ("list", "hot")}
    assert len(generations) == 1, killed_at
    with database.reading() as session:
        kids = {
            (row.sealed[1], row.blind_index[0], row.admit[0]) for row in session.execute(rows())
        }
    assert kids == {(*generations,) * 3}
    database.close()
