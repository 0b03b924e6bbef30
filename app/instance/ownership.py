"""Keys and database belong together: what is on disk is compared with what the database knows.

The database knows a fingerprint of each key. A process refuses to work with keys that differ, or
with a database whose readers it could not read; nothing is made or changed by a refusal.
"""

from pathlib import Path

from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.instance.fingerprints import fingerprint, known_fingerprints, label, refuse_differing
from app.instance.models import Instance, InstanceKey
from app.keys.creation import SEALING
from app.keys.generations import ROTATED, generation_in_use
from app.keys.key_files import read_key
from app.keys.key_format import KINDS, key_names
from app.tokens import new_id

ONLY_ROW = 1
_STAY = ("link", "never")
"""The purposes whose keys no rotation changes."""


class KeysLost(DomainError):
    """The database has readers, and their keys are not in VESTKA_KEYS_DIR."""


def is_claimed(session: Session) -> bool:
    """Tell whether keys were made for this database."""
    return session.get(Instance, ONLY_ROW) is not None


def fingerprints(keys_dir: Path) -> dict[str, bytes]:
    """Return the fingerprint of every key in use, or used before; of a pair, of its public half."""
    found: dict[str, bytes] = {}
    names = key_names(keys_dir)
    if not any(name.kind == ("list", "pub") for name in names):
        return found
    in_use = generation_in_use(keys_dir)
    for name in names:
        if name.purpose in ROTATED and name.kid > in_use:
            continue  # of a rotation that was begun: it may still be made anew
        if name.purpose in SEALING and name.suffix == "key":
            continue  # its public half tells
        found[label(name)] = fingerprint(name, read_key(keys_dir, name))
    return found


def refuse_foreign(session: Session, keys_dir: Path) -> None:
    """Refuse keys that differ from those the database knows. Raises KeysForeign."""
    refuse_differing(session, fingerprints(keys_dir), keys_dir)


def refuse_lost(session: Session, keys_dir: Path, *, generation: int) -> None:
    """Refuse to start if the key that opens the list is missing. Raises KeysLost.

    `generation` is the newest that the database says is in use.
    """
    here = {str(name) for name in key_names(keys_dir)}
    needed = {f"{purpose}.{generation}.{suffix}" for purpose, suffix in KINDS if purpose in ROTATED}
    stay = (name for name in known_fingerprints(session) if name.partition(".")[0] in _STAY)
    needed |= {f"{name}.key" for name in stay} or {f"{purpose}.1.key" for purpose in _STAY}
    missing = sorted(needed - here)
    if missing:
        raise KeysLost(
            f"This database's readers cannot be read: {', '.join(missing)} is not in {keys_dir}."
            " If a rotation destroyed it, this database is a backup of before, and unreadable by"
            " design. Else put the directory back on the sender's host, from its own copy or with"
            " `vestka seal restore`. On any other host, run this on the sender's host instead, and"
            " copy no key here. Nothing was changed."
        )


def are_recorded(session: Session, keys_dir: Path) -> bool:
    """Tell whether the database is claimed and knows every key that is here."""
    return (
        is_claimed(session) and fingerprints(keys_dir).keys() <= known_fingerprints(session).keys()
    )


def record_keys(session: Transaction, keys_dir: Path) -> None:
    """Claim the database for these keys; those it does not know yet are added."""
    name = new_id().hex()
    insert_if_absent(session, Instance, [{"id": ONLY_ROW, "name": name, "position": 0}])
    rows = [{"name": key, "fingerprint": each} for key, each in fingerprints(keys_dir).items()]
    insert_if_absent(session, InstanceKey, rows)
    refuse_foreign(session, keys_dir)
