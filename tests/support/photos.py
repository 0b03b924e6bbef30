"""Uploads, sound and hostile, made in memory."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw


def a_scene(width: int = 900, height: int = 600) -> Image.Image:
    """Draw something with as many colours as a photo, the same every time."""
    across = Image.linear_gradient("L").resize((width, height))
    down = Image.linear_gradient("L").rotate(90).resize((width, height))
    scene = Image.merge("RGB", (across, down, Image.radial_gradient("L").resize((width, height))))
    ImageDraw.Draw(scene).ellipse((10, 10, width // 2, height // 2), fill=(220, 40, 40))
    return scene


def encoded(picture: Image.Image, kind: str = "JPEG", **more: Any) -> bytes:
    """Encode a picture."""
    out = BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def a_photo(width: int = 900, height: int = 600) -> bytes:
    """Return an ordinary upload."""
    return encoded(a_scene(width, height), quality=90)


def a_noisy_photo(side: int = 900) -> bytes:
    """Return an upload that compresses badly."""
    noise = [Image.effect_noise((side // 3, side // 3), 120).resize((side, side)) for _ in range(3)]
    return encoded(Image.merge("RGB", noise), quality=80)


def a_png_that_claims(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes whose header promises this many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    return b"".join(
        (b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), chunk(b"IDAT", pixels), chunk(b"IEND", b""))
    )
