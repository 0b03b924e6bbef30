"""Text of strangers made fit to keep: no address in it, nothing that a terminal would obey."""

import re

_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:]+(?:@|=40|%40|&#0*64;)[^\s<>()\"',;:]+", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"@\S+')
_HIDDEN = "[address]"


def without_addresses(text: str, recipient: str = "") -> str:
    """Hide whatever looks like an address, and every part of `recipient`'s, in any case."""
    hidden = _ADDRESS.sub(_HIDDEN, _QUOTED.sub(_HIDDEN, text))
    lowered = hidden.lower()
    for part in filter(None, recipient.split("@")):
        if part.lower() not in lowered:  # nearly always, and much cheaper than a pattern
            continue
        alone = rf"(?<![^\W_]){re.escape(part)}(?![^\W_])"
        hidden = re.sub(alone, _HIDDEN, hidden, flags=re.IGNORECASE)
    return hidden


def printable(text: str) -> str:
    """Decode what was not UTF-8 with replacements, and make control characters spaces."""
    readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in readable).split())
