"""Content transfer encodings (RFC 2045 §6), as far as they can be undone. Never an error."""

import binascii
import re

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def from_transfer(body: str, encoding: str) -> bytes:
    """Undo an encoding; a body (bytes as Latin-1 characters) in an unknown one stays as it is."""
    name = encoding.strip().lower()
    if name == "base64":
        return from_base64(body)
    if name == "quoted-printable":
        return from_quoted_printable(body)
    return body.encode("latin-1", "replace")


def from_base64(text: str) -> bytes:
    """Decode what is there, up to the last whole group."""
    letters = _NOT_BASE64.sub("", text)
    letters = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
    try:
        return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))
    except ValueError:
        return b""


def from_quoted_printable(text: str) -> bytes:
    """Decode; a lone "=" stays."""
    return binascii.a2b_qp(text.encode("latin-1", "replace"))
