"""The public keys of this database: only read, by a role that never makes any."""

from pathlib import Path

from app.addresses.public_keys import PublicKeys
from app.database import Database
from app.instance.public_ownership import refuse_foreign_public_keys
from app.key_rotation.key_users import refuse_behind
from app.keys.key_format import KeyMissing


def public_keys_of_database(database: Database, keys_dir: Path) -> PublicKeys:
    """Return the public keys of this database.

    Raises KeysForeign, KeysBehind, KeysDestroyed, KeyMissing.
    """
    try:
        keys = PublicKeys.load(keys_dir)
    except KeyMissing as missing:
        raise KeyMissing(
            f"{missing} This role makes no keys: it needs hot.*.pub, list.*.pub and link.*.key of"
            f" the sender's host in {keys_dir}, and no other. If the service is new, start its"
            " sender first."
        ) from None
    with database.reading() as session:
        refuse_behind(session, keys.list_sealing.kid)
        refuse_foreign_public_keys(session, keys_dir)
    return keys
