"""Bytes to text whatever the label says. Never an error: what cannot be read becomes U+FFFD."""

import codecs
import re

_FOREIGN = re.compile(rb"[\x80-\xff]")
_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")

# Names that Python spells otherwise, and codecs that are no charsets of mail or not linear.
_ALIASES = {
    "ks_c_5601-1987": "cp949",
    "x-euc-jp": "euc-jp",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-7": "utf-7",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "x-mac-cyrillic": "mac-cyrillic",
}
_NONE = {"", "us-ascii", "ascii", "unknown", "unknown-8bit", "x-unknown", "default", "8bit"}
_NO_CHARSET = {"idna", "punycode", "undefined", "raw-unicode-escape", "unicode-escape", "mbcs"}


def decoded(raw: bytes, charset: str) -> str:
    """Decode by the charset named, or by the one that the bytes look like."""
    name = charset.strip(" \"'").lower()
    name = _ALIASES.get(name, name)
    if name not in _NONE and name.replace("_", "-") not in _NO_CHARSET:
        try:
            codecs.lookup(name)
            return raw.decode(name, "replace").encode("utf-8", "replace").decode("utf-8")
        except (LookupError, UnicodeError, ValueError):
            pass
    return _guessed(raw)


def _guessed(raw: bytes) -> str:
    """UTF-8 if it is; the escapes of ISO-2022-JP; many high bytes are Cyrillic, few are Western."""
    if b"\x1b$" in raw or b"\x1b(J" in raw:
        return raw.decode("iso2022_jp", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(_looks_like(raw[:4000]), "replace")


def _looks_like(raw: bytes) -> str:
    high = _FOREIGN.findall(raw)
    if 3 * len(high) < len(_LETTER.findall(raw)):
        return "utf-8" if b"\xd0" in raw else "cp1252"
    koi8 = sum(b"\xc0" <= each <= b"\xdf" for each in high)
    cp1251 = sum(b"\xe0" <= each <= b"\xff" for each in high)
    return "koi8-r" if koi8 > cp1251 else "cp1251"  # where lower-case letters lie
