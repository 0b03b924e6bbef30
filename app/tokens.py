"""The tokens of links and return paths: each opaque, serving one purpose, spelled in one way.

Link tokens carry what they mean, encrypted with AES-SIV (RFC 5297), so nothing is stored for them
and two messages to one reader share nothing. Confirm and manage tokens are derived, so that a retry
repeats the same link, and only their fingerprint is stored. No token holds an address.
"""

import hashlib
import hmac
import re
import secrets
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.errors import DomainError

UNSUBSCRIBE_LENGTH = 40
"""Characters: 30 bytes in base64url, without padding or spare bits."""

RETURN_PATH_LENGTH = 50
"""Characters of the local part: `b-` and 30 bytes in base32; RFC 5321 §4.5.3.1.1 allows 64."""

MESSAGE_ID_LENGTH = 40
"""Characters before the @ of a Message-ID: 30 bytes in base64url."""

NEVER_LENGTH = 82
"""Characters of a token that asks never to be written to again: 61 bytes in base64url."""

ID_LENGTH = 16
"""Bytes of a row id or nonce."""

DERIVED_LENGTH = 43
"""Characters of a confirm or manage token: 32 bytes in base64url."""

_PREFIX = b"vestka/token/v1|"
_UNSUBSCRIBE = b"unsubscribe"
_RETURN_PATH = b"return-path"
_NEVER = b"never"
_MESSAGE = b"message-id"
_COUNTED = b"counted"
_LINK_ID_LENGTH = 8
_NONCE_LENGTH = 3  # of a message: enough that no two messages to one reader share a token
_INDEX_LENGTH = 33
_MAX_WEEK = 0xFFFFFF
_WEEK_BITS = 20  # of those 24: enough for the year 9999, and four are left:
LANGUAGE_BITS = 4
_BASE64 = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_BASE32 = re.compile(r"b-[a-z2-7]{48}", re.ASCII)


NOBODY = b"\0" * 8
"""A link id that no reader has: what a test message carries opens nothing and ends nobody."""


class LinkUnknown(DomainError):
    """This link is not valid."""


class LinkFacts(NamedTuple):
    """What a link token says."""

    link_id: bytes
    week: int
    segment_code: bytes
    language: int = 0


class NeverFacts(NamedTuple):
    """What the token of "never write to me again" says: whose it is, also after they are gone."""

    link_id: bytes
    never_index: bytes


class LinkTokens:
    """Makes and opens the tokens in messages: the newest key makes, all open.

    A token is deterministic: every attempt of one delivery carries the same.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        """Take AES-SIV keys (64 bytes) by key id (1 to 255), and the id of the one in use."""
        self._ciphers = {kid: AESSIV(key) for kid, key in keys.items()}
        self._current = current
        self._cipher = self._ciphers[current]

    def unsubscribe(self, link_id: bytes, week: int, segment: str, language: int = 0) -> str:
        """Return the token of one message's unsubscribe link, 40 characters [A-Za-z0-9_-].

        `link_id` has 8 bytes, `week` is an ISO week as a number such as 202504, `language` a number
        up to 15 by which the page knows how to speak; 0 says nothing.
        """
        if not (0 <= week < 1 << _WEEK_BITS and 0 <= language < 1 << LANGUAGE_BITS):
            raise ValueError("a week fits into 20 bits, a language into 4")
        told = language << _WEEK_BITS | week
        return _to_base64(self._made(_UNSUBSCRIBE, link_id, told, segment))

    def return_path(self, link_id: bytes, week: int, segment: str) -> str:
        """Return the local part of one message's return path: `b-` and 48 characters [a-z2-7]."""
        made = self._made(_RETURN_PATH, link_id, week, segment)
        return "b-" + b32encode(made).decode("ascii").lower()

    def message_id(self, link_id: bytes, week: int, segment: str) -> str:
        """Return what stands before the @ in one message's Message-ID: 40 characters of base64url.

        Like a return path, it proves that a report which repeats it is about this very message.
        """
        return _to_base64(self._made(_MESSAGE, link_id, week, segment))

    def open_message_id(self, local_part: str) -> LinkFacts:
        """Read the first part of a Message-ID; raises `LinkUnknown` for anything else."""
        if len(local_part) != MESSAGE_ID_LENGTH:
            raise LinkUnknown
        return _link_facts(self._opened(_MESSAGE, _from_base64(local_part)))

    def pseudonym(self, purpose: str, facts: bytes) -> bytes:
        """Return 16 bytes that stand for `facts`, under which something may be counted.

        Without the link key nobody can tell what they stand for.
        """
        return self._cipher.encrypt(facts, [_PREFIX, _COUNTED, purpose.encode()])[:16]

    def never(self, link_id: bytes, nonce: bytes, never_index: bytes) -> str:
        """Return the token of one message's link against all messages: 82 characters of base64url.

        It holds the index to be kept (33 bytes), so that it works when nothing else is kept of the
        reader any more. `nonce` is the message's; its first 3 bytes make the token its own.
        """
        if len(link_id) != _LINK_ID_LENGTH or len(never_index) != _INDEX_LENGTH:
            raise ValueError("a link id has 8 bytes, an index 33")
        return _to_base64(self._sealed(_NEVER, link_id + nonce[:_NONCE_LENGTH] + never_index))

    def open_never(self, token: str) -> NeverFacts:
        """Read a token that asks never to be written to; raises `LinkUnknown` for anything else."""
        if len(token) != NEVER_LENGTH:
            raise LinkUnknown
        facts = self._opened(_NEVER, _from_base64(token))
        return NeverFacts(facts[:_LINK_ID_LENGTH], facts[_LINK_ID_LENGTH + _NONCE_LENGTH :])

    def open_unsubscribe(self, token: str) -> LinkFacts:
        """Read an unsubscribe token; raises `LinkUnknown` for anything else."""
        if len(token) != UNSUBSCRIBE_LENGTH:
            raise LinkUnknown
        facts = _link_facts(self._opened(_UNSUBSCRIBE, _from_base64(token)))
        week = facts.week & (1 << _WEEK_BITS) - 1
        return facts._replace(week=week, language=facts.week >> _WEEK_BITS)

    def open_return_path(self, local_part: str) -> LinkFacts:
        """Read the local part of a return path; raises `LinkUnknown` for anything else.

        Capitals are refused: who hears from hosts that change case lower-cases first.
        """
        if not _BASE32.fullmatch(local_part):
            raise LinkUnknown
        return _link_facts(self._opened(_RETURN_PATH, b32decode(local_part[2:].upper())))

    def _made(self, purpose: bytes, link_id: bytes, week: int, segment: str) -> bytes:
        """Encrypt link id(8) week(3) segment code(2)."""
        if len(link_id) != _LINK_ID_LENGTH or not 0 <= week <= _MAX_WEEK:
            raise ValueError("a link id has 8 bytes, a week fits into 3")
        facts = link_id + week.to_bytes(3, "big") + segment_code(segment)
        return self._sealed(purpose, facts)

    def _sealed(self, purpose: bytes, facts: bytes) -> bytes:
        """SIV(16) and the encrypted facts; last the key id(1).

        The key id stands last so that a token never ends in a hyphen (until key 62), which some
        mail programs take for the end of the sentence around a link.
        """
        return self._cipher.encrypt(facts, [_PREFIX, purpose]) + bytes((self._current,))

    def _opened(self, purpose: bytes, made: bytes) -> bytes:
        cipher = self._ciphers.get(made[-1])
        if cipher is None:
            raise LinkUnknown
        try:
            return cipher.decrypt(made[:-1], [_PREFIX, purpose])
        except InvalidTag:
            raise LinkUnknown from None


