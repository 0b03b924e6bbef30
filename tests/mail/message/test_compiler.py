"""A filled message reads back as what was rendered, with each reader's values in their places."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import DomainError
from app.mail.dkim.signature import is_relaxed
from app.mail.message.compiler import HeaderTwice, MessageTemplate, compile_message, marker
from app.mail.message.headers import HeaderUnsafe
from app.mail.message.placeholders import (
    PlaceholderMisplaced,
    PlaceholderUnfilled,
    PlaceholderValueUnsafe,
)
from app.mail.smtp.envelope import on_the_wire

TOKEN, LONG = marker("unsubscribe", 40), marker("confirm", 90)
HEADERS = (
    ("Date", marker("date", 40)),
    ("From", "Беларусь сцісла <news@example.org>"),
    ("To", marker("to", 254)),
    ("Subject", "Навіны: January 20 – 26, 2025"),
    ("Message-ID", f"<{marker('message-id', 100)}>"),
    ("List-Unsubscribe", f"<https://news.example.org/unsubscribe/{TOKEN}>"),
)
VALUES = {
    "date": "Tue, 21 Jan 2025 09:00:00 +0200",
    "to": "ann@example.org",
    "message-id": "3f2a.9c@example.org",
    "unsubscribe": "tZ9_-" * 8,
    "confirm": "cA0_-" * 18,
}

TOKENS = st.text("abcXYZ019_-", min_size=40, max_size=40)
LONG_TOKENS = st.text("abcXYZ019_-", min_size=90, max_size=90)
TEXTS = st.lists(
    st.sampled_from([TOKEN, LONG, TOKEN + TOKEN, TOKEN + "." + LONG, "\n", "\n.", " ", "a", "Ў"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
    | st.integers(1, 90).map(lambda n: "Ў" * n)
    | st.integers(1, 90).map(lambda n: "w" * n),
    max_size=25,
).map("".join)


def a_message(
    text: str = f"Bye: {TOKEN}\n", html: str | None = f"<p>{TOKEN}</p>"
) -> MessageTemplate:
    return compile_message(HEADERS, text, html, "be")


def lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def parts(raw: bytes, reading: policy.Policy) -> list[str]:
    message = message_from_bytes(raw, policy=reading)
    assert not message.defects
    payloads = [part.get_payload(decode=True) for part in message.get_payload()]  # type: ignore[union-attr]
    return [payload.decode() for payload in payloads if isinstance(payload, bytes)]


@given(text=TEXTS, html=TEXTS, token=TOKENS, long=LONG_TOKENS)
def test_parsers_read_back_what_was_rendered(text: str, html: str, token: str, long: str) -> None:
    raw = a_message(text, html).fill(VALUES | {"unsubscribe": token, "confirm": long})
    expected = [lines(t.replace(TOKEN, token).replace(LONG, long)) for t in (text, html)]
    for reading in (policy.default, policy.compat32):
        assert [lines(part) for part in parts(raw, reading)] == expected


@given(text=TEXTS, html=TEXTS, token=TOKENS, long=LONG_TOKENS)
def test_the_bytes_are_fit_for_the_wire(text: str, html: str, token: str, long: str) -> None:
    template = a_message(text, html)
    raw = template.fill(VALUES | {"unsubscribe": token, "confirm": long})
    assert re.fullmatch(rb"(?:[\t -~]{0,998}\r\n)*", raw)
    assert not any(line.startswith(b".") for line in raw.split(b"\r\n"))
    _, body = template.head_and_body(VALUES | {"unsubscribe": token, "confirm": long})
    _, other = template.head_and_body(VALUES)
    assert [len(line) for line in body.split(b"\r\n")] == [len(ln) for ln in other.split(b"\r\n")]
    assert is_relaxed(body) == template.body_is_relaxed


@given(text=TEXTS, token=TOKENS, long=LONG_TOKENS)
def test_filling_later_equals_filling_first(text: str, token: str, long: str) -> None:
    values = VALUES | {"unsubscribe": token, "confirm": long}
    first = text.replace(TOKEN, token).replace(LONG, long)
    later, sooner = a_message(text, text).fill(values), a_message(first, first).fill(values)
    assert parts(later, policy.default) == parts(sooner, policy.default)


def test_headers_are_filled_and_in_the_order_given() -> None:
    message = message_from_bytes(a_message().fill(VALUES), policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.keys() == [name for name, _ in HEADERS] + [
        "MIME-Version",
        "Content-Language",
        "Content-Type",
    ]
    assert message["To"] == "ann@example.org"
    assert message["From"] == "Беларусь сцісла <news@example.org>"
    assert message["Message-ID"] == "<3f2a.9c@example.org>"
    assert message["Date"] == "Tue, 21 Jan 2025 09:00:00 +0200"
    assert message["Content-Language"] == "be"
    unsubscribe = f"List-Unsubscribe: <https://news.example.org/unsubscribe/{'tZ9_-' * 8}>\r\n"
    assert unsubscribe.encode() in a_message().fill(VALUES)


def test_the_text_comes_before_the_html() -> None:
    message = message_from_bytes(a_message().fill(VALUES), policy=policy.default)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_a_message_without_html_is_one_part() -> None:
    raw = a_message("Трывога\n", None).fill(VALUES)
    message = message_from_bytes(raw, policy=policy.default)
    assert message.get_content_type() == "text/plain"
    assert isinstance(message, EmailMessage)
    assert message.get_content() == "Трывога\r\n"


def test_equal_messages_are_equal_bytes_and_different_ones_have_other_boundaries() -> None:
    assert a_message("a", "b").fill(VALUES) == a_message("a", "b").fill(VALUES)
    boundaries = {
        re.search(rb"boundary=.*", a_message(*texts).fill(VALUES))[0]  # type: ignore[index]
        for texts in (("a", "b"), ("ab", ""), ("", "ab"))
    }
    assert len(boundaries) == 3


def test_head_and_body_are_the_message_in_two() -> None:
    head, body = a_message().head_and_body(VALUES)
    assert head + body == a_message().fill(VALUES)
    assert head.endswith(b"\r\n\r\n")
    assert head.count(b"\r\n\r\n") == 1


def test_two_readers_do_not_see_each_other() -> None:
    template = a_message()
    ann = template.fill(VALUES)
    bob = template.fill(VALUES | {"to": "bob@example.org", "unsubscribe": "B" * 40})
    assert template.fill(VALUES) == ann
    assert b"ann@" not in bob
    assert VALUES["unsubscribe"].encode() not in bob


def test_the_slots_say_what_a_message_wants() -> None:
    assert a_message().slots == {"date": 40, "to": 254, "message-id": 100, "unsubscribe": 40}


@pytest.mark.parametrize("missing", ["date", "to", "message-id", "unsubscribe"])
def test_a_slot_without_a_value_is_refused(missing: str) -> None:
    with pytest.raises(PlaceholderUnfilled):
        a_message().fill({name: value for name, value in VALUES.items() if name != missing})


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("to", "ann@example.org\r\nBcc: bob@example.org"),
        ("to", "ann@example.org, bob@example.org"),
        ("to", "a" * 250 + "@example.org"),
        ("date", "today"),
        ("message-id", "a@example.org>\r\nX: <b@example.org"),
        ("unsubscribe", "t" * 39),
        ("unsubscribe", "t" * 41),
        ("unsubscribe", "t" * 39 + "="),
        ("unsubscribe", "t" * 38 + "\r\n"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_not_repeated(slot: str, value: str) -> None:
    with pytest.raises(PlaceholderValueUnsafe) as refusal:
        a_message().fill(VALUES | {slot: value})
    assert value not in str(refusal.value)


@pytest.mark.parametrize(
    ("headers", "language", "refusal"),
    [
        ([("To", "a@example.org"), ("to", "b@example.org")], "en", HeaderTwice),
        ([("MIME-Version", "1.0")], "en", HeaderTwice),
        ([("Content-Type", "text/html")], "en", HeaderTwice),
        ([("Subject", "a\r\nBcc: b@example.org")], "en", HeaderUnsafe),
        ([], "en\r\nBcc: b@example.org", HeaderUnsafe),
        ([("To", marker("unsubscribe", 40))], "en", PlaceholderMisplaced),
        ([("X-Token", marker("unsubscribe", 41))], "en", PlaceholderMisplaced),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(
    headers: list[tuple[str, str]], language: str, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        compile_message(headers, TOKEN, TOKEN, language)


@given(
    address=st.from_regex(r"[a-z]{1,40}@[a-z]{1,20}\.org", fullmatch=True), cyrillic=st.booleans()
)
def test_a_bound_message_knows_its_length_before_it_is_written(
    address: str, *, cyrillic: bool
) -> None:
    link = f"https://news.example.org/unsubscribe/{marker('token', 40)}"
    text = f"{'Прывітанне' if cyrillic else 'Hello'}\n{link}\n"
    headers = [("To", marker("to", 254)), ("List-Unsubscribe", f"<{link}>"), ("Subject", "x")]
    template = compile_message(headers, text, f"<p>{text}</p>", "be")
    values = {"to": address, "token": "A" * 40}
    assert bytes(template.bind(values)) == template.fill(values)
    assert len(template.bind(values)) == len(template.fill(values))


def test_a_compiled_message_needs_no_dots_stuffed() -> None:
    text = ".\n.dot\n..\n" + "x" * 75 + "." * 80 + "\n"
    template = compile_message(
        [("From", "a@example.org"), ("Subject", ".")], text, f"<p>{text}</p>", "en"
    )
    bound = template.bind({})
    assert bound.on_the_wire() == on_the_wire(bytes(bound))
