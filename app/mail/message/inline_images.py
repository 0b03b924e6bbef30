"""Pictures inside a message: parts that the HTML shows by their Content-ID (RFC 2392, RFC 2387).

They travel with the message, so showing them asks nobody for anything and tells nobody anything.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from app.errors import DomainError

LINE = 76  # RFC 2045 §6.8
LARGEST_ALL = 300_000  # bytes of all pictures of a message, as they travel
KINDS = {"image/jpeg": "jpg", "image/png": "png"}


class PictureUnsafe(DomainError):
    """A picture's type or Content-ID is none that a message can carry."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's bytes and kind; the HTML names it `cid:` and `content_id`."""

    content_id: str
    media_type: str
    content: bytes


def travelling(size: int) -> int:
    """Return how many bytes a picture of `size` bytes is in base64, with its line ends."""
    flat = -(-size // 3) * 4
    return flat + -(-flat // LINE) * 2


def part(picture: Picture, number: int) -> bytes:
    """Write the whole part: headers and body. `number` makes its file's name. RFC 2183 §2.1.

    Raises PictureUnsafe.
    """
    local, _, domain = picture.content_id.partition("@")
    plain = local.replace("-", "") + domain.replace(".", "").replace("-", "")
    if picture.media_type not in KINDS or not (plain.isalnum() and plain.isascii()):
        raise PictureUnsafe
    name = f"photo-{number}.{KINDS[picture.media_type]}"
    headers = (
        f"Content-Type: {picture.media_type}; name={name}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{picture.content_id}>\r\n"
        f"Content-Disposition: inline; filename={name}\r\n"
    )
    return f"{headers}\r\n".encode("ascii") + b"\r\n".join(_lines(picture.content)) + b"\r\n"


def _lines(content: bytes) -> Iterable[bytes]:
    # Not the encoder of texts: what looks like a slot among a picture's bytes is none.
    flat = b64encode(content)
    return (flat[at : at + LINE] for at in range(0, len(flat), LINE))
