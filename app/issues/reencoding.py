"""What becomes of an upload, in a process of its own: bytes in, clean pictures out.

It runs as a script, imports nothing of ours, and gives itself little memory and time before it
looks at a byte. What comes out is drawn anew: no metadata, no profile, nothing that was appended.
"""

import json
import resource
import sys
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import (
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
PLUGINS = (GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
LARGEST = 5_000_000  # bytes
MOST_PIXELS = 16 << 20
LONGEST_SIDE = 16_384  # pixels
MEMORY = 300 << 20  # bytes of address space
SECONDS = 10  # of one core
FEW_COLOURS = 256
WHITE = (255, 255, 255)

# What brings a picture upright, by its EXIF orientation (CIPA DC-008, tag 274).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = frozenset({5, 6, 7, 8})


class TooManyPixels(Exception):
    """It would take too much memory to look at."""


@dataclass(frozen=True)
class Step:
    """How a picture is stored: at most `width` pixels wide and 4/3 as high, in this quality."""

    width: int
    quality: int


# The first is kept for pages; the others are for messages, whose column is 536 pixels wide.
STEPS = (Step(1200, 82), Step(1072, 76), Step(804, 72), Step(536, 72), Step(536, 50), Step(268, 45))


@dataclass(frozen=True)
class Drawn:
    """One picture, drawn anew."""

    media_type: str
    width: int
    height: int
    content: bytes


def draw(raw: bytes) -> list[Drawn]:
    """Return the picture (of an animation, the first) in each of the steps.

    Raises TooManyPixels, or whatever Pillow raises for what it cannot read.
    """
    with Image.open(BytesIO(raw), formats=FORMATS) as opened:
        _check_size(opened.size)
        turned = opened.getexif().get(ExifTags.Base.Orientation, 1)
        profile = opened.info.get("icc_profile")
        if opened.format in {"JPEG", "MPO"}:
            # The decoder itself can shrink, and then needs a fraction of the memory.
            opened.draft(None, (STEPS[0].width * 4 // 3, STEPS[0].width * 4 // 3))
        opened.load()
        flat = _flat(opened)
    is_drawing = flat.mode == "RGB" and flat.getcolors(FEW_COLOURS) is not None
    flat = _fitted(flat, STEPS[0].width, sideways=turned in SIDEWAYS)
    upright = _turned(_in_srgb(flat, profile), turned)
    return [_drawn(upright, step, is_drawing=is_drawing) for step in STEPS]


def _check_size(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MOST_PIXELS or max(size) > LONGEST_SIDE:
        raise TooManyPixels


def _flat(picture: Image.Image) -> Image.Image:
    """Put it on white: a black drawing on nothing would vanish from a message in dark mode."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return picture.convert("I").point(lambda value: value / 256).convert("L")
    if not picture.has_transparency_data:
        return picture.copy() if picture.mode in {"L", "RGB", "CMYK"} else picture.convert("RGB")
    layer = picture.convert("RGBA")
    ground = Image.new("RGB", layer.size, WHITE)
    ground.paste(layer, mask=layer.getchannel("A"))
    return ground


def _fitted(picture: Image.Image, width: int, *, sideways: bool = False) -> Image.Image:
    """Shrink it, if need be, to `width` and 4/3 of it; `sideways` if it is yet to be turned."""
    box = (width, width * 4 // 3)
    box = (box[1], box[0]) if sideways else box
    scale = min(1.0, box[0] / picture.width, box[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply the colour profile, which does not go along."""
    if profile and picture.mode in {"RGB", "CMYK"}:
        srgb = ImageCms.createProfile("sRGB")
        try:
            made = ImageCms.profileToProfile(picture, BytesIO(profile), srgb, outputMode="RGB")
        except ImageCms.PyCMSError:
            made = None
        if made is not None:
            return made
    return picture.convert("RGB")


def _turned(picture: Image.Image, orientation: int) -> Image.Image:
    turn = TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _drawn(picture: Image.Image, step: Step, *, is_drawing: bool) -> Drawn:
    small = _fitted(picture, step.width)
    small.info = {}  # a comment or a profile in it would be written again
    photo = BytesIO()
    small.save(photo, "JPEG", quality=step.quality, optimize=True, progressive=True)
    found = Drawn("image/jpeg", small.width, small.height, photo.getvalue())
    if is_drawing:  # few colours: as PNG it is sharper, and often smaller
        drawing = BytesIO()
        small.quantize(FEW_COLOURS, dither=Image.Dither.NONE).save(drawing, "PNG", optimize=True)
        if drawing.tell() <= len(found.content):
            return Drawn("image/png", small.width, small.height, drawing.getvalue())
    return found


def limit() -> None:
    """Take what is not needed from this process: memory, time, files."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def answer(raw: bytes) -> tuple[dict[str, object], list[Drawn]]:
    """Return what was drawn and its description, or why nothing was: a word."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        drawn = draw(raw)
    except (TooManyPixels, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return {"refused": "pixels"}, []
    except MemoryError:
        return {"refused": "pixels"}, []
    except UnidentifiedImageError:
        return {"refused": "kind"}, []
    except Exception:  # noqa: BLE001 - a broken file breaks Pillow in many ways
        return {"refused": "broken"}, []
    facts = [[d.media_type, d.width, d.height, len(d.content)] for d in drawn]
    return {"drawn": facts}, drawn


def main() -> None:
    """Read an upload from standard input; write a line of JSON and then the pictures."""
    limit()
    said, drawn = answer(sys.stdin.buffer.read(LARGEST + 1))
    out = sys.stdout.buffer
    out.write(json.dumps(said).encode() + b"\n")
    for each in drawn:
        out.write(each.content)
    out.flush()


if __name__ == "__main__":
    main()
