"""Fields are found and read, however they are written."""

import pytest

from app.mail.reports.headers import readable, split_headers


def test_fields_are_unfolded_and_found_by_any_case() -> None:
    headers, body = split_headers("Subject: a\n b\nX-Y : c\nSubject: d\n\nbody\n")
    assert list(headers.all("subject")) == ["a b", "d"]
    assert headers.first("none", "x-y") == "c"
    assert "x-y" in headers
    assert headers.first("none") == ""
    assert body == "body\n"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("plain", "plain"),
        ("=?utf-8?B?0J/RgNC40LLQtdGC?=", "Привет"),
        ("=?utf-8?b?0J/RgNC4?= \n =?utf-8?b?0LLQtdGC?=", "Привет"),
        ("=?koi8-r?Q?=F0=D2=C9=D7=C5=D4?= x", "Привет x"),
        ("=?utf-8*en?q?a_b?=", "a b"),
        ("=?no-such?q?abc?=", "abc"),
        ("=?utf-8?b?!!!?=", ""),
        ("=?utf-8?q?open", "=?utf-8?q?open"),
        ("\xd0\x9f\xd1\x80\xd0\xb8", "При"),
        ("Привет", "Привет"),
    ],
)
def test_a_value_is_read(value: str, read: str) -> None:
    assert readable(value) == read
