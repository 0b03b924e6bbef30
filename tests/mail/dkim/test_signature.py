"""Signatures, verified by a library that is not ours."""

import re

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from app.mail.dkim.signature import OVERSIGNED, DkimKey, relaxed_body, signatures
from app.mail.message.compiler import compile_message

RSA = DkimKey("example.org", "a1", generate_private_key(65537, 2048))
EDWARDS = DkimKey("example.org", "e1", Ed25519PrivateKey.generate())
AT = 1_767_225_600
HEADERS = [
    ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
    ("From", "Весткі <news@example.org>"),
    ("To", "ann@example.org"),
    ("Subject", "Тыдзень: “навіны”"),
    ("Message-ID", "<1@example.org>"),
    ("List-Id", "<en.example.org>"),
    ("List-Unsubscribe", f"<https://news.example.org/unsubscribe/{'A' * 40}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
]


def signed(text: str, html: str, key: DkimKey) -> bytes:
    head, body = compile_message(HEADERS, text, html, "be").head_and_body({})
    return signatures(head, body, [key], at=AT) + head + body


def verifies(message: bytes, key: DkimKey = RSA) -> bool:
    def record(name: bytes, timeout: int = 0) -> bytes:
        assert name.decode().rstrip(".") == key.record_name
        return key.record.encode()

    try:
        return bool(dkim.DKIM(message).verify(dnsfunc=record))
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize("key", [RSA, EDWARDS], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("text", ["Plain  words\twith blanks \n\n.\n", "Прывітанне\n\n\n", "\n"])
def test_a_signature_verifies(key: DkimKey, text: str) -> None:
    assert verifies(signed(text, f"<p>{text}</p>", key), key)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        (b"unsubscribe/A", b"unsubscribe/B"),
        (b"To: ann@", b"To: bob@"),
        (b"MIME-Version", b"Subject: another\r\nMIME-Version"),
        (b"MIME-Version", b"From: mallory@example.com\r\nMIME-Version"),
        (b"<p>", b"<b>"),
    ],
)
def test_whatever_is_changed_breaks_it(before: bytes, after: bytes) -> None:
    message = signed("text\n", "<p>html</p>", RSA)
    assert before in message
    assert not verifies(message.replace(before, after))


def test_a_message_may_carry_both() -> None:
    head, body = compile_message(HEADERS, "text", "<p>html</p>", "en").head_and_body({})
    both = signatures(head, body, [RSA, EDWARDS], at=AT)
    assert both.count(b"DKIM-Signature:") == 2
    for index, key in enumerate((RSA, EDWARDS)):
        one = dkim.DKIM(both + head + body)
        assert one.verify(idx=index, dnsfunc=lambda *_, key=key, **__: key.record.encode())


def test_its_lines_are_short_and_its_promises_kept() -> None:
    message = signed("text", "<p>html</p>", RSA)
    header = message[: message.index(b"\r\nDate:")].decode()
    assert max(map(len, header.split("\r\n"))) <= 78
    tags = dict(tag.strip().split("=", 1) for tag in re.sub(r"\r\n\s+", "", header[16:]).split(";"))
    names = tags["h"].split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post", "content-type", "to"} <= set(names)
    assert all(names.count(name) == 2 for name in OVERSIGNED)
    assert tags["a"] == "rsa-sha256"
    assert tags["c"] == "relaxed/relaxed"
    assert "l" not in tags


@given(
    st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"word", b"."]), max_size=30).map(
        b"".join
    )
)
def test_bodies_are_relaxed_as_the_other_library_does(body: bytes) -> None:
    assert relaxed_body(body) == dkim.canonicalization.Relaxed.canonicalize_body(body)
