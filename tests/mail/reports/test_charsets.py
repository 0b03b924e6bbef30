"""Bytes become the text that was meant, or something harmless."""

import pytest

from app.mail.reports.charsets import decoded

WORDS = "Пользователь не найден"


@pytest.mark.parametrize("charset", ["utf-8", "koi8-r", "windows-1251", "KOI8-R", '"utf-8"'])
def test_a_named_charset_is_believed(charset: str) -> None:
    assert decoded(WORDS.encode(charset.strip('"')), charset) == WORDS


@pytest.mark.parametrize("charset", ["utf-8", "koi8-r", "windows-1251"])
@pytest.mark.parametrize("label", ["", "us-ascii", "unknown-8bit", "no-such", "idna", "rot13"])
def test_another_is_guessed(charset: str, label: str) -> None:
    assert decoded(WORDS.encode(charset), label) == WORDS


def test_few_high_bytes_are_western_and_escapes_are_japanese() -> None:
    assert decoded("Empfänger unbekannt".encode("latin-1"), "") == "Empfänger unbekannt"
    assert decoded("不明なユーザ".encode("iso2022_jp"), "") == "不明なユーザ"


def test_what_no_text_can_hold_is_replaced() -> None:
    assert decoded(b"+2AA-", "utf-7").encode()
    assert decoded(b"\xff\xff", "utf-8") == "\ufffd\ufffd"
