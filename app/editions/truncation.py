"""Shortening: which paragraphs of long commentaries a message keeps, so that mailboxes show it all.

Cut is only between blocks, and only where a commentary takes more than its fair share; pure.
"""

import re
from collections.abc import Callable, Sequence

from app.mail.message.self_check import LARGEST_HTML
from app.mail.message.templates import Rendered
from app.mail.message.transfer_encoding import body as encoded

MARGIN = 200  # bytes: for the link to the rest, and for what rounding loses

_PROMISE = re.compile(r":(?:</\w+>)*</p>$|</h[34]>$|<hr />$")

Bodies = Sequence[Sequence[str]]
"""The blocks of each commentary's body, as HTML."""


def fitted(bodies: Bodies, write: Callable[[Bodies], Rendered]) -> Rendered:
    """Write a message with whole bodies, or with as much of each as keeps its HTML under the limit.

    A message that is too large without any body comes back as it is, for others to refuse.
    """
    kept, rendered = bodies, write(bodies)
    while (size := html_size(rendered.html)) >= LARGEST_HTML and any(kept):
        per_byte = size / len(rendered.html.encode())
        over = int((size - LARGEST_HTML) / per_byte) + MARGIN
        kept = shortened(bodies, sum(map(_size, kept)) - over)
        rendered = write(kept)
    return rendered


def html_size(html: str) -> int:
    """Give the bytes of an HTML part, decoded or encoded, whichever are more: mailboxes differ."""
    return max(len(html.encode()), len(encoded(html)[1].data))


def shortened(bodies: Bodies, room: int) -> list[list[str]]:
    """Keep so many leading blocks of each body that all together have at most `room` bytes.

    Short bodies stay whole; what they leave of their share is shared among the longer ones.
    """
    share = _share([_size(body) for body in bodies], room)
    return [_leading(body, share) for body in bodies]


def _size(blocks: Sequence[str]) -> int:
    return sum(len(block.encode()) for block in blocks)


def _share(sizes: Sequence[int], room: int) -> int:
    """Give the largest share with which all bodies, each cut to it, fit into the room."""
    for place, size in enumerate(sorted(sizes)):
        fair = room // (len(sizes) - place)
        if size > fair:
            return max(fair, 0)
        room -= size
    return max(sizes, default=0)


def _leading(blocks: Sequence[str], share: int) -> list[str]:
    kept: list[str] = []
    for block in blocks:
        share -= len(block.encode())
        if share < 0:
            return _without_ending(kept)
        kept.append(block)
    return kept


def _without_ending(kept: list[str]) -> list[str]:
    """Drop headings, rules and words such as "namely:" after which nothing comes any more."""
    while kept and _PROMISE.search(kept[-1]):
        kept.pop()
    return kept
