"""The keys of this database: made for one that has no reader and no keys yet, else only read.

Whatever does not fit is refused before anything is made, sealed, sent or written.
"""

import sys
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.addresses.keyring import Keyring
from app.database import Database
from app.instance.fingerprints import KeysForeign
from app.instance.ownership import (
    are_recorded,
    is_claimed,
    record_keys,
    refuse_foreign,
    refuse_lost,
)
from app.key_rotation.models import Generation
from app.keys.creation import RECOVERY, create_keys, finish_creation
from app.keys.key_format import refuse_destroyed
from app.subscribers.key_match import has_readers, list_opens
from app.witness.file import set_witness_aside


def keys_of_database(database: Database, keys_dir: Path) -> Keyring:
    """Return all keys of this database.

    Raises KeysForeign, KeysLost, KeysBehind, KeysDestroyed, or what reading a key file raises.
    """
    refuse_destroyed(keys_dir)
    with database.reading() as session:
        claimed = is_claimed(session)
        is_new = not claimed and not has_readers(session)
        if not is_new:
            finish_creation(keys_dir)
            _refuse_others(session, keys_dir)
    if is_new and create_keys(keys_dir):
        set_witness_aside(keys_dir)
        sys.stderr.write(RECOVERY.format(keys_dir=keys_dir))
    keyring = Keyring.load(keys_dir)
    if not claimed:
        _refuse_unreadable(database, keyring, keys_dir)
    with database.reading() as session:
        recorded = are_recorded(session, keys_dir)
    if not recorded:
        with database.transaction() as session:
            record_keys(session, keys_dir)
    return keyring


def _refuse_others(session: Session, keys_dir: Path) -> None:
    generation = session.scalar(select(func.max(Generation.kid))) or 1
    refuse_lost(session, keys_dir, generation=generation)
    refuse_foreign(session, keys_dir)


def _refuse_unreadable(database: Database, keyring: Keyring, keys_dir: Path) -> None:
    """Refuse to adopt a database whose rows these keys do not open."""
    with database.reading() as session:
        if not list_opens(session, keyring):
            raise KeysForeign(
                f"The keys in {keys_dir} open none of this database's readers: they belong to"
                " another installation. Nothing was changed. Check VESTKA_KEYS_DIR,"
                " VESTKA_DATABASE_URL and what is mounted there."
            )
