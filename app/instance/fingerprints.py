"""A fingerprint of each key, as the database knows it; which key files are read is up to others."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import DomainError
from app.instance.models import InstanceKey
from app.keys.key_format import KeyName


class KeysForeign(DomainError):
    """The keys in VESTKA_KEYS_DIR belong to another installation than this database."""


def label(name: KeyName) -> str:
    """Return what stands for a key in the database."""
    return f"{name.purpose}.{name.kid}"


def fingerprint(name: KeyName, key: bytes) -> bytes:
    """Return the fingerprint (16 bytes) of a key."""
    return hashlib.sha256(b"vestka/fingerprint/v1|" + label(name).encode() + b"|" + key).digest()[
        :16
    ]


def refuse_differing(session: Session, here: Mapping[str, bytes], keys_dir: Path) -> None:
    """Refuse the keys `here`, by fingerprint, if the database knows others. Raises KeysForeign."""
    known = known_fingerprints(session)
    if not known:
        return
    both = known.keys() & here.keys()
    wrong = sorted(name for name in both if known[name] != here[name])
    if wrong or not both:
        raise KeysForeign(
            f"The keys in {keys_dir} belong to another installation than this database"
            f" ({', '.join(wrong) or 'no key of it is here'}). Nothing was changed. Check"
            " VESTKA_KEYS_DIR, VESTKA_DATABASE_URL and what is mounted there."
        )


def known_fingerprints(session: Session) -> dict[str, bytes]:
    """Return the fingerprints that the database knows, by the key's label."""
    return {row.name: row.fingerprint for row in session.scalars(select(InstanceKey))}
