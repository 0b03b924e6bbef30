"""Messages as a relay receives them: sent over SMTP, then read and verified by others' code alone.

Five hundred subjects that mix scripts, quotes, dashes and emoji; public URLs of every length from
12 to 200 characters; and the sample issue in its three editions.
"""

import random
import re
import shutil
import subprocess
from base64 import b64decode
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses, parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path

import dkim
import pytest
from dkim.util import parse_tag_value

from app.deliveries.compose.message_headers import compile_issue
from app.demo.issue import sample_issue
from app.editions.rendering import render
from app.issues.content import IssueContent
from app.issues.week import Week
from app.mail.message.compiler import marker
from app.mail.message.templates import Rendered
from app.mail.smtp.envelope import Envelope
from app.newsletter import Segment
from app.settings import Settings
from app.tokens import LinkTokens
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

COUNT = 500
WEEK = Week.parse("2025-W04")
LINKS = LinkTokens({1: bytes(range(64))}, 1)
EDITIONS = [(segment, each) for segment in NEWSLETTER.segments for each in segment.languages]
WORDS = [
    *("News", "week", "“The”", "'s", "don't", "BE/RU", "a,b;c", "(x)", '"said"', "=?utf-8?q?x?="),
    *("=", "?=", "_", "Навіны", "тыдня", "«Сітуацыя»", "— і", "…", "лучше", "об’езд", "Ў", "ґ"),
    *(
        "🇧🇾",
        "👩‍👩‍👧",
        "📈",
        "2025–2026",
        "naïve",
        "Łódź",
        "Donaudampfschifffahrt" * 4,
        "электра" * 9,
    ),
]
BODIES = {
    "en": "“Prices” rose — again.\n.\n.hidden\n\nFrom here on: a=b, 100 %.  \n",
    "be": "Цэны зноў выраслі — «кошык» даражэе.\n.\n",
    "ru": "Цены снова выросли — «корзина» дорожает.\n",
}
ONCE = (
    *("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"),
    *("Content-Language", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("Auto-Submitted", "Precedence", "Feedback-ID"),
)
SIGNED = {
    *("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "list-id"),
    *("list-unsubscribe", "list-unsubscribe-post", "feedback-id"),
}


def a_url(length: int) -> str:
    """An https address of this length."""
    room = length - len("https://")
    host = f"{'a' * (room - 3)}.by" if room <= 60 else f"news.example.org/{'p' * (room - 17)}"
    return f"https://{host}"


def composed(
    number: int, rendered: Rendered, segment: Segment, language: str, public_url: str
) -> Message:
    """Compile, fill and sign a message to reader `number`."""
    link_id = number.to_bytes(8, "big")
    token = LINKS.unsubscribe(link_id, WEEK.number, segment.id)
    template = compile_issue(a_post(public_url), rendered, segment, language, str(WEEK))
    filled = template.bind(
        {
            "to": f"reader{number}@example.com",
            "date": DATE,
            "message-id": f"{number:032x}@lists.example.org",
            "unsubscribe": token,
        }
    )
    return_path = f"{LINKS.return_path(link_id, WEEK.number, segment.id)}@back.example.org"
    envelope = Envelope(return_path, f"reader{number}@example.com", signed(filled))
    link = f"{public_url}/unsubscribe/{token}"
    return Message(rendered, segment.id, language, link, envelope)


def generated(number: int, dice: random.Random) -> Message:
    """A small message with a subject as odd as they come."""
    segment, language = EDITIONS[number % len(EDITIONS)]
    url = a_url(12 + number % 189)
    subject = " ".join(dice.choices(WORDS, k=dice.randint(1, 25)))
    link = f"{url}/unsubscribe/{marker('unsubscribe', 40)}"
    text = f"{BODIES[language] * dice.randint(1, 9)}\n{link}\n"
    html = f'<p>{BODIES[language]}</p>\n<a href="{link}">{language}</a>\n'
    return composed(number, Rendered(subject, html, text), segment, language, url)


def sample(number: int) -> Message:
    """The sample issue in one of its editions."""
    segment, language = EDITIONS[number % len(EDITIONS)]
    url = "https://news.example.org"
    content = IssueContent.model_validate(sample_issue(str(WEEK)))
    rendered = render(content, segment, language, NEWSLETTER, url)
    return composed(COUNT + number, rendered, segment, language, url)


@pytest.fixture(scope="module")
def received() -> list[Message]:
    dice = random.Random(20250120)
    messages = [generated(number, dice) for number in range(COUNT)]
    messages += [sample(number) for number in range(len(EDITIONS))]
    deliver(messages)
    return messages


@pytest.mark.parametrize("length", [12, 13, 68, 69, 100, 200])
def test_the_addresses_tried_are_those_that_may_be_configured(length: int) -> None:
    assert len(a_url(length)) == length
    assert Settings({"VESTKA_PUBLIC_URL": a_url(length)}).public_url == a_url(length)


def test_the_relay_got_the_bytes_that_were_signed(received: list[Message]) -> None:
    """A4: nothing serialises a message again after it was signed."""
    for message in received:
        assert message.raw == bytes(message.envelope.message)


def test_the_envelope_is_the_reader_s_own(received: list[Message]) -> None:
    """E1, E6, E7: short return paths, none like another, and none is the sender of the message."""
    for message in received:
        local, _, domain = message.sender.partition("@")
        assert re.fullmatch(r"[a-z0-9-]{1,64}", local)
        assert domain == "back.example.org"
        assert message.recipients == (message.message["To"],)
    assert len({message.sender for message in received}) == len(received)


def test_lines(received: list[Message]) -> None:
    """M1, M2, M11: 7-bit, CRLF alone, at most 998 octets; 76 wherever something is encoded."""
    for message in received:
        assert re.fullmatch(rb"(?:[\t -~]{0,998}\r\n)+", message.raw)
        body = message.raw.partition(b"\r\n\r\n")[2]
        assert max(map(len, body.split(b"\r\n"))) <= 76
        for line in message.head.split(b"\r\n"):
            assert len(line) <= 76 or b"=?" not in line
            assert len(line) <= 78 or line.startswith(b"List-Unsubscribe: "), "SHOULD of RFC 5322"


def test_each_header_is_there_once_and_no_other(received: list[Message]) -> None:
    """M3."""
    for message in received:
        names = [name.lower() for name in message.message.keys()]  # noqa: SIM118 - repeats count
        expected = [*(name.lower() for name in ONCE), *["dkim-signature"] * len(KEYS)]
        assert sorted(names) == sorted(expected)


def test_what_the_headers_say(received: list[Message]) -> None:
    """M4, M5, M9, L8, L10, L11."""
    for message in received:
        parsed = message.message
        assert re.fullmatch(rb"Message-ID: <[a-z0-9]+@[a-z.]+>\r\n", message.field("Message-ID"))
        assert len(str(parsed["Message-ID"])) < 78
        assert len(getaddresses([str(parsed["To"])])) == 1
        assert parsedate_to_datetime(str(parsed["Date"])).timestamp() == AT
        assert parsed["Content-Language"] == message.language
        assert parsed["List-Id"] == f"<{message.segment}.lists.example.org>"
        assert parsed["Auto-Submitted"] == "auto-generated"
        assert parsed["Precedence"] == "bulk"
        *_, constant = str(parsed["Feedback-ID"]).split(":")
        assert len(constant) >= 5
        assert "reader" not in str(parsed["Feedback-ID"]) + str(parsed["Message-ID"])
    assert len({message.message["Message-ID"] for message in received}) == len(received)


def test_encoded_words(received: list[Message]) -> None:
    """M2, M6: at most 75, none adjoining another, none cut inside a character, none elsewhere."""
    seen = 0
    for message in received:
        for name in ONCE:
            field = message.field(name)
            if name not in ("Subject", "From"):
                assert b"=?" not in field
                continue
            assert b"?==?" not in field
            for word in re.findall(rb"(?<=[ \r\n])=\?utf-8\?[bq]\?[^? ]*\?=(?=[ \r])", field):
                seen += 1
                assert len(word) <= 75
                ((decoded, charset),) = decode_header(word.decode())
                assert isinstance(decoded, bytes)
                assert charset == "utf-8"
                decoded.decode("utf-8")
    assert seen > COUNT


def test_subjects_and_names_are_read_as_they_were_written(received: list[Message]) -> None:
    """M10, by both parsers of the standard library."""
    for message in received:
        subject = message.rendered.subject
        old = message_from_bytes(message.raw, policy=policy.compat32)
        assert str(make_header(decode_header(str(old["Subject"])))) == subject
        assert message.message["Subject"] == subject
        (sender,) = message.message["From"].addresses
        assert (sender.display_name, sender.addr_spec) == (
            NEWSLETTER.name[message.language],
            "news@example.org",
        )
    assert any(len(message.rendered.subject) > 200 for message in received)


class Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.seen.append(dict(attrs)["href"])


def test_both_parts_are_whole(received: list[Message]) -> None:
    """M7, M8, M12, L12: text, then HTML; as they were rendered; each with the link to leave."""
    for message in received:
        boundary = message.message.get_boundary() or ""
        assert 0 < len(boundary) <= 70
        assert message.raw.count(boundary.encode()) == 4
        assert message.message.get_content_type() == "multipart/alternative"
        text, html = message.parts()
        token = message.link.rpartition("/")[2]
        for part, subtype, meant in (
            (text, "plain", message.rendered.text),
            (html, "html", message.rendered.html),
        ):
            assert not part.defects
            assert part.get_content_type() == f"text/{subtype}"
            assert part.get_content_charset() == "utf-8"
            whole = meant.replace(marker("unsubscribe", 40), token)
            assert part.get_content().splitlines() == whole.splitlines()
            assert part["Content-Transfer-Encoding"] in {"quoted-printable", "base64"}
            assert len(str(part.get_payload())) < 95_000
        assert message.link in text.get_content().splitlines()
        for line in text.get_content().splitlines():
            assert "https://" not in line or re.fullmatch(r"https://\S+", line), "M9"
        assert Links(html.get_content()).seen.count(message.link) == 1
    for message in received[COUNT:]:
        coding = "quoted-printable" if message.language == "en" else "base64"
        assert {part["Content-Transfer-Encoding"] for part in message.parts()} == {coding}


def test_one_click(received: list[Message]) -> None:
    """L1, L2: one literal URI on one line, whatever its length; the very words of RFC 8058."""
    for message in received:
        assert (
            message.field("List-Unsubscribe") == f"List-Unsubscribe: <{message.link}>\r\n".encode()
        )
        said = message.field("List-Unsubscribe-Post")
        assert said == b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    lengths = {len(message.link) for message in received}
    assert lengths >= {length + len("/unsubscribe/") + 40 for length in range(12, 201)}


def test_what_is_signed(received: list[Message]) -> None:
    """A2, A3, L3: in every signature."""
    for message in received:
        signatures = [str(each) for each in message.message.get_all("DKIM-Signature", [])]
        tags = [parse_tag_value(each.encode()) for each in signatures]
        assert [each[b"a"] for each in tags] == [b"rsa-sha256", b"ed25519-sha256"]
        for each in tags:
            assert each[b"c"] == b"relaxed/relaxed"
            assert each[b"d"] == b"example.org"
            assert b"l" not in each
            names = [name.strip().decode() for name in each[b"h"].split(b":")]
            assert set(names) >= SIGNED
            assert not {"return-path", "received", "bcc"} & set(names)
            assert all(names.count(name) == 2 for name in ("from", "to", "subject", "date"))
            assert len(b64decode(each[b"bh"])) == 32


@pytest.mark.parametrize("index", [0, 1], ids=["rsa", "ed25519"])
def test_signatures_verify(received: list[Message], index: int) -> None:
    for message in received:
        assert dkim.DKIM(message.raw).verify(idx=index, dnsfunc=dkim_record)
    changed = received[0].raw.replace(b"One-Click", b"One-Clack")
    assert not dkim.DKIM(changed).verify(idx=index, dnsfunc=dkim_record)


def test_opendkim_verifies_them(received: list[Message], tmp_path: Path) -> None:
    """What many mailboxes use; it knows RSA alone."""
    opendkim = shutil.which("opendkim")
    if opendkim is None:
        pytest.skip("NO OPENDKIM: it is not on PATH")
    records = "".join(f"{key.record_name} {key.record}\n" for key in KEYS.values())
    (tmp_path / "keys").write_text(records, encoding="ascii")
    (tmp_path / "conf").write_text("Mode v\nTestDNSData file:keys\n", encoding="ascii")
    for number, message in enumerate(received):
        (tmp_path / f"{number}.eml").write_bytes(message.raw)
    names = ",".join(path.name for path in tmp_path.glob("*.eml"))
    command = [opendkim, "-x", "conf", "-t", names]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = (ran.stdout + ran.stderr).splitlines()
    assert len([line for line in said if "s=a1" in line and "succeeded" in line]) == len(received)
