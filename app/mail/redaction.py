"""Text of strangers made fit to keep: no address in it, nothing that a terminal would obey."""

import re

# A run that may hold an address. Each is looked at once: a pattern that also looked for the @ would
# begin anew at every character of a long run without one.
# Brackets belong to it: the domain may be an address literal (RFC 5321 §4.1.3).
_RUN = re.compile(r"[^\s<>()\"',;:]+")
_AT = re.compile(r"(?<=.)(?:@|=40|%40)(?=.)")
_ENTITY = re.compile(r"&#0*64;")
_QUOTED = re.compile(r'"[^"]*"@\S+')
_HIDDEN = "[address]"


def without_addresses(text: str, recipient: str = "") -> str:
    """Hide whatever looks like an address, and every part of `recipient`'s, in any case."""
    hidden = _RUN.sub(_hide, _QUOTED.sub(_HIDDEN, _ENTITY.sub("@", text)))
    lowered = hidden.lower()
    for part in filter(None, recipient.split("@")):
        if part.lower() not in lowered:  # nearly always, and much cheaper than a pattern
            continue
        alone = rf"(?<![^\W_]){re.escape(part)}(?![^\W_])"
        hidden = re.sub(alone, _HIDDEN, hidden, flags=re.IGNORECASE)
    return hidden


def _hide(run: re.Match[str]) -> str:
    return _HIDDEN if _AT.search(run[0]) else run[0]


def printable(text: str) -> str:
    """Decode what was not UTF-8 with replacements, and make control characters spaces."""
    readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in readable).split())
