"""The self-check lets a right message pass and finds each thing that can be wrong with one."""

import pytest

from app.mail.message.compiler import compile_message
from app.mail.message.self_check import check_message

LINK = "https://news.example.org/unsubscribe/" + "t" * 40
SUBJECT = "Навіны: January 20 – 26, 2025"
TEXT = f"Прывітанне!\n\nАдпісацца:\n{LINK}\n" * 3
HTML = f'<p>Прывітанне! <a href="{LINK}">Адпісацца</a></p>\n' * 3
HEADERS = {
    "Date": "Tue, 21 Jan 2025 09:00:00 +0200",
    "From": "Беларусь сцісла <news@example.org>",
    "To": "ann@example.org",
    "Subject": SUBJECT,
    "Message-ID": "<3f2a.9c@lists.example.org>",
    "List-Id": "BE/RU <be-ru.lists.example.org>",
    "List-Unsubscribe": f"<{LINK}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Auto-Submitted": "auto-generated",
    "Feedback-ID": "2025-w04:be-ru:issue:vestka",
}


def a_message(text: str = TEXT, html: str | None = HTML, **headers: str | None) -> bytes:
    chosen = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    given = [(name, value) for name, value in chosen.items() if value is not None]
    return compile_message(given, text, html, "be").fill({})


def test_a_right_message_differs_in_nothing() -> None:
    assert check_message(a_message(), subject=SUBJECT, text=TEXT, html=HTML) == ()


def test_a_service_message_needs_no_list_headers() -> None:
    texts = "Confirm:\nhttps://x.example.org/\n", "<p>Confirm</p>"
    raw = a_message(*texts, List_Id=None, List_Unsubscribe=None, List_Unsubscribe_Post=None)
    assert check_message(raw, listed=False) == ()
    assert check_message(raw) != ()


@pytest.mark.parametrize("name", ["Date", "From", "To", "Subject", "Message-ID", "List-Id"])
def test_a_missing_header_is_found(name: str) -> None:
    raw = a_message(TEXT, HTML, **{name.replace("-", "_"): None})
    assert f"{name} is not there exactly once." in check_message(raw)


@pytest.mark.parametrize("name", ["Date", "To", "List-Unsubscribe", "Reply-To", "Precedence"])
def test_a_doubled_header_is_found(name: str) -> None:
    twice = f"{name}: bulk\r\n{name}: bulk\r\n".encode()
    found = [fault for fault in check_message(twice + a_message()) if fault.startswith(name)]
    assert found or f"{name.lower()} is there more than once." in check_message(twice + a_message())


@pytest.mark.parametrize(
    ("header", "value", "fault"),
    [
        ("List_Unsubscribe", LINK, "List-Unsubscribe is not one URI on one line."),
        (
            "List_Unsubscribe",
            f"<{LINK}>, <mailto:leave@example.org>",
            "List-Unsubscribe is not one URI on one line.",
        ),
        ("List_Unsubscribe", "<http://a.example.org/>", "List-Unsubscribe is not https."),
        ("List_Unsubscribe_Post", "Yes", "List-Unsubscribe-Post does not offer one click."),
        ("List_Id", "be-ru", "List-Id is malformed."),
        ("Message_ID", "3f2a@example.org", "Message-ID is malformed or too long."),
        ("Message_ID", f"<{'a' * 70}@example.org>", "Message-ID is malformed or too long."),
        ("Date", "yesterday", "Date is not a date with a time zone."),
        ("Subject", "", "Subject is empty."),
        ("X_Mailer", "Vestka", "There is a header that no message of ours carries."),
    ],
)
def test_a_wrong_header_is_found(header: str, value: str, fault: str) -> None:
    assert fault in check_message(a_message(**{header: value}))


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000"])
def test_a_loopback_host_needs_no_https(host: str) -> None:
    link = f"http://{host}/unsubscribe/t"
    raw = a_message(link, link, List_Unsubscribe=f"<{link}>")
    assert check_message(raw) == ()


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        (b"To: ann@", b"To: bob@example.org, ann@", "To is not one address."),
        (b"\r\nDate", b"\nDate", "A line ends with a bare CR or LF."),
        (b"ann@", "ў@".encode(), "The message is not 7-bit, or holds control characters."),
        (b"ann@", b"a" * 990 + b"@", "A line is longer than 998 octets."),
        (b"auto-generated", b"=?utf-8?q?a?=", "An encoded-word stands where none may."),
        (b"Subject: ", b"Subject: =?utf-8?q?" + b"a" * 70 + b"?= ", "An encoded-word is too long."),
        (b"Subject: ", b"Subject: =?utf-8?q?a?==?utf-8?q?b?=", "Two encoded-words adjoin."),
        (
            b"List-Unsubscribe: ",
            b"List-Unsubscribe:\r\n ",
            "List-Unsubscribe is not one URI on one line.",
        ),
        (b"multipart/alternative", b"multipart/mixed", "The message is not multipart/alternative."),
        (b"text/plain", b"text/html", "The parts are not text/plain, then text/html."),
        (b"charset=utf-8", b"charset=koi8-r", "text/plain: it is not UTF-8."),
        (
            b"Encoding: base64",
            b"Encoding: 8bit",
            "text/plain: it is neither base64 nor quoted-printable.",
        ),
    ],
)
def test_damage_on_the_way_is_found(was: bytes, becomes: bytes, fault: str) -> None:
    raw = b"Precedence: bulk\r\n" + a_message()
    assert was in raw
    assert fault in check_message(raw.replace(was, becomes, 1))


def test_a_part_without_the_unsubscribe_link_is_found() -> None:
    assert check_message(a_message(text="Прывітанне\n" * 9)) == (
        "text/plain: the unsubscribe link is missing.",
    )
    escaped = LINK + "?a=1&amp;b=2"
    raw = a_message(LINK + "?a=1&b=2", escaped, List_Unsubscribe=f"<{LINK}?a=1&b=2>")
    assert check_message(raw) == ()


def test_an_unfilled_slot_is_found() -> None:
    assert "A slot is not filled." in check_message(a_message(X_A="vestka-slot-"))
    assert "text/html: a slot is not filled." in check_message(
        a_message(html=HTML + "vestka-slot-")
    )


def test_html_that_mailboxes_cut_is_found() -> None:
    raw = a_message(html=HTML + "Ў" * 40_000)
    assert check_message(raw) == ("text/html: it is larger than 95000 bytes.",)


def test_another_text_than_was_written_is_found() -> None:
    assert check_message(a_message(), subject="b", text="b", html="b") == (
        "Subject is not read back as it was written.",
        "text/plain is not read back as it was written.",
        "text/html is not read back as it was written.",
    )


def test_a_text_alone_is_found() -> None:
    assert "The message is not multipart/alternative." in check_message(a_message(html=None))
