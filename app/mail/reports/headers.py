"""Header fields as they come: folded, encoded, misspelt, in any charset. Never an error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.mail.reports.charsets import decoded
from app.mail.reports.transfer import from_base64, from_quoted_printable

MOST = 500  # fields of one header that are read
LONGEST = 20_000  # characters of one field that are read

_FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_ENCODED = re.compile(r"=\?([\w.:*-]{1,60})\?([bBqQ])\?([^?\s]{0,2000})\?=")
_BETWEEN = re.compile(r"(\?=)[ \t\n]{1,20}(?==\?)")  # RFC 2047 §6.2: not to be shown


@dataclass(frozen=True, slots=True)
class Headers:
    """Fields in their order: lower-case names, unfolded values, bytes as Latin-1 characters."""

    fields: tuple[tuple[str, str], ...] = ()

    def all(self, *names: str) -> Iterator[str]:
        """Yield the readable values of these fields, in the order of the names."""
        for name in names:
            yield from (readable(value) for field, value in self.fields if field == name)

    def first(self, *names: str) -> str:
        """Give the readable value of the first of these fields that there is, or ""."""
        return next((value for value in self.all(*names) if value), "")

    def __contains__(self, name: str) -> bool:
        return any(field == name for field, _ in self.fields)


def split_headers(text: str) -> tuple[Headers, str]:
    """Cut a message (line ends are LF) into its header and its body.

    A line that cannot be a field ends the header too: broken gateways leave out the empty line.
    """
    fields: list[list[str]] = []
    start = 0
    while start < len(text) and len(fields) < MOST:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        if line[:1] in " \t" and line.strip() and fields:
            fields[-1].append(line.strip()[:LONGEST])
        elif not line.strip():
            return _headers(fields), text[end + 1 :]
        elif _FIELD.match(line[:200]):
            fields.append([line[:LONGEST]])
        else:
            return _headers(fields), text[start:]
        start = end + 1
    return _headers(fields), text[start:]


def _headers(fields: list[list[str]]) -> Headers:
    found = (_FIELD.match(" ".join(lines[:200])[:LONGEST]) for lines in fields)
    return Headers(tuple((f[1].lower(), f[2].strip()) for f in found if f))


def readable(value: str) -> str:
    """Decode encoded words (RFC 2047), also where they should not be; guess raw bytes."""
    if "=?" not in value:
        raw = value.isascii() or any(letter > "\xff" for letter in value)  # nothing to guess
        return value if raw else decoded(value.encode("latin-1"), "")
    return _ENCODED.sub(_word, _BETWEEN.sub(r"\1", value))


def _word(match: re.Match[str]) -> str:
    charset, how, data = match[1].partition("*")[0], match[2].lower(), match[3]
    raw = from_base64(data) if how == "b" else from_quoted_printable(data.replace("_", " "))
    return decoded(raw, charset)
