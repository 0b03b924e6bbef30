"""Bytes with holes: encoded content, and where each reader's values fall in it.

A value does not always keep its place: base64 mixes it with its neighbours, and a line break can
cut it. So a block says what is encoded together, and its spans where the outcome goes.
"""

from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Block:
    """What is encoded together: fixed bytes, and names of slots (as `str`) between them.

    `spans` are the places in the encoded data that the outcome fills, in order.
    """

    parts: tuple[bytes | str, ...]
    spans: tuple[tuple[int, int], ...]
    in_base64: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The slots in this block."""
        return tuple(part for part in self.parts if isinstance(part, str))

    def encode(self, values: Mapping[str, bytes]) -> bytes:
        """Encode the block with the readers' values in place."""
        plain = b"".join([values[p] if isinstance(p, str) else p for p in self.parts])
        return b2a_base64(plain, newline=False) if self.in_base64 else plain

    def moved(self, by: int) -> "Block":
        """The same block where everything stands `by` bytes later."""
        return replace(self, spans=tuple((start + by, stop + by) for start, stop in self.spans))


@dataclass(frozen=True, slots=True)
class Encoded:
    """Encoded bytes in which markers still stand, and the blocks that replace them."""

    data: bytes
    blocks: tuple[Block, ...] = ()


def concatenate(parts: Iterable[Encoded]) -> Encoded:
    """Put encoded parts one after the other; their blocks move along."""
    data = bytearray()
    blocks: list[Block] = []
    for part in parts:
        blocks += (block.moved(len(data)) for block in part.blocks)
        data += part.data
    return Encoded(bytes(data), tuple(blocks))
