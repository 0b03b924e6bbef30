"""What servers said, fit to be kept: codes and words stay, and nothing of a person or a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outcomes.diagnostic_texts import LONGEST, diagnosis, provider

TEXTS = {
    "550 5.1.1 <ann@example.org>: User unknown": "550 5.1.1 <[address]>: User unknown",
    "550-5.1.1 The email account does not exist. https://support.google.com/mail/?p=NoSuchUser "
    "d2e1a72fcca58-2ab6f1si123 - gsmtp": (
        "550-5.1.1 The email account does not exist. [link] [id] - gsmtp"
    ),
    "host mx.ivanov.example.com[192.0.2.7] said: 451 4.7.1 Greylisted": (
        "host [host][ip] said: 451 4.7.1 Greylisted"
    ),
    "550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=9Ab": (
        "550 spam message rejected. Please visit mail.ru"
    ),
    "552 5.2.2 Почтовый ящик переполнен (id 4F1A2B3C99)": (
        "552 5.2.2 Почтовый ящик переполнен (id [id])"
    ),
    "": "",
}


@pytest.mark.parametrize("text", TEXTS)
def test_what_stays(text: str) -> None:
    assert diagnosis(text) == TEXTS[text]


def test_no_part_of_the_recipient_is_left() -> None:
    said = diagnosis("550 user Ann.Smith unknown at ivanov.example.com", ["ann.smith@example.org"])
    assert said == "550 user [address] unknown at [host]"


@given(st.text(max_size=400))
def test_it_is_short_and_printable_whatever_was_said(text: str) -> None:
    said = diagnosis(text)
    assert len(said) <= LONGEST
    assert said.isprintable()
    assert diagnosis(f"{text} ann.smith@example.org 192.0.2.7").find("ann.smith") < 0


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("ann@gmail.com", "gmail"),
        ("ann@GoogleMail.com", "gmail"),
        ("ann@bk.ru", "mail.ru"),
        ("ann@example.org", "other"),
        ("", "other"),
    ],
)
def test_only_great_providers_have_a_name(address: str, name: str) -> None:
    assert provider(address) == name
