"""A proof of work before a sign-up, for installations that ask for one (altcha.org, version 2).

A challenge is signed and not stored. It works until the end of the next day, so that neither it nor
the row that remembers its use tells more than a day; each is used once.
"""

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from altcha import Payload, create_challenge, verify_solution

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.subscribers.models import SpentProof

ALGORITHM = "PBKDF2/SHA-256"
COST = 5000  # rounds for each try: to check one costs some 2 ms
PREFIX = "00"  # one try of 256 begins so: half a second in a browser, a few on an old telephone
LIFE = timedelta(days=1)
FIELD = "altcha"


class ProofNotAsked(DomainError):
    """No proof of work is asked for here."""


class ProofMissing(DomainError):
    """A proof of work is missing: solve the challenge that GET /v1/challenge gives."""


class ProofWrong(DomainError):
    """This proof of work is not one, or its day is over; please solve a new challenge."""


class ProofSpent(DomainError):
    """This proof of work has been used; please solve a new challenge."""


def challenge(key: bytes, today: date) -> dict[str, Any]:
    """Make a challenge, as ALTCHA's own programs read it."""
    until = {"until": (today + LIFE).isoformat()}
    made = create_challenge(ALGORITHM, COST, key_prefix=PREFIX, data=until, hmac_secret=key)
    return dict(made.to_dict())


def check(key: bytes, solved: str | None, today: date) -> bytes:
    """Return the fingerprint (16 bytes) under which this proof is spent.

    Takes some milliseconds of work. Raises ProofMissing or ProofWrong.
    """
    if not solved:
        raise ProofMissing(field=FIELD)
    if not verify_solution(solved, key).verified:
        raise ProofWrong(field=FIELD)
    signed = Payload.from_base64(solved).challenge
    if date.fromisoformat((signed.parameters.data or {})["until"]) < today:
        raise ProofWrong(field=FIELD)
    return hashlib.sha256(str(signed.signature).encode()).digest()[:16]


def spend(session: Transaction, days: Mapping[bytes, date]) -> set[bytes]:
    """Note that these fingerprints are used, each on its day; return those used before.

    In one order, so that two processes that spend the same ones never wait for each other.
    """
    return {
        each
        for each, day in sorted(days.items())
        if not insert_if_absent(session, SpentProof, [{"fingerprint": each, "until": day + LIFE}])
    }
