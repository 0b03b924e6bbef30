"""Phrases are found as people mean them, in time proportional to the text."""

import time

import pytest

from app.mail.classification.normalise import GAP, Words, normalise, phrase


@pytest.mark.parametrize(
    ("text", "sought"),
    [
        ("User <ann@example.org> unknown", "user unknown"),
        ("USER UNKNOWN", "user unknown"),
        ("user_unknown", "user unknown"),
        ("user-\r\n unknown", "user unknown"),
        ("the address doesn’t exist", "doesn't exist"),
        ("550-5.1.1 does not\n550-5.1.1 exist", "does not exist"),
        ("mailbox of ann is full", "mailbox … full"),
        ("no", "no"),
        ("用户不存在", "不存在"),
        ("Получатель не найден", "не найден"),
    ],
)
def test_a_phrase_is_found(text: str, sought: str) -> None:
    assert Words(text).say(phrase(sought))


@pytest.mark.parametrize(
    ("text", "sought"),
    [
        ("superuser unknown", "user unknown"),
        ("mailbox" + " x" * GAP + " full", "mailbox … full"),
        ("mailbox beautiful full", "mailbox … ful l"),
        ("unblocked", "blocked"),
        ("mailbox unblocked", "mailbox … blocked"),
        ("", "user"),
    ],
)
def test_another_is_not(text: str, sought: str) -> None:
    assert not Words(text).say(phrase(sought))


def test_a_later_beginning_is_tried() -> None:
    text = "user " * 40 + "user is unknown"
    assert Words(text).say(phrase("user … unknown"))


@pytest.mark.parametrize("text", ["a" * 50_000, "user " * 10_000, "a@" * 25_000, "550-" * 12_000])
def test_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    """A pattern that goes back would need hours for these; a second is far too much, too."""
    started = time.process_time()
    words = Words(text)
    assert not words.say(phrase("user … user … unknown"))
    assert time.process_time() - started < 5


def test_addresses_and_brackets_are_gone() -> None:
    assert normalise('<ann@example.org> [192.0.2.1]: "No"!') == " 192.0.2.1 : no ! "
