"""Public keys and database belong together; only the files of a public host are looked at."""

from pathlib import Path

from sqlalchemy.orm import Session

from app.instance.fingerprints import fingerprint, label, refuse_differing
from app.keys.key_format import KeyName
from app.keys.public_key_files import READABLE, public_keys_by_kid


def refuse_foreign_public_keys(session: Session, keys_dir: Path) -> None:
    """Refuse public and link keys other than those the database knows. Raises KeysForeign."""
    found = {
        KeyName(purpose, kid, suffix): key
        for purpose, suffix in READABLE
        for kid, key in public_keys_by_kid(keys_dir, purpose, suffix).items()
    }
    # A generation is in use when the list has its public key; others may still be made anew.
    in_use = max(name.kid for name in found if name.purpose == "list")
    here = {
        label(name): fingerprint(name, key)
        for name, key in found.items()
        if name.suffix == "key" or name.kid <= in_use
    }
    refuse_differing(session, here, keys_dir)
