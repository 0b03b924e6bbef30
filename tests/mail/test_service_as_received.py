"""Confirmation and service messages as a relay receives them, read by parsers that are not ours."""

import re
from datetime import date
from email.utils import parsedate_to_datetime

import dkim
import pytest

from app.deliveries.compose.message_headers import compile_service
from app.mail.message.templates import Rendered
from app.mail.smtp.envelope import Envelope
from app.subscribers import service_message_texts
from tests.mail.received import (
    AT,
    DATE,
    KEYS,
    NEWSLETTER,
    Message,
    a_post,
    deliver,
    dkim_record,
    signed,
)

URL = "https://news.example.org"
TOKEN = "Ab3_-" * 8 + "xyz"
NEVER = "n" * service_message_texts.NEVER_TOKEN
ONCE = (
    *("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"),
    *("Content-Language", "Auto-Submitted"),
)


def written(kind: str, language: str) -> Rendered:
    if kind == "confirm":
        expires = date(2025, 1, 24)
        return service_message_texts.confirmation(
            NEWSLETTER, ["en", "be-ru"], language, URL, expires
        )
    if kind == "manage":
        return service_message_texts.manage_link(NEWSLETTER, language, URL)
    return service_message_texts.already_subscribed(NEWSLETTER, language, URL)


def composed(number: int, kind: str, language: str) -> Message:
    rendered = written(kind, language)
    recipient = f"reader{number}@example.com"
    values = {"to": recipient, "date": DATE, "message-id": f"{number:032x}@lists.example.org"}
    tokens = {"confirm": {"confirm": TOKEN, "never": NEVER}, "manage": {"manage": TOKEN}}
    filled = compile_service(a_post(URL), rendered, language).bind(values | tokens.get(kind, {}))
    envelope = Envelope(f"r{number}@back.example.org", recipient, signed(filled))
    link = f"{URL}/{kind}/{TOKEN}" if kind else f"{URL}/manage?language={language}"
    return Message(rendered, "", language, link, envelope)


@pytest.fixture(scope="module")
def received() -> list[Message]:
    kinds = [(kind, each) for kind in ("confirm", "manage", "") for each in NEWSLETTER.languages]
    composed_messages = [composed(number, *each) for number, each in enumerate(kinds)]
    deliver(composed_messages)
    return composed_messages


def test_lines(received: list[Message]) -> None:
    """M1, M2, M11."""
    for message in received:
        assert re.fullmatch(rb"(?:[\t -~]{0,998}\r\n)+", message.raw)
        assert max(map(len, message.raw.split(b"\r\n"))) <= 78


def test_each_header_is_there_once_and_no_other(received: list[Message]) -> None:
    """M3, L10, L13: no header of a list, because nobody is on one yet."""
    for message in received:
        names = sorted(name.lower() for name in message.message.keys())  # noqa: SIM118 - repeats
        assert names == sorted([*(name.lower() for name in ONCE), *["dkim-signature"] * len(KEYS)])
        assert message.message["Auto-Submitted"] == "auto-generated"
        assert message.message["Content-Language"] == message.language
        assert parsedate_to_datetime(str(message.message["Date"])).timestamp() == AT
        assert message.message["Subject"] == message.rendered.subject


def test_the_envelope(received: list[Message]) -> None:
    """E6, E8: bounces do not come back to whom the message is from, and are never refused."""
    for message in received:
        assert message.sender.endswith("@back.example.org")
        assert message.recipients == (message.message["To"],)


def test_both_parts_have_the_link_and_no_other_of_the_reader_s(received: list[Message]) -> None:
    """M7, M9."""
    for message in received:
        text, html = (part.get_content() for part in message.parts())
        assert message.link in text.splitlines()
        assert f'href="{message.link}"' in html
        for part in (text, html):
            own = set(re.findall(r"https://[^\s\"<]*/[A-Za-z0-9_-]{40,}", part))
            assert own <= {message.link, f"{URL}/never/{NEVER}"}
        assert "http" not in "".join(
            line for line in text.splitlines() if not re.fullmatch(r"https://\S+", line)
        )
        assert not re.search(r"<(?:img|link|script|iframe|form)\b|url\(", html), (
            "nothing is fetched"
        )


@pytest.mark.parametrize("index", [0, 1], ids=["rsa", "ed25519"])
def test_signatures_verify(received: list[Message], index: int) -> None:
    for message in received:
        assert dkim.DKIM(message.raw).verify(idx=index, dnsfunc=dkim_record)
