"""Headers come back from foreign parsers as they were written, and nothing breaks out of one."""

import random
import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.message.headers import HeaderUnsafe, header
from app.mail.message.placeholders import PlaceholderMisplaced, marker
from app.text_safety import OVERRIDES

PRINTABLE = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn"), exclude_characters="".join(OVERRIDES)
)
SUBJECT_WORDS = [
    *("News", "week", "2025", "“The”", "BE/RU", "&", "don't", "=", "?=", "=?", "Ў"),
    *("Навіны", "тыдня", "«Сітуацыя»", "—", "…", "лучше", "об’езд", "і", "🇧🇾", "👩‍👩‍👧", "📈"),
]


def parsed(line: bytes, name: str) -> tuple[str, str]:
    """The value as both of the standard library's parsers read it."""
    raw = line + b"\r\n"
    old = message_from_bytes(raw, policy=policy.compat32)[name]
    new = message_from_bytes(raw, policy=policy.default)[name]
    return str(make_header(decode_header(old))), str(new)


def mixed_subjects() -> list[str]:
    dice = random.Random(20250120)
    return [" ".join(dice.choices(SUBJECT_WORDS, k=dice.randint(1, 40))) for _ in range(500)]


def assert_encoded_words_are_right(data: bytes) -> None:
    assert data.isascii()
    assert b"?==?" not in data
    for line in data.split(b"\r\n"):
        words = re.findall(rb"=\?\S+?\?[bBqQ]\?\S*?\?=", line)
        assert all(len(word) <= 75 for word in words)
        assert not words or len(line) <= 76


def test_five_hundred_mixed_subjects_survive() -> None:
    for subject in mixed_subjects():
        data = header("Subject", subject).data
        assert_encoded_words_are_right(data)
        assert parsed(data, "Subject") == (subject, subject)


@given(st.text(PRINTABLE, max_size=300).map(str.strip))
def test_any_subject_survives(subject: str) -> None:
    data = header("Subject", subject).data
    assert_encoded_words_are_right(data)
    assert parsed(data, "Subject") == (subject, subject)


@pytest.mark.parametrize("name", ["From", "Reply-To", "Sender"])
@given(phrase=st.text(PRINTABLE, min_size=1, max_size=120).map(str.strip).filter(bool))
def test_any_name_before_an_address_survives(name: str, phrase: str) -> None:
    data = header(name, f'"{_escaped(phrase)}" <news@example.org>').data
    assert_encoded_words_are_right(data)
    # Not policy.default: in names it puts spaces between adjoining encoded-words (RFC 2047 §6.2).
    unfolded = data.decode().partition(": ")[2].replace("\r\n", "")
    read, address = parseaddr(unfolded)
    assert (str(make_header(decode_header(read))), address) == (phrase, "news@example.org")


def _escaped(phrase: str) -> str:
    return phrase.replace("\\", "\\\\").replace('"', '\\"')


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("news@example.org", b"From: news@example.org\r\n"),
        ("<news@example.org>", b"From: news@example.org\r\n"),
        ("Weekly News <news@example.org>", b"From: Weekly News <news@example.org>\r\n"),
        ("Belarus, in brief <n@example.org>", b'From: "Belarus, in brief" <n@example.org>\r\n'),
        (
            "Беларусь сцісла: тыднёвы агляд незалежных аналітыкаў <news@example.org>",
            (
                b"From: =?utf-8?b?0JHQtdC70LDRgNGD0YHRjCDRgdGG0ZbRgdC70LA6INGC0YvQtNC90ZE=?=\r\n"
                b" =?utf-8?b?0LLRiyDQsNCz0LvRj9C0INC90LXQt9Cw0LvQtdC20L3Ri9GFINCw0L3QsNC7?=\r\n"
                b" =?utf-8?b?0ZbRgtGL0LrQsNGe?= <news@example.org>\r\n"
            ),
        ),
    ],
)
def test_a_mailbox_is_written_as_a_mail_reader_expects(value: str, written: bytes) -> None:
    assert header("From", value).data == written


@pytest.mark.parametrize("length", [12, 80, 200, 900])
def test_list_unsubscribe_stays_one_literal_line(length: int) -> None:
    uri = f"<https://{'h' * length}/unsubscribe/{'t' * 40}>"
    assert header("List-Unsubscribe", uri).data == f"List-Unsubscribe: {uri}\r\n".encode()


@pytest.mark.parametrize(
    "character", ["\r", "\n", "\0", "\t", "\x7f", "\x85", "\u2028", "\ud800", "\u202e"]
)
@pytest.mark.parametrize("name", ["Subject", "From", "List-Id", "X-Other"])
def test_what_could_open_a_line_is_refused(name: str, character: str) -> None:
    with pytest.raises(HeaderUnsafe) as refusal:
        header(name, f"news{character}Bcc: ann@example.org")
    assert "example.org" not in str(refusal.value)
    assert refusal.value.field == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("List-Unsubscribe", "<https://прыклад.example/>"),
        ("List-Id", "Навіны <news.example.org>"),
        ("Message-ID", "<ў@example.org>"),
        ("From", "news@пошта.бел"),
        ("To", "ann@example.org, bob@example.org"),
        ("To", "Readers: ann@example.org;"),
        ("To", "ann"),
        ("To", ""),
        ("From", "News"),
        ("X-Long", "a" * 999),
        ("Not A Name", "a"),
        ("Name:", "a"),
        ("Näme", "a"),
        ("", "a"),
    ],
)
def test_what_no_header_can_carry_is_refused(name: str, value: str) -> None:
    with pytest.raises(HeaderUnsafe):
        header(name, value)


@pytest.mark.parametrize("name", ["Subject", "From"])
def test_no_slot_stands_inside_an_encoded_word(name: str) -> None:
    with pytest.raises(PlaceholderMisplaced):
        header(name, f"Ў {marker('token', 40)} <news@example.org>")
