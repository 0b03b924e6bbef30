"""Looking at an upload without trusting it: a child process of little memory and time decodes it.

What the child gives back is checked too; whatever it does, nothing but clean pictures is kept.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

from app.errors import DomainError
from app.issues import reencoding
from app.issues.reencoding import LARGEST, STEPS, Drawn

PATIENCE = 20.0  # seconds on the wall; the child's own limit is of the processor
OPENINGS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
_CHILD = str(Path(reencoding.__file__))
# Each child may take 300 MB: more than two at once could take the service down.
_AT_ONCE = BoundedSemaphore(2)


class PhotoTooLarge(DomainError):
    """A photo has at most 5,000,000 bytes."""


class PhotoKindUnknown(DomainError):
    """This is not a picture in JPEG, PNG, WebP or GIF."""


class PhotoTooManyPixels(DomainError):
    """A photo has at most 16,777,216 pixels and sides of at most 16,384; make it smaller."""


class PhotoBroken(DomainError):
    """The picture cannot be decoded; perhaps it is cut off."""


_REFUSALS = {
    "kind": PhotoKindUnknown,
    "pixels": PhotoTooManyPixels,
    "broken": PhotoBroken,
}


@dataclass(frozen=True)
class Decoded:
    """A picture drawn anew: the one for pages, and ever smaller ones for messages."""

    page: Drawn
    message: tuple[Drawn, ...]


def decode(raw: bytes) -> Decoded:
    """Decode an upload; takes up to 20 seconds, so hold no transaction open meanwhile.

    Raises PhotoTooLarge, PhotoKindUnknown, PhotoTooManyPixels or PhotoBroken.
    """
    if len(raw) > LARGEST:
        raise PhotoTooLarge(field="photo")
    said, _, content = _answer(raw).partition(b"\n")
    try:
        answer = json.loads(said)
        if "refused" in answer:
            raise _REFUSALS[answer["refused"]](field="photo")
        drawn = _pictures(answer["drawn"], content)
    except (ValueError, LookupError, TypeError):  # killed for what it took, or led astray
        raise PhotoBroken(field="photo") from None
    return Decoded(drawn[0], tuple(drawn[1:]))


def _answer(raw: bytes) -> bytes:
    """Run the child: isolated (-I), without environment, with nothing open but its two pipes."""
    command = [sys.executable, "-I", _CHILD]
    with _AT_ONCE:
        try:
            ended = subprocess.run(  # noqa: S603 - our own script, by its full path
                command,
                input=raw,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return b""
    return ended.stdout if ended.returncode == 0 else b""


def _pictures(facts: Sequence[Sequence[object]], content: bytes) -> list[Drawn]:
    """Cut the child's pictures apart. Raises ValueError for anything it should not have said."""
    drawn, start = [], 0
    for (media_type, width, height, size), step in zip(facts, STEPS, strict=True):
        if not (isinstance(width, int) and isinstance(height, int) and isinstance(size, int)):
            raise TypeError
        piece = content[start : start + size]
        sound = 0 < width <= step.width and 0 < height <= step.width * 4 // 3 and len(piece) == size
        if not sound or not piece.startswith(OPENINGS[str(media_type)]):
            raise ValueError
        drawn.append(Drawn(str(media_type), width, height, piece))
        start += size
    return drawn
