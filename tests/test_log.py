"""Log lines: nothing that looks like an address, a link's token or a key comes through."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from app.log import configure, get_logger, redact
from app.tokens import derive_token

ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"  # RFC 5322 §3.2.3
LOCALS = st.text(ATEXT, min_size=1, max_size=20).map(lambda text: f"seen{text}seen")
DOTTED = st.lists(LOCALS, min_size=1, max_size=3).map(".".join)
DOMAINS = st.sampled_from(["example.org", "mail.example.com", "пример.example", "xn--e1afmkfd.by"])
AROUND = st.sampled_from(
    [
        "{}",
        " {} ",
        "<{}>",
        "'{}'",
        '"{}"',
        "to=<{}>,",
        "({})",
        "[{}]",
        "a {}, b",
        "mailto:{}",
        "x={};",
    ]
)
TOKENS = st.binary(min_size=16, max_size=16).map(lambda nonce: derive_token(bytes(32), "x", nonce))


@pytest.fixture
def heard() -> Iterator[io.StringIO]:
    """What a process configured for JSON logs."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure("json", stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def lines(heard: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in heard.getvalue().splitlines()]


@given(DOTTED, DOMAINS, AROUND, st.sampled_from(["@", "%40"]))
def test_an_address_is_blotted(local: str, domain: str, around: str, at: str) -> None:
    address = f"{local}{at}{domain}"
    said = redact(around.format(address))
    assert "seen" not in said
    assert domain not in said
    assert "…@…" in said


@given(st.text(max_size=60), DOMAINS, st.text(max_size=60))
def test_no_address_comes_through_whatever_is_around(before: str, domain: str, after: str) -> None:
    said = redact(f"{before} reader@{domain} {after}")
    assert "reader@" not in said


@given(
    st.sampled_from(["confirm", "unsubscribe", "manage"]),
    TOKENS,
    st.sampled_from(["", "?language=be", "/", " HTTP/1.1", '"', "#x"]),
)
def test_a_link_s_token_is_blotted(page: str, token: str, after: str) -> None:
    said = redact(f"GET https://news.example.org/{page}/{token}{after}")
    assert token not in said
    assert f"/{page}/…" in said


@given(TOKENS)
def test_an_api_key_is_blotted(secret: str) -> None:
    said = redact(f"Authorization: Bearer vk_abcdefghij_{secret}")
    assert secret not in said


@given(st.text(st.characters(exclude_characters="@%/_"), max_size=80))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_events_and_values_are_blotted(heard: io.StringIO) -> None:
    get_logger("test").info("hello ann@example.org", to="ann@example.org", n=3, many=["ann@x.org"])
    (line,) = lines(heard)
    assert "ann" not in heard.getvalue()
    assert (line["n"], line["logger"], line["level"]) == (3, "test", "info")


def test_a_long_value_is_cut_and_no_address_in_two(heard: io.StringIO) -> None:
    get_logger("test").info("first", value="x " * 8_000 + "ann" * 20 + "@example.org")
    get_logger("test").info("second", value="x" * 99_000)
    assert all(len(str(line)) < 20_000 for line in lines(heard))
    assert "ann" not in heard.getvalue()


def fail() -> None:
    try:
        int("<ann@example.org>")
    except ValueError as first:
        raise RuntimeError("/confirm/sometoken of ann%40example.org") from first


def test_exceptions_are_blotted(heard: io.StringIO) -> None:
    try:
        fail()
    except RuntimeError:
        get_logger("test").exception("failed")
        logging.getLogger("some.library").exception("failed for ann@example.org")
    assert "ann@" not in heard.getvalue()
    assert "ann%" not in heard.getvalue()
    assert "sometoken" not in heard.getvalue()
    assert all("RuntimeError" in line["exception"] for line in lines(heard))


def test_a_library_s_records_are_blotted(heard: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info("%s - %s", "GET /manage/sometoken", "ann@example.org")
    logging.getLogger("uvicorn.error").error(
        "Exception in ASGI application", exc_info=ValueError("vk_abcdefghij_sometoken ann@x.org")
    )
    logging.getLogger("sqlalchemy").warning("parameters ('ann@example.org',)")
    assert len(lines(heard)) == 3
    assert "ann" not in heard.getvalue()
    assert "sometoken" not in heard.getvalue()


def test_what_names_paths_and_envelopes_is_not_heard(heard: io.StringIO) -> None:
    for name in ("uvicorn.access", "aiosmtplib", "sqlalchemy.engine", "alembic"):
        logging.getLogger(name).info("something")
    get_logger("test").debug("something")
    assert {line["logger"] for line in lines(heard)} <= {"httpx2"}  # the test's own client


def test_text_is_for_people_and_blotted_too() -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        configure("text", stream)
        get_logger("test").info("sent", address="ann@example.org", count=2)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert "ann" not in stream.getvalue()
    assert "count=2" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_a_line_stays_one_line(heard: io.StringIO) -> None:
    get_logger("test").info("first\nsecond", value="a\r\nb\u2028c")
    assert len(heard.getvalue().splitlines()) >= 1
    assert heard.getvalue().count("\n") == 1


def test_a_client_cannot_fill_the_log_by_a_broken_form(
    heard: io.StringIO, readers: TestClient
) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\na\r\n'
    for body in (part + b"--x--\r\n" + b"junk" * 1000, b"\r\n" * 500 + part, b"--y\r\n", part):
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        assert readers.post("/v1/subscriptions", content=body, headers=headers).status_code >= 400
    assert {line["logger"] for line in lines(heard)} <= {"httpx2"}  # the test's own client


def test_an_address_literal_is_redacted() -> None:
    assert redact("<ann@[192.0.2.1]>: no") == "<…@[192.0.2.1]>: no"
