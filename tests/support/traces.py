"""Looking for a secret in bytes, in every form in which software is known to keep text."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote


def traces(secret: str, whole: Iterable[str]) -> dict[str, bytes]:
    """Return what would betray `secret`, a distinctive ASCII word that is a part of all of `whole`.

    The word itself in each encoding, and the digests of each whole text.
    """
    found: dict[str, bytes] = {}
    for case, word in (("", secret), ("upper ", secret.upper())):
        raw = word.encode("ascii")
        found |= {
            f"{case}plain": raw,
            f"{case}reversed": raw[::-1],
            f"{case}hex": raw.hex().encode(),
            f"{case}HEX": raw.hex().upper().encode(),
            f"{case}UTF-16 LE": word.encode("utf-16-le"),
            f"{case}UTF-16 BE": word.encode("utf-16-be"),
            f"{case}percent": "".join(f"%{byte:02X}" for byte in raw).encode(),
        }
        found |= {f"{case}base64 {shift}": _base64(raw, shift) for shift in range(3)}
        found |= {f"{case}base32 {shift}": _base32(raw, shift) for shift in range(5)}
    for number, text in enumerate(whole):
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, text.lower().encode()).digest()
            found[f"{name} {number}"] = digest
            found[f"{name} {number} in hex"] = digest.hex().encode()
        found[f"quoted {number}"] = quote(text, safe="").encode()
        found[f"quoted twice {number}"] = quote(quote(text, safe=""), safe="").encode()
    return found


def _base64(raw: bytes, shift: int) -> bytes:
    """The characters of base64 that `raw` alone decides when `shift` bytes stand before it.

    A word of letters and digits has the same ones in the URL-safe alphabet, or none is chosen.
    """
    encoded = base64.b64encode(b"\0" * shift + raw)
    first = -(-shift * 4 // 3)
    last = (shift + len(raw)) * 8 // 6
    kept = encoded[first:last]
    assert not set(b"+/") & set(kept), "choose another word"
    return kept


def _base32(raw: bytes, shift: int) -> bytes:
    encoded = base64.b32encode(b"\0" * shift + raw)
    return encoded[-(-shift * 8 // 5) : (shift + len(raw)) * 8 // 5]


def search(content: bytes, wanted: dict[str, bytes]) -> list[str]:
    """Return the names of the forms that stand in `content`."""
    return [name for name, needle in wanted.items() if needle in content]


def files(*folders: Path) -> Iterator[Path]:
    """Every file below the folders."""
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())
