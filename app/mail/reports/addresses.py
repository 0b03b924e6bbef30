"""Addresses as they stand in reports: in brackets, after a type, with or without a domain."""

import re

_LOCAL = r"[^\s<>()\[\],;:\"'@=]"  # an address begins only where a run of these does
FOUND = re.compile(rf"(?<!{_LOCAL}){_LOCAL}{{1,128}}@[\w-][\w.-]{{0,200}}")

_TYPED = re.compile(r"\s{0,20}[\w-]{1,20}\s{0,20};(.*)", re.DOTALL)
_PATH = re.compile(r"<([^<>\s]{1,320})>")
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")  # RFC 6533 §3


def address_of(value: str) -> str:
    """Read the address of a field such as "rfc822; ann@example.org"; "" if there is none."""
    typed = _TYPED.match(value)
    bare = _ESCAPED.sub(_unescaped, typed[1] if typed else value).strip()
    found = first_address(bare)
    if found:
        return found
    words = bare.strip("<>").split()
    return words[0][:320] if words else ""


def first_address(text: str) -> str:
    """Find the first address, if possible in brackets, its domain in lower case; "" if none."""
    in_brackets = (path for path in _PATH.findall(text[:2000]) if "@" in path)
    found = FOUND.search(next(in_brackets, text[:2000]))
    return tidy(found[0]) if found else ""


def tidy(address: str) -> str:
    """Cut what a sentence leaves at the ends, and lower the domain."""
    local, _, domain = address.strip(".-*`").rpartition("@")
    return f"{local}@{domain.lower()}"


def _unescaped(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else ""
