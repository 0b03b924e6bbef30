"""Filling a compiled letter: per reader, a few small encodings and one join.

What comes out is final. Nothing after it may serialise the letter again, or headers and signatures
break.
"""

from collections.abc import Mapping

from app.mail.encoded import Block, Encoded
from app.mail.slots import Fit, SlotUnfilled, SlotValueUnsafe

_Holes = list[tuple[int, int, int]]  # number of the piece; what of the encoded block goes there


class LetterTemplate:
    """A compiled letter. Immutable, and safe to share between threads."""

    __slots__ = ("_body_begins", "_fits", "_literal", "_mixed", "_pieces", "_shapes")

    def __init__(self, head: Encoded, content: Encoded, fits: Mapping[str, Fit]) -> None:
        """Cut the letter at its slots. `fits` says what each slot takes."""
        pieces, blocks = _cut(head)
        self._body_begins = len(pieces)
        more_pieces, more_blocks = _cut(content, at=len(pieces))
        self._pieces = pieces + more_pieces
        blocks += more_blocks
        # Most slots are a value as it is in one place: those need no call.
        self._literal = [(h[0][0], b.names[0]) for b, h in blocks if _is_literal(b)]
        self._mixed = [(block.encode, holes) for block, holes in blocks if not _is_literal(block)]
        self._fits = dict(fits)
        self._shapes = [(name, fit.shape.fullmatch) for name, fit in fits.items()]

    @property
    def slots(self) -> dict[str, int]:
        """The slots by name, with the length (in characters) of their markers."""
        return {name: fit.length for name, fit in self._fits.items()}

    def fill(self, values: Mapping[str, str]) -> bytes:
        """Give one reader's letter.

        A value for a slot in a body is exactly as long as its marker and only [A-Za-z0-9_-]; one
        that stands in headers alone may be shorter. Values without a slot are not looked at.
        Raises SlotUnfilled, SlotValueUnsafe.
        """
        return b"".join(self._filled(values))

    def head_and_body(self, values: Mapping[str, str]) -> tuple[bytes, bytes]:
        """Give one reader's letter as its headers (with the empty line) and its body.

        A DKIM signature (RFC 6376 §3.7) is computed over the two apart and put before the first.
        """
        filled = self._filled(values)
        return b"".join(filled[: self._body_begins]), b"".join(filled[self._body_begins :])

    def _filled(self, values: Mapping[str, str]) -> list[bytes]:
        plain = self._checked(values)
        pieces = self._pieces.copy()
        for at, name in self._literal:
            pieces[at] = plain[name]
        for encode, holes in self._mixed:
            encoded = encode(plain)
            for at, start, stop in holes:
                pieces[at] = encoded[start:stop]
        return pieces

    def _checked(self, values: Mapping[str, str]) -> dict[str, bytes]:
        plain = {}
        for name, fits in self._shapes:
            value = values.get(name)
            if value is None:
                raise SlotUnfilled(field=name)
            if not fits(value):
                raise SlotValueUnsafe(field=name)
            plain[name] = value.encode("ascii")
        return plain


def _is_literal(block: Block) -> bool:
    return not block.in_base64 and len(block.spans) == 1


def _cut(whole: Encoded, at: int = 0) -> tuple[list[bytes], list[tuple[Block, _Holes]]]:
    """Cut at the spans of all blocks: pieces (from number `at` on), and which of them are holes."""
    pieces: list[bytes] = []
    blocks: list[tuple[Block, _Holes]] = []
    position = 0
    for block in whole.blocks:
        holes: _Holes = []
        taken = 0
        for start, stop in block.spans:
            pieces += [whole.data[position:start], b""]
            holes.append((at + len(pieces) - 1, taken, taken + stop - start))
            taken += stop - start
            position = stop
        blocks.append((block, holes))
    return [*pieces, whole.data[position:]], blocks
