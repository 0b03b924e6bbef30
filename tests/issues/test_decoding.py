"""Uploads are decoded in a child that may take little, and come out without their past."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from app.issues import decoding
from app.issues.decoding import (
    Decoded,
    PhotoBroken,
    PhotoKindUnknown,
    PhotoTooLarge,
    PhotoTooManyPixels,
    decode,
)
from app.issues.reencoding import LARGEST, STEPS
from tests.support.photos import a_photo, a_png_that_claims, a_scene, encoded

SECRET = "53.9045N 27.5615E by Ann"


def opened(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def all_of(decoded: Decoded) -> list[bytes]:
    return [decoded.page.content, *(each.content for each in decoded.message)]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_the_four_kinds_are_decoded(kind: str) -> None:
    decoded = decode(encoded(a_scene(), kind))
    page = opened(decoded.page.content)
    assert page.size == (900, 600) == (decoded.page.width, decoded.page.height)
    assert len(decoded.message) == len(STEPS) - 1


def test_a_picture_is_shrunk_and_never_enlarged() -> None:
    decoded = decode(a_photo(3000, 1500))
    assert (decoded.page.width, decoded.page.height) == (1200, 600)
    assert [each.width for each in decoded.message] == [1072, 804, 536, 536, 268]
    sizes = [len(each.content) for each in decoded.message]
    assert sizes == sorted(sizes, reverse=True)
    small = decode(a_photo(200, 100))
    assert {each.width for each in small.message} == {200}


def test_the_same_upload_is_the_same_picture() -> None:
    assert decode(a_photo()) == decode(a_photo())


def test_a_jpeg_brings_nothing_of_its_past() -> None:
    scene = a_scene()
    exif = scene.getexif()
    exif[ExifTags.Base.Artist] = SECRET
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET.encode()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = f"<x:xmpmeta>{SECRET}</x:xmpmeta>".encode()
    raw = encoded(scene, exif=exif, xmp=xmp, comment=SECRET, icc_profile=profile, dpi=(300, 300))
    assert raw.count(SECRET.encode()) >= 3
    for content in all_of(decode(raw)):
        assert SECRET.encode() not in content
        assert not {"exif", "xmp", "comment", "icc_profile", "dpi"} & set(opened(content).info)
        assert b"Exif" not in content
        assert b"ICC_PROFILE" not in content


def test_a_png_brings_nothing_of_its_past() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", SECRET)
    notes.add_itxt("XML:com.adobe.xmp", SECRET)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    drawing = Image.new("RGB", (300, 200), "white")
    decoded = decode(encoded(drawing, "PNG", pnginfo=notes, icc_profile=profile))
    assert decoded.page.media_type == "image/png"
    for content in all_of(decoded):
        assert SECRET.encode() not in content
        for chunk in (b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"iCCP", b"tIME"):
            assert chunk not in content


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright(orientation: int) -> None:
    upright = Image.new("RGB", (400, 200), "white")
    upright.paste((255, 0, 0), (0, 0, 100, 100))  # the corner at the top on the left
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    lying = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    page = opened(decode(encoded(lying, exif=exif)).page.content).convert("RGB")
    assert page.size == (400, 200)
    corner, opposite = page.getpixel((50, 50)), page.getpixel((350, 150))
    assert isinstance(corner, tuple)
    assert isinstance(opposite, tuple)
    assert corner[1] < 60
    assert opposite[1] > 200


def test_a_tall_picture_on_its_side_is_shrunk_as_it_will_stand() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    decoded = decode(encoded(a_scene(3000, 2000), exif=exif))
    assert (decoded.page.width, decoded.page.height) == (1067, 1600)


def test_a_colour_profile_is_applied() -> None:
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A profile whose red is green and whose green is red.
    strange = plain.replace(b"rXYZ", b"?").replace(b"gXYZ", b"rXYZ").replace(b"?", b"gXYZ")
    red = Image.new("RGB", (90, 60), (255, 0, 0))
    pixel = opened(decode(encoded(red, icc_profile=strange)).page.content).convert("RGB")
    shown = pixel.getpixel((40, 30))
    assert isinstance(shown, tuple)
    assert shown[0] < 60
    assert shown[1] > 200


def test_a_broken_colour_profile_is_passed_over() -> None:
    assert decode(encoded(a_scene(), icc_profile=b"no profile at all")).page.width == 900


def test_what_is_transparent_lies_on_white() -> None:
    drawing = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    drawing.paste((0, 0, 0, 255), (0, 0, 100, 100))
    page = opened(decode(encoded(drawing, "PNG")).page.content)
    assert not page.has_transparency_data
    assert page.convert("RGB").getpixel((250, 150)) == (255, 255, 255)
    assert page.convert("RGB").getpixel((50, 50)) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_way_to_store_pixels_is_understood(mode: str) -> None:
    raw = encoded(Image.new(mode, (90, 60), 1), "PNG")
    assert decode(raw).page.width == 90


def test_a_printer_s_colours_are_understood() -> None:
    assert decode(encoded(a_scene().convert("CMYK"))).page.media_type == "image/jpeg"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_kept(kind: str) -> None:
    first, *others = [Image.new("RGB", (60, 40), (n, 255 - n, 0)) for n in range(200)]
    raw = encoded(first, kind, save_all=True, append_images=others, duration=10)
    page = opened(decode(raw).page.content)
    assert getattr(page, "n_frames", 1) == 1
    pixel = page.convert("RGB").getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert pixel[1] > 240


GIF_SCRIPT = b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(document.cookie)"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 100,
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"8BPS\0\1" + b"\0" * 100,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"%PDF-1.7\n",
        b"PK\3\4" + b"\0" * 100,
        b"P6 9 9 255 " + b"\0" * 243,
        encoded(Image.new("RGB", (9, 9)), "BMP"),
        encoded(Image.new("RGB", (9, 9)), "TIFF"),
        encoded(Image.new("RGB", (9, 9)), "ICO", sizes=[(9, 9)]),
    ],
    ids=["empty", "zeros", "svg", "html", "psd", "eps", "pdf", "zip", "ppm", "bmp", "tiff", "ico"],
)
def test_anything_else_is_refused_by_its_kind(raw: bytes) -> None:
    with pytest.raises(PhotoKindUnknown) as refused:
        decode(raw)
    assert refused.value.field == "photo"


def test_a_script_that_opens_like_a_gif_is_refused() -> None:
    with pytest.raises((PhotoBroken, PhotoKindUnknown, PhotoTooManyPixels)):
        decode(GIF_SCRIPT)


def test_what_hides_behind_a_picture_is_dropped() -> None:
    hidden = b"<script>alert(1)</script>PK\3\4"
    for kind in ("JPEG", "PNG", "GIF", "WEBP"):
        for content in all_of(decode(encoded(a_scene(90, 60), kind) + hidden)):
            assert hidden not in content


@pytest.mark.parametrize(
    "raw",
    [
        a_png_that_claims(15_000, 15_000),
        a_png_that_claims(2**31 - 1, 2**31 - 1),
        a_png_that_claims(20_000, 1),
        encoded(Image.new("1", (9000, 9000)), "PNG"),
    ],
    ids=["225 Mpx", "2^62", "a line", "81 Mpx in 10 kB"],
)
def test_a_bomb_is_refused_before_it_is_loaded(raw: bytes) -> None:
    with pytest.raises(PhotoTooManyPixels):
        decode(raw)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_picture_that_is_cut_off_is_refused(kind: str) -> None:
    raw = encoded(a_scene(), kind)
    with pytest.raises((PhotoBroken, PhotoKindUnknown)):
        decode(raw[: len(raw) // 2])


def test_a_png_whose_pixels_are_not_there_is_refused() -> None:
    with pytest.raises(PhotoBroken):
        decode(a_png_that_claims(1000, 1000))


def test_more_than_the_limit_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_answer", lambda raw: pytest.fail("it was looked at"))
    with pytest.raises(PhotoTooLarge):
        decode(b"\xff\xd8\xff" + b"\0" * LARGEST)


def child(tmp_path: Path, script: str) -> str:
    """Write another child: one that a hostile picture has taken over."""
    path = tmp_path / "child.py"
    path.write_text(f"import sys\n{script}\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "script",
    [
        "sys.exit(1)",
        "import os; os.kill(os.getpid(), 9)",
        "print('no JSON')",
        "print('{}')",
        "print('[]')",
        'print(\'{"refused": "whatever"}\')',
        "print('{\"drawn\": []}')",
        "print('{\"drawn\": ' + str([['image/jpeg', 9, 9, 3]] * 6).replace(\"'\", '\"') + '}')",
        "print('{\"drawn\": ' + str([['text/html', 9, 9, 3]] * 6).replace(\"'\", '\"') + '}')",
        "print('{\"drawn\": ' + str([['image/jpeg', '9', 9, 3]] * 6).replace(\"'\", '\"') + '}')",
    ],
)
def test_a_child_that_says_something_else_is_not_believed(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_CHILD", child(tmp_path, script))
    with pytest.raises(PhotoBroken):
        decode(b"x")


def test_a_child_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "PATIENCE", 0.5)
    monkeypatch.setattr(decoding, "_CHILD", child(tmp_path, "import time; time.sleep(600)"))
    with pytest.raises(PhotoBroken):
        decode(b"x")


@pytest.mark.parametrize(
    "deed",
    ["bytearray(400 << 20)", "open('/dev/shm/vestka-test', 'wb', 0).write(b'x')"],
    ids=["memory", "files"],
)
def test_the_child_s_limits_hold(deed: str) -> None:
    script = Path(decoding._CHILD).parent
    code = f"import sys; sys.path.insert(0, {str(script)!r}); import reencoding as r; r.limit(); "
    ran = subprocess.run([sys.executable, "-c", code + deed], capture_output=True, check=False)
    assert ran.returncode != 0
    ran = subprocess.run([sys.executable, "-c", code + "1"], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_the_child_knows_nothing_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VESTKA_SECRET", "x")
    told: dict[str, object] = {}
    run = subprocess.run

    def watched(*arguments: object, **more: object) -> object:
        told.update(more)
        return run(*arguments, **more)  # type: ignore[call-overload] # as it was called

    monkeypatch.setattr("app.issues.decoding.subprocess.run", watched)
    decode(a_photo(90, 60))
    assert told["env"] == {}
