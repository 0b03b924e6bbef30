"""A message is taken apart as a tolerant reader would, and never beyond its bounds."""

from app.mail.reports.parts import DEEPEST, read_parts

NESTED = b"""\
From a@example.org Tue Nov 10 07:00:00 2026
Subject: x
Content-Type: multipart/mixed; boundary="o u t"

preamble
--o u t
Content-Type: Text/Plain; charset="koi8-r"
Content-Transfer-Encoding: BASE64

8NLJ18XU
--o u t
Content-Type: message/rfc822

Subject: inner
Content-Type: text/plain

secret words
--o u t--
epilogue
"""


def test_parts_and_their_texts_are_found() -> None:
    root = read_parts(NESTED)
    assert root.headers.first("subject") == "x"
    assert [part.type for part in root.walk()] == [
        *("multipart/mixed", "text/plain", "message/rfc822"),
    ]
    plain, message = root.parts
    assert plain.text.strip() == "Привет"
    assert message.encloses
    assert message.parts[0].headers.first("subject") == "inner"


def test_a_missing_boundary_is_guessed() -> None:
    message = b"Content-Type: multipart/report\n\n--b\n\nhello\n--b\n\nworld\n--b--\n"
    assert [part.text.strip() for part in read_parts(message).parts] == ["hello", "world"]


def test_a_part_without_type_is_text() -> None:
    message = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n"
    assert [part.type for part in read_parts(message).parts] == ["text/plain"]


def test_the_depth_is_bounded() -> None:
    part, depth = read_parts(b"Content-Type: message/rfc822\n\n" * 50), 0
    while part.parts:
        part, depth = part.parts[0], depth + 1
    assert depth == DEEPEST


def test_a_header_without_an_end_has_no_body() -> None:
    root = read_parts(b"Subject: x\nnot a field\nbody")
    assert root.headers.first("subject") == "x"
    assert root.body == "not a field\nbody"
