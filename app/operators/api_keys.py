"""API keys: shown once when made, kept only as a hash, revoked at once.

A key is `vk_<id>_<secret>`; the secret is 256 bits of chance, so its plain SHA-256 is enough.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.operators.models import ApiKey

_FORM = re.compile(r"vk_([a-z0-9]{10})_([A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class KeyNameTaken(DomainError):
    """There is already a key of this name."""


class KeyNameUnfit(DomainError):
    """A key's name has 1 to 80 letters, digits, spaces, dots, dashes or underscores."""


class KeyUnknown(DomainError):
    """There is no such API key."""


class NotSignedIn(DomainError):
    """This needs a valid API key in the header `Authorization: Bearer`."""


@dataclass(frozen=True)
class Operator:
    """Who is calling: the key's name, and what it may do."""

    name: str
    scopes: frozenset[str]


def create_key(
    session: Transaction,
    name: str,
    scopes: tuple[str, ...],
    *,
    today: date,
    expires: date | None = None,
) -> str:
    """Make a key and return it: the only time that it can be seen.

    Raises KeyNameUnfit or KeyNameTaken.
    """
    if not re.fullmatch(r"[\w .-]{1,80}", name):
        raise KeyNameUnfit(field="name")
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    row = {
        "id": key_id,
        "name": name,
        "fingerprint": hashlib.sha256(secret.encode()).digest(),
        "scopes": ",".join(scopes),
        "created_day": today,
        "expires_day": expires,
        "revoked": False,
    }
    if not insert_if_absent(session, ApiKey, [row]):
        raise KeyNameTaken(field="name")
    return f"vk_{key_id}_{secret}"


def operator_of(session: Session, key: str, *, today: date) -> Operator:
    """Return who holds this key. Raises NotSignedIn for anything but a good one."""
    match = _FORM.fullmatch(key)
    row = session.get(ApiKey, match[1]) if match else None
    offered = hashlib.sha256((match[2] if match else "").encode()).digest()
    if row is None or not hmac.compare_digest(offered, row.fingerprint):
        raise NotSignedIn
    if row.revoked or (row.expires_day is not None and row.expires_day < today):
        raise NotSignedIn
    return Operator(row.name, frozenset(row.scopes.split(",")))


def revoke_key(session: Transaction, name: str) -> None:
    """Make a key useless from now on. Raises KeyUnknown."""
    row = session.scalar(select(ApiKey).where(ApiKey.name == name))
    if row is None:
        raise KeyUnknown(field="name")
    row.revoked = True


def list_keys(session: Session) -> list[ApiKey]:
    """Return all keys, as rows that hold no secret."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.name)))
