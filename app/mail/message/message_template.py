"""Filling a compiled message: per reader, a few small encodings and one join.

What comes out is final. Nothing after it may serialise the message again, or headers and signatures
break.
"""

from collections.abc import KeysView, Mapping
from dataclasses import dataclass

from app.mail.dkim.signature import is_relaxed
from app.mail.message.encoded import Block, Encoded
from app.mail.message.placeholders import Fit, PlaceholderUnfilled, PlaceholderValueUnsafe

_Holes = list[tuple[int, int, int]]  # number of the piece; what of the encoded block goes there


class MessageTemplate:
    """A compiled message. Immutable, and safe to share between threads."""

    __slots__ = (
        *("_body_begins", "_fits", "_fixed_length", "_literal", "_mixed", "_pieces", "_shapes"),
        "body_is_relaxed",
    )

    def __init__(self, head: Encoded, content: Encoded, fits: Mapping[str, Fit]) -> None:
        """Cut the message at its slots. `fits` says what each slot takes."""
        pieces, blocks = _cut(head)
        self._body_begins = len(pieces)
        more_pieces, more_blocks = _cut(content, at=len(pieces))
        self._pieces = pieces + more_pieces
        blocks += more_blocks
        # Most slots are a value as it is in one place: those need no call.
        self._literal = [(h[0][0], b.names[0]) for b, h in blocks if _is_literal(b)]
        self._mixed = [(block.encode, holes) for block, holes in blocks if not _is_literal(block)]
        # For DKIM. What fills a slot in a body has no blank, and does not change that.
        self.body_is_relaxed = is_relaxed(content.data)
        self._fits = dict(fits)
        self._shapes = [(name, fit.shape.fullmatch) for name, fit in fits.items()]
        # A hole in an encoded block has one length whatever fills it.
        holes = (stop - start for _, places in self._mixed for _, start, stop in places)
        self._fixed_length = sum(map(len, pieces + more_pieces)) + sum(holes)

    @property
    def slots(self) -> dict[str, int]:
        """The slots by name, with the length (in characters) of their markers."""
        return {name: fit.length for name, fit in self._fits.items()}

    @property
    def names(self) -> KeysView[str]:
        """The names of the slots."""
        return self._fits.keys()

    def fill(self, values: Mapping[str, str]) -> bytes:
        """Give one reader's message.

        A value for a slot in a body is exactly as long as its marker and only [A-Za-z0-9_-]; one
        that stands in headers alone may be shorter. Values without a slot are not looked at.
        Raises PlaceholderUnfilled, PlaceholderValueUnsafe.
        """
        return b"".join(self._written(self.checked(values)))

    def bind(self, values: Mapping[str, str]) -> "Filled":
        """Give one reader's message, checked as by `fill`, to be written when it is needed."""
        return Filled(self, self.checked(values))

    def head_and_body(self, values: Mapping[str, str]) -> tuple[bytes, bytes]:
        """Give one reader's message as its headers (with the empty line) and its body.

        A DKIM signature (RFC 6376 §3.7) is computed over the two apart and put before the first.
        """
        return self.write_apart(self.checked(values))

    def write_apart(self, plain: Mapping[str, bytes]) -> tuple[bytes, bytes]:
        """Write headers and body apart, from values that are checked."""
        written = self._written(plain)
        return b"".join(written[: self._body_begins]), b"".join(written[self._body_begins :])

    def write(self, plain: Mapping[str, bytes], *more: bytes) -> bytes:
        """Write a message from values that are checked, with `more` behind it."""
        written = self._written(plain)
        written.extend(more)
        return b"".join(written)

    def length(self, plain: Mapping[str, bytes]) -> int:
        """Say how many bytes that will be: only what stands literally varies."""
        fixed = self._fixed_length
        return fixed + sum(len(plain[name]) for _, name in self._literal)

    def _written(self, plain: Mapping[str, bytes]) -> list[bytes]:
        pieces = self._pieces.copy()
        for at, name in self._literal:
            pieces[at] = plain[name]
        for encode, holes in self._mixed:
            encoded = encode(plain)
            for at, start, stop in holes:
                pieces[at] = encoded[start:stop]
        return pieces

    def checked(self, values: Mapping[str, str]) -> dict[str, bytes]:
        """Return what fills the slots. Raises PlaceholderUnfilled, PlaceholderValueUnsafe."""
        plain = {}
        for name, fits in self._shapes:
            value = values.get(name)
            if value is None:
                raise PlaceholderUnfilled(field=name)
            if not fits(value):
                raise PlaceholderValueUnsafe(field=name)
            plain[name] = value.encode("ascii")
        return plain


@dataclass(slots=True)
class Filled:
    """One reader's message, not yet written: the template, and what is the reader's own.

    Nothing changes it; to have Python watch over that costs more than all else about it.
    """

    template: MessageTemplate
    plain: Mapping[str, bytes]

    def __bytes__(self) -> bytes:
        """Write it."""
        return self.template.write(self.plain)

    def __len__(self) -> int:
        """Say how long it is, without writing it."""
        return self.template.length(self.plain)

    def on_the_wire(self, following: bytes = b"") -> bytes:
        """Write it with the final dot, and what follows that.

        No line of a compiled message begins with a dot.
        """
        return self.template.write(self.plain, b".\r\n", following)

    def head_and_body(self) -> tuple[bytes, bytes]:
        """Write its headers (with the empty line) and its body apart."""
        return self.template.write_apart(self.plain)


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
