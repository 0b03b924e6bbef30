"""A message as a tree of parts (RFC 2045, RFC 2046), with bounds on size, depth and number."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.mail.reports.charsets import decoded
from app.mail.reports.headers import Headers, split_headers
from app.mail.reports.transfer import from_transfer

LARGEST = 1_000_000  # bytes of a message that are read; what comes after tells nothing new
DEEPEST = 6
MOST = 60  # parts of a message
LONGEST = 100_000  # bytes of one part that are decoded

_TYPE = re.compile(r"\s*([\w!#$&.+^-]{1,60}/[\w!#$&.+^-]{1,80})")
_PARAMETER = re.compile(
    r';\s{0,20}([\w!#$&.+^-]{1,40})\*?\s{0,9}=\s{0,9}("[^"]{0,300}"|[^\s;"]{1,300})'
)
_LINE_END = re.compile(r"\r{1,2}\n|\r")  # some gateways double the CR
_MBOX = re.compile(r">?From [^\n]{0,300}\n")
_BOUNDARY = re.compile(r"--([^\s-][^\n]{0,200})")
_ENVELOPED = {
    *("message/rfc822", "message/rfc822-headers", "text/rfc822-headers"),
    *("message/global", "message/global-headers", "message/partial", "message/news"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `type` is lower case, `body` what stands below its header, still encoded."""

    headers: Headers
    type: str
    parameters: dict[str, str]
    body: str
    parts: tuple["Part", ...] = ()

    def walk(self) -> Iterator["Part"]:
        """Yield this part and all in it, in their order, but nothing of messages enclosed."""
        yield self
        if self.type not in _ENVELOPED:
            for part in self.parts:
                yield from part.walk()

    @property
    def encloses(self) -> bool:
        """Whether it holds a message or a message's header."""
        return self.type in _ENVELOPED

    @property
    def text(self) -> str:
        """The readable body: encoding and charset undone, line ends LF."""
        encoding = self.headers.first("content-transfer-encoding")
        raw = from_transfer(self.body[: 2 * LONGEST], encoding)[:LONGEST]
        return unified(decoded(raw, self.parameters.get("charset", "")))


@dataclass(slots=True)
class _Budget:
    parts: int = field(default=MOST)


def read_parts(message: bytes) -> Part:
    """Read a message, however broken, into its parts."""
    text = unified(message[:LARGEST].decode("latin-1")).lstrip("\n\t ﻿")
    start = _MBOX.match(text)
    return _part(text[start.end() :] if start else text, 0, _Budget())


def unified(text: str) -> str:
    """Make every kind of line end an LF, and drop NULs."""
    return _LINE_END.sub("\n", text).replace("\0", "")


def _part(text: str, depth: int, budget: _Budget) -> Part:
    budget.parts -= 1
    headers, body = split_headers(text)
    content = headers.first("content-type")
    named = _TYPE.match(content)
    kind = named[1].lower() if named else "text/plain"
    found = _PARAMETER.findall(content[:4000])
    parameters = {name.lower(): value.strip('"') for name, value in found}
    parts = () if depth >= DEEPEST else _inner(kind, parameters, headers, body, depth, budget)
    return Part(headers, kind, parameters, body, parts)


def _inner(
    kind: str, parameters: dict[str, str], headers: Headers, body: str, depth: int, budget: _Budget
) -> tuple[Part, ...]:
    if kind in _ENVELOPED:
        encoding = headers.first("content-transfer-encoding").strip().lower()
        if encoding in ("base64", "quoted-printable"):
            body = unified(from_transfer(body[:LONGEST], encoding).decode("latin-1"))
        return (_part(body.lstrip("\n"), depth + 1, budget),) if budget.parts > 0 else ()
    if not kind.startswith("multipart/"):
        return ()
    found = []
    for each in _pieces(body, parameters.get("boundary", "")):
        if budget.parts <= 0:
            break
        found.append(_part(each, depth + 1, budget))
    return tuple(found)


def _pieces(body: str, boundary: str) -> list[str]:
    """Cut a multipart body; if its boundary is missing, by the first line that looks like one."""
    if f"--{boundary}" not in body or not boundary:
        guess = next(filter(None, map(_BOUNDARY.fullmatch, body.split("\n", 50)[:50])), None)
        boundary = guess[1].strip() if guess else ""
    if not boundary:
        return []
    pieces: list[list[str]] = []
    for line in body.split("\n"):
        mark = line.rstrip()
        if mark == f"--{boundary}" and len(pieces) < MOST:
            pieces.append([])
        elif mark == f"--{boundary}--":
            break
        elif pieces:
            pieces[-1].append(line)
    return ["\n".join(piece) for piece in pieces]
