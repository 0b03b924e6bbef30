"""Broken, huge and hostile messages have an answer, too, and soon."""

import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mail.classification import Class
from app.mail.reports import Report, read_report
from app.mail.reports.parts import LARGEST, read_parts

MESSAGES = [path.read_bytes() for path in Path(__file__).with_name("messages").rglob("*.eml")]
PIECES = [b"\n", b"\r", b"--", b"=", b":", b";", b"@", b"<", b">", b"\0", b"\xff", b"=?", b"?="]
PIECES += [b"--=_b1.4F1--", b"Content-Type: message/rfc822\n\n", b"550 5.1.1 ", b"a@b.c", b"&#0;"]

REPORT = b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: text/plain\n\n%s\n--b\n"
HUGE = {
    "one line": b"a" * LARGEST,
    "at signs": b"a@" * (LARGEST // 2),
    "colons": b"a: b\n" * (LARGEST // 5),
    "folded": b"Subject: x\n" + b" y\n" * (LARGEST // 3),
    "encoded words": b"Subject: " + b"=?utf-8?b?YQ==?= " * 5_000 + b"\n\nx",
    "unfinished words": b"Subject: " + b"=?utf-8?q?a" * 5_000 + b"\n\nx",
    "deep messages": b"Content-Type: message/rfc822\n\n" * 30_000,
    "deep multiparts": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 20_000,
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "markup": b"Content-Type: text/html\n\n" + b"<style" * 150_000,
    "parameters": b"Content-Type: text/plain" + b"; a=b" * 150_000 + b"\n\nx",
    "base64": b"Content-Transfer-Encoding: base64\n\n" + b"YQ==\n" * 150_000,
    "recipients": REPORT % b"\n".join(b"<a%d@example.com>: no" % n for n in range(30_000)),
    "groups": b"Content-Type: message/delivery-status\n\n"
    + b"Final-Recipient: rfc822; a@example.com\nAction: failed\n\n" * 15_000,
    "codes": b"From: mailer-daemon\n\n" + b"550 5.1.1 " * 90_000,
    "quotes": b'From: mailer-daemon\n\n"' + b'a"@' * 300_000,
    "backslashes": b"From: mailer-daemon\n\n" + b"\\320\\235" * 120_000,
}


@pytest.mark.parametrize("message", HUGE.values(), ids=HUGE.keys())
def test_a_hostile_message_costs_little(message: bytes) -> None:
    """A pattern that goes back would need hours; so would a parser that looks twice."""
    started = time.process_time()
    assert isinstance(read_report(message), Report)
    assert time.process_time() - started < 5


def test_what_lies_beyond_a_megabyte_is_not_read() -> None:
    late = b"x\n" * (LARGEST // 2) + b"\n550 5.1.1 User unknown"
    assert read_report(late) == read_report(late[:LARGEST])


@settings(max_examples=30)
@given(st.randoms(use_true_random=False))
def test_a_damaged_message_has_an_answer(random: Random) -> None:
    for message in random.sample(MESSAGES, 5):
        assert read_report(damaged(message, random)).class_ in Class


def damaged(message: bytes, random: Random) -> bytes:
    """Cut, repeat, swap and spoil a message in some places."""
    spoilt = bytearray(message)
    for _ in range(random.randrange(1, 8)):
        start = random.randrange(len(spoilt) + 1)
        end = min(len(spoilt), start + random.randrange(200))
        change = random.choice([b"", bytes(spoilt[start:end]) * 2, random.choice(PIECES)])
        spoilt[start:end] = change
    return bytes(spoilt)


def test_parts_are_bounded() -> None:
    for message in HUGE.values():
        assert len(list(read_parts(message).walk())) <= 60


@pytest.mark.parametrize(
    "charset",
    ["utf-7", "idna", "punycode", "rot13", "zip", "hex", "utf-16", "no-such", "undefined", ""],
)
def test_any_charset_has_a_text(charset: str) -> None:
    head = b'Content-Type: text/plain; charset="%s"\n\n' % charset.encode()
    for body in (b"+2AA-", b"\xff\xfe\x00", b"xn--", b"\xd0\x9d", b"plain"):
        assert read_report(head + body).text.isprintable()
