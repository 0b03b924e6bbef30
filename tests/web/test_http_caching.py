"""Copies that stay right: an entity tag is its bytes, and 304 answers whoever has them."""

from datetime import UTC, datetime

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from app.web.http_caching import cacheable, etag_of, matches

AT = datetime(2025, 1, 27, 10, tzinfo=UTC)
ETAG = etag_of(b"body")


def asking(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": pairs})


def answered(changed: datetime | None = AT, **headers: str) -> Response:
    own = {"Content-Security-Policy": "default-src 'none'; style-src 'self'"}
    answer = Response(b"body", media_type="text/html", headers=own)
    return cacheable(asking(**headers), answer, changed=changed)


@given(st.binary(), st.binary())
def test_an_entity_tag_changes_exactly_when_the_bytes_do(one: bytes, other: bytes) -> None:
    assert (etag_of(one) == etag_of(other)) == (one == other)
    assert etag_of(one) == etag_of(bytes(one))


@given(st.binary(max_size=50), st.integers(min_value=0), st.integers(1, 255))
def test_one_bit_is_enough(body: bytes, place: int, flip: int) -> None:
    changed = bytearray(body or b"x")
    changed[place % len(changed)] ^= flip
    assert etag_of(bytes(changed)) != etag_of(body or b"x")


def test_a_good_answer_says_how_long_it_is_good() -> None:
    answer = answered()
    assert answer.status_code == 200
    assert answer.headers["etag"] == ETAG
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["last-modified"] == "Mon, 27 Jan 2025 10:00:00 GMT"


def test_what_has_no_date_claims_none() -> None:
    assert "last-modified" not in answered(changed=None).headers


@pytest.mark.parametrize(
    "asked",
    [
        ETAG,
        f"W/{ETAG}",
        f'"other", {ETAG}',
        f'"a,b",W/{ETAG} ,"c"',
        "*",
        " * ",
    ],
)
def test_who_has_it_gets_no_body(asked: str) -> None:
    answer = answered(if_none_match=asked)
    assert (answer.status_code, answer.body) == (304, b"")


@pytest.mark.parametrize("asked", ["", '"other"', ETAG.strip('"'), f'"x{ETAG[1:]}', "W/", "*, x"])
def test_who_has_something_else_gets_it(asked: str) -> None:
    assert answered(if_none_match=asked).status_code == 200


def test_a_field_may_come_on_several_lines() -> None:
    assert matches(ETAG, ['"one"', ETAG])
    assert not matches(ETAG, [])


def test_a_304_takes_nothing_from_the_copy() -> None:
    """A cache updates what it kept with the headers of the 304, the policy among them."""
    whole, short = answered(), answered(if_none_match=ETAG)
    dropped = {"content-type", "content-length"}
    assert dict(short.headers) == {
        name: value for name, value in whole.headers.items() if name not in dropped
    }
    assert "style-src 'self'" in short.headers["content-security-policy"]


def test_the_date_alone_decides_nothing() -> None:
    answer = answered(if_modified_since="Tue, 28 Jan 2025 10:00:00 GMT")
    assert answer.status_code == 200