def _link_facts(facts: bytes) -> LinkFacts:
    return LinkFacts(facts[:8], int.from_bytes(facts[8:11], "big"), facts[11:])


@cache
def segment_code(segment: str) -> bytes:
    """Return the two bytes that stand for a segment's id inside a token."""
    return hashlib.sha256(segment.encode("utf-8")).digest()[:2]


def derive_token(secret: bytes, purpose: str, nonce: bytes) -> str:
    """Return the token (43 characters) that `secret` always gives for this purpose and nonce.

    Whoever has the database but not `secret` cannot make it.
    """
    return _to_base64(hmac.digest(secret, _PREFIX + _measured(purpose) + nonce, "sha256"))


def fingerprint(purpose: str, token: str) -> bytes:
    """Return what the database keeps of a derived token: 32 bytes, bound to its purpose.

    Raises `LinkUnknown` for a text that is no such token, or is one in another spelling.
    """
    if len(token) != DERIVED_LENGTH:
        raise LinkUnknown
    return hashlib.sha256(_PREFIX + _measured(purpose) + _from_base64(token)).digest()


def message_id(secret: bytes, *parts: str | bytes) -> str:
    """Return 32 hex digits that stand for `parts` and tell nothing of them (RFC 5322 §3.6.4)."""
    return hmac.digest(secret, _PREFIX + b"".join(map(_measured, parts)), "sha256")[:16].hex()


def new_id() -> bytes:
    """Return a new row id: 16 random bytes, so that ids do not tell who came first."""
    return secrets.token_bytes(ID_LENGTH)


def new_number() -> int:
    """Return a number that does not tell who came first; JSON holds it exactly (below 2^53)."""
    return (1 << 51) + secrets.randbelow(1 << 51)


def new_link_id() -> bytes:
    """Return a new link id: 8 random bytes, which stand for a subscriber in link tokens."""
    return secrets.token_bytes(_LINK_ID_LENGTH)


def _to_base64(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _from_base64(token: str) -> bytes:
    """Decode, and refuse the other spellings of the same bytes that base64 lets through."""
    if not _BASE64.fullmatch(token):
        raise LinkUnknown
    octets = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    if _to_base64(octets) != token:
        raise LinkUnknown
    return octets


def _measured(part: str | bytes) -> bytes:
    """Put the length in front, so that parts cannot flow into each other."""
    octets = part.encode("utf-8") if isinstance(part, str) else part
    return len(octets).to_bytes(4, "big") + octets
