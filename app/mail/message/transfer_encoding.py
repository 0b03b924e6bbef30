"""A part's body: text in base64 or quoted-printable, whichever is shorter, with its slots.

Both are 7-bit with lines of at most 76 characters, and no line begins with a dot: what a relay
receives is the message itself, with nothing to stuff (RFC 5321 §4.5.2).
"""

from base64 import b64encode
from itertools import groupby, pairwise

from app.errors import DomainError
from app.mail.message import placeholders
from app.mail.message.encoded import Block, Encoded
from app.mail.message.placeholders import Placeholder

LINE = 76  # RFC 2045 §6.7 (5), §6.8
_LITERAL = frozenset(range(33, 127)) - {ord("=")}
_BLANK = frozenset(b" \t")


class TextUnsafe(DomainError):
    """A text holds a character that no message can carry."""


def body(text: str) -> tuple[str, Encoded]:
    """Encode a text; give the name of its transfer encoding and its bytes.

    Line ends become CRLF (RFC 2046 §4.1.1). Raises TextUnsafe for lone surrogates.
    """
    raw = _canonical(text)
    escaped = sum(byte not in _LITERAL and byte not in b" \t\r\n" for byte in raw)
    if len(raw) + 2 * escaped > len(raw) * 4 / 3 * (LINE + 2) / LINE:
        return "base64", in_base64(raw)
    return "quoted-printable", in_quoted_printable(raw)


def _canonical(text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        return "\r\n".join(lines).encode()
    except UnicodeEncodeError:
        raise TextUnsafe from None


def in_base64(raw: bytes) -> Encoded:
    """Encode as base64 (RFC 2045 §6.8)."""
    flat = b64encode(raw)
    data = b"\r\n".join(flat[at : at + LINE] for at in range(0, len(flat), LINE))
    return Encoded(data, tuple(_base64_block(raw, group) for group in _sharing_triples(raw)))


def _sharing_triples(raw: bytes) -> list[list[Placeholder]]:
    """Group slots that stand so close that a triple of bytes belongs to both."""
    groups: list[list[Placeholder]] = []
    for slot in placeholders.find(raw):
        if groups and slot.start // 3 < _up(groups[-1][-1].stop):
            groups[-1].append(slot)
        else:
            groups.append([slot])
    return groups


def _up(position: int) -> int:
    return -(-position // 3)


def _base64_block(raw: bytes, group: list[Placeholder]) -> Block:
    """Encode slots together with the up to two bytes on either side that share their triples."""
    first, end = group[0].start // 3, _up(group[-1].stop)
    parts: list[bytes | str] = [raw[first * 3 : group[0].start], group[0].name]
    for before, slot in pairwise(group):
        parts += [raw[before.stop : slot.start], slot.name]
    parts.append(raw[group[-1].stop : end * 3])
    return Block(
        tuple(part for part in parts if part), _wrapped(first * 4, end * 4), in_base64=True
    )


def _wrapped(start: int, stop: int) -> tuple[tuple[int, int], ...]:
    """Where characters `start` to `stop` of one long line are once it is broken into lines."""
    return tuple(
        (max(start, line * LINE) + 2 * line, min(stop, (line + 1) * LINE) + 2 * line)
        for line in range(start // LINE, (stop - 1) // LINE + 1)
    )


def in_quoted_printable(raw: bytes) -> Encoded:
    """Encode as quoted-printable (RFC 2045 §6.7)."""
    data = bytearray()
    places: list[int] = []  # of each byte of `raw` in `data`
    for number, line in enumerate(raw.split(b"\r\n")):
        if number:
            places += [len(data), len(data) + 1]
            data += b"\r\n"
        _write_line(line, data, places)
    return Encoded(bytes(data), tuple(_literal_block(s, places) for s in placeholders.find(raw)))


def _write_line(line: bytes, data: bytearray, places: list[int]) -> None:
    start = len(data)
    for at in range(len(line)):
        is_last = at == len(line) - 1
        room = start + LINE - (not is_last)  # a soft break needs one character itself
        if len(data) + len(_quoted(line, at, opens=len(data) == start)) > room:
            data += b"=\r\n"
            start = len(data)
        places.append(len(data))
        data += _quoted(line, at, opens=len(data) == start)


def _quoted(line: bytes, at: int, *, opens: bool) -> bytes:
    """One byte of a line; `opens` if it comes first on its line of the message."""
    byte = line[at]
    # A dot would be stuffed by SMTP, a "From " by mailboxes in mbox format.
    changeable = opens and (byte == ord(".") or line.startswith(b"From ", at))
    blank_inside = byte in _BLANK and at < len(line) - 1
    literal = (byte in _LITERAL and not changeable) or blank_inside
    return line[at : at + 1] if literal else b"=%02X" % byte


def _literal_block(slot: Placeholder, places: list[int]) -> Block:
    """Markers and values are literal in quoted-printable; soft breaks can cut them."""
    inside = enumerate(places[slot.start : slot.stop])
    runs = [[place for _, place in run] for _, run in groupby(inside, lambda p: p[1] - p[0])]
    return Block((slot.name,), tuple((run[0], run[-1] + 1) for run in runs))
