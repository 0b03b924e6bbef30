"""A header's bytes: folded, ASCII, and impossible to break out of.

Encoded-words stand only where RFC 2047 §5 allows them: in Subject, and in the names before
addresses. `List-*`, identifiers and everything else are ASCII on one line, or refused: folding by
the standard library's policies turns a long List-Unsubscribe into an encoded-word.
"""

import re
from email.charset import BASE64, Charset
from email.header import Header
from email.utils import unquote

from app.errors import DomainError
from app.mail.message import placeholders
from app.mail.message.encoded import Block, Encoded
from app.text_safety import is_plain

LONGEST_LINE = 998  # octets without CRLF, RFC 5322 §2.1.1
LONGEST_ENCODED = 76  # of a line with an encoded-word, RFC 2047 §2
MAILBOXES = frozenset({"from", "to", "sender", "reply-to"})

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ATOMS = re.compile(rf"{_ATOM}(?: {_ATOM})*")
_ADDRESS = r"[!-;=?-~]+"
_MAILBOX = re.compile(rf"(?:(?P<phrase>.*\S)\s*<(?P<named>{_ADDRESS})>|<?(?P<bare>{_ADDRESS})>?)")

# Only base64: RFC 2047 §5 (3) allows few characters in the Q encoding of a phrase.
_IN_PHRASE = Charset("utf-8")
_IN_PHRASE.header_encoding = BASE64


class HeaderUnsafe(DomainError):
    """A header holds what a header cannot carry."""


def header(name: str, value: str) -> Encoded:
    """Write one header with its line end; its markers become slots.

    Raises HeaderUnsafe for line breaks, other control characters, text outside ASCII where no
    encoded-word may stand, a malformed address and lines over 998 octets; SlotMisplaced for a
    marker inside an encoded-word.
    """
    if not _NAME.fullmatch(name):
        raise HeaderUnsafe
    if not is_plain(value):
        raise HeaderUnsafe(field=name)
    data = f"{name}: {_written(name, value)}\r\n".encode("ascii")
    if any(len(line) > LONGEST_LINE for line in data.split(b"\r\n")):
        raise HeaderUnsafe(field=name)
    return Encoded(
        data, tuple(Block((s.name,), ((s.start, s.stop),)) for s in placeholders.find(data))
    )


def _written(name: str, value: str) -> str:
    if name.lower() == "subject":
        return _subject(value.strip())
    if name.lower() in MAILBOXES:
        return _mailbox(name, value.strip())
    if not value.isascii():
        raise HeaderUnsafe(field=name)
    return value


def _subject(value: str) -> str:
    short = len("Subject: ") + len(value) <= LONGEST_ENCODED
    if value.isascii() and short and "=?" not in value:
        return value
    return _encoded_words("Subject", value, Charset("utf-8"))


def _mailbox(name: str, value: str) -> str:
    found = _MAILBOX.fullmatch(value)
    address = found and (found["named"] or found["bare"])
    if not found or not address or _is_not_an_address(address):
        raise HeaderUnsafe(field=name)
    if not found["phrase"]:
        return address
    phrase = _phrase(name, unquote(found["phrase"]))
    last_line = f"{name}: {phrase} <{address}>".rsplit("\r\n", maxsplit=1)[-1]
    fold = "\r\n" if len(last_line) > LONGEST_ENCODED else ""
    return f"{phrase}{fold} <{address}>"


def _is_not_an_address(text: str) -> bool:
    """Tell a list or a group of addresses, and what is none, from one address or its marker."""
    is_a_slot = any(placeholders.find(text.encode()))
    return bool(re.search(r'[,:;()"\\]', text)) or (text.count("@") != 1 and not is_a_slot)


def _phrase(name: str, words: str) -> str:
    if not words.isascii() or "=?" in words:
        return _encoded_words(name, words, _IN_PHRASE)
    if _ATOMS.fullmatch(words):
        return words
    escaped = re.sub(r'(["\\])', r"\\\1", words)
    return f'"{escaped}"'


def _encoded_words(name: str, value: str, charset: Charset) -> str:
    if any(placeholders.find(value.encode())):
        raise placeholders.PlaceholderMisplaced(field=name)
    # 75, not 76: only so is no encoded-word longer than RFC 2047 §2 allows.
    return Header(value, charset, header_name=name, maxlinelen=75).encode(linesep="\r\n")
