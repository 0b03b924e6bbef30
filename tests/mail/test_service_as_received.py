"""Confirmation and service letters as a relay receives them, read by parsers that are not ours."""

import re
from datetime import date
from email.utils import parsedate_to_datetime

import dkim
import pytest

from app.deliveries.envelopes import compile_service
from app.mail.envelope import Envelope
from app.mail.templates import Rendered
from app.subscribers import letters
from tests.mail.received import (
    AT,
    DATE,
    KEYS,
    NEWSLETTER,
    Letter,
    a_post,
    deliver,
    dkim_record,
    signed,
)

URL = "https://news.example.org"
TOKEN = "Ab3_-" * 8 + "xyz"
NEVER = "n" * letters.NEVER_TOKEN
ONCE = (
    *("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"),
    *("Content-Language", "Auto-Submitted"),
)


def written(kind: str, language: str) -> Rendered:
    if kind == "confirm":
        expires = date(2025, 1, 24)
        return letters.confirmation(NEWSLETTER, ["en", "be-ru"], language, URL, expires)
    if kind == "manage":
        return letters.manage_link(NEWSLETTER, language, URL)
    return letters.already_subscribed(NEWSLETTER, language, URL)


def composed(number: int, kind: str, language: str) -> Letter:
    rendered = written(kind, language)
    recipient = f"reader{number}@example.com"
    values = {"to": recipient, "date": DATE, "message-id": f"{number:032x}@lists.example.org"}
    tokens = {"confirm": {"confirm": TOKEN, "never": NEVER}, "manage": {"manage": TOKEN}}
    filled = compile_service(a_post(URL), rendered, language).bind(values | tokens.get(kind, {}))
    envelope = Envelope(f"r{number}@back.example.org", recipient, signed(filled))
    link = f"{URL}/{kind}/{TOKEN}" if kind else f"{URL}/manage?language={language}"
    return Letter(rendered, "", language, link, envelope)


@pytest.fixture(scope="module")
def received() -> list[Letter]:
    kinds = [(kind, each) for kind in ("confirm", "manage", "") for each in NEWSLETTER.languages]
    composed_letters = [composed(number, *each) for number, each in enumerate(kinds)]
    deliver(composed_letters)
    return composed_letters


def test_lines(received: list[Letter]) -> None:
    """M1, M2, M11."""
    for letter in received:
        assert re.fullmatch(rb"(?:[\t -~]{0,998}\r\n)+", letter.raw)
        assert max(map(len, letter.raw.split(b"\r\n"))) <= 78


def test_each_header_is_there_once_and_no_other(received: list[Letter]) -> None:
    """M3, L10, L13: no header of a list, because nobody is on one yet."""
    for letter in received:
        names = sorted(name.lower() for name in letter.message.keys())  # noqa: SIM118 - repeats
        assert names == sorted([*(name.lower() for name in ONCE), *["dkim-signature"] * len(KEYS)])
        assert letter.message["Auto-Submitted"] == "auto-generated"
        assert letter.message["Content-Language"] == letter.language
        assert parsedate_to_datetime(str(letter.message["Date"])).timestamp() == AT
        assert letter.message["Subject"] == letter.rendered.subject


def test_the_envelope(received: list[Letter]) -> None:
    """E6, E8: bounces do not come back to whom the letter is from, and are never refused."""
    for letter in received:
        assert letter.sender.endswith("@back.example.org")
        assert letter.recipients == (letter.message["To"],)


def test_both_parts_have_the_link_and_no_other_of_the_reader_s(received: list[Letter]) -> None:
    """M7, M9."""
    for letter in received:
        text, html = (part.get_content() for part in letter.parts())
        assert letter.link in text.splitlines()
        assert f'href="{letter.link}"' in html
        for part in (text, html):
            own = set(re.findall(r"https://[^\s\"<]*/[A-Za-z0-9_-]{40,}", part))
            assert own <= {letter.link, f"{URL}/never/{NEVER}"}
        assert "http" not in "".join(
            line for line in text.splitlines() if not re.fullmatch(r"https://\S+", line)
        )
        assert not re.search(r"<(?:img|link|script|iframe|form)\b|url\(", html), (
            "nothing is fetched"
        )


@pytest.mark.parametrize("index", [0, 1], ids=["rsa", "ed25519"])
def test_signatures_verify(received: list[Letter], index: int) -> None:
    for letter in received:
        assert dkim.DKIM(letter.raw).verify(idx=index, dnsfunc=dkim_record)
