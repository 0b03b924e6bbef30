"""Pictures travel inside the message, as parsers that are not ours read it (RFC 2387, 2392)."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.message.compiler import compile_message, marker
from app.mail.message.inline_images import LARGEST_ALL, Picture, PictureUnsafe, part, travelling
from app.mail.message.self_check import check_message

TOKEN = marker("unsubscribe", 40)
URL = f"https://news.example.org/unsubscribe/{TOKEN}"
HEADERS = [
    ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
    ("From", "news@example.org"),
    ("To", "ann@example.org"),
    ("Subject", "Weekly"),
    ("Message-ID", "<1@example.org>"),
    ("List-Id", "<en.example.org>"),
    ("List-Unsubscribe", f"<{URL}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
]
JPEG = Picture("a1@photo", "image/jpeg", b"\xff\xd8\xff" + bytes(range(256)) * 4)
PNG = Picture("b2@photo", "image/png", b"\x89PNG" + TOKEN.encode() + b"\r\n.\r\n")


def message(*related: Picture, shown: tuple[Picture, ...] | None = None) -> bytes:
    pictures = related if shown is None else shown
    images = "".join(f'<img src="cid:{each.content_id}" alt="">' for each in pictures)
    html = f'<p>{images}<a href="{URL}">out</a></p>'
    template = compile_message(HEADERS, f"Text\n{URL}\n", html, "en", related=related)
    return template.fill({"unsubscribe": "A" * 40})


def parts(raw: bytes) -> list[EmailMessage]:
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return list(parsed.walk())


def test_the_html_and_its_pictures_are_one_alternative() -> None:
    raw = message(JPEG, PNG)
    kinds = [each.get_content_type() for each in parts(raw)]
    assert kinds == [
        *("multipart/alternative", "text/plain", "multipart/related"),
        *("text/html", "image/jpeg", "image/png"),
    ]
    _, _, related, html, jpeg, png = parts(raw)
    assert related.get_param("type") == "text/html"
    assert "cid:a1@photo" in html.get_content()
    assert jpeg["Content-ID"] == "<a1@photo>"
    assert (jpeg.get_content_disposition(), jpeg.get_filename()) == ("inline", "photo-1.jpg")
    assert png.get_filename() == "photo-2.png"
    assert jpeg.get_content() == JPEG.content
    assert check_message(raw) == ()


def test_what_looks_like_a_slot_in_a_picture_is_left_alone() -> None:
    *_, png = parts(message(PNG))
    assert png.get_content() == PNG.content


def test_a_message_without_pictures_is_as_it_was() -> None:
    assert b"related" not in message()
    assert message() == message(shown=())


def test_lines_are_short_and_the_message_is_7_bit() -> None:
    raw = message(JPEG)
    assert raw.isascii()
    assert max(map(len, raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    assert b"\r\n." not in raw


@given(st.binary(min_size=1, max_size=2000))
def test_the_size_on_the_way_is_known_before(content: bytes) -> None:
    whole = part(Picture("a@photo", "image/jpeg", content), 1)
    assert len(whole.partition(b"\r\n\r\n")[2]) == travelling(len(content))


@pytest.mark.parametrize(
    "unsafe",
    [
        replace(JPEG, media_type="image/svg+xml"),
        replace(JPEG, media_type="image/png\r\nX: y"),
        replace(JPEG, content_id="a@photo>\r\nX: y"),
        replace(JPEG, content_id=""),
        replace(JPEG, content_id="ў@photo"),
    ],
)
def test_a_picture_cannot_open_a_header(unsafe: Picture) -> None:
    with pytest.raises(PictureUnsafe):
        message(unsafe, shown=())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (message(JPEG, shown=()), "not those that the HTML shows"),
        (message(shown=(JPEG,)), "not those that the HTML shows"),
        (message(JPEG, JPEG), "not those that the HTML shows"),
        (message(replace(JPEG, content=b"x" * LARGEST_ALL)), "more than 300000 bytes"),
        (message(JPEG).replace(b"Disposition: inline", b"Disposition: attachment"), "not inline"),
        (message(JPEG).replace(b"image/jpeg", b"image/tiff"), "of no kind"),
        (message(JPEG).replace(b'; type="text/html"', b""), "type of its root"),
        (message(JPEG).replace(b"text/html;", b"text/xml;"), "not text/plain, then text/html"),
    ],
)
def test_the_self_check_sees_what_is_wrong(raw: bytes, said: str) -> None:
    assert any(said in fault for fault in check_message(raw))


def test_as_much_as_is_allowed_passes_the_self_check() -> None:
    content = b"x" * (LARGEST_ALL // 78 * 57)
    assert travelling(len(content)) <= LARGEST_ALL
    assert check_message(message(replace(JPEG, content=content))) == ()
