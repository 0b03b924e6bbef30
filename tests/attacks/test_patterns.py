"""No text of a client costs more than it weighs: twice as much of it takes about twice as long."""

import time
from collections.abc import Callable
from statistics import median

import pytest

from app.log import redact
from app.mail.redaction import without_addresses
from app.web.client_ip import _hops

UNITS = (
    "a",
    "@",
    "%40",
    "=40",
    "&#64;",
    "@ a",
    '"',
    '"\\"',
    '\\"',
    ",",
    'for="',
    "for=a;",
    "<a",
    " ",
)
BEGINNINGS = ("", "@ ", '"', 'for="')
MANY = 20_000  # characters; what is quadratic takes seconds for them

READERS: dict[str, Callable[[str], object]] = {
    "the log": redact,
    "a diagnostic": without_addresses,
    "Forwarded": lambda text: list(_hops("Forwarded", [text])),
    "X-Forwarded-For": lambda text: list(_hops("X-Forwarded-For", [text])),
}


def cost(read: Callable[[str], object], text: str) -> float:
    begun = time.process_time()
    read(text)
    return time.process_time() - begun


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize("unit", UNITS)
def test_doubled_text_costs_no_more_than_thrice(reader: str, begin: str, unit: str) -> None:
    read = READERS[reader]
    once, twice = (begin + unit * (MANY * times // len(unit)) for times in (1, 2))
    ratios = []
    for _ in range(3):
        short, long = cost(read, once), cost(read, twice)
        ratios.append(long / max(short, 0.002))  # below two milliseconds nothing is measured
    assert median(ratios) < 3.5


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("mail a@example.org now", "mail …@… now"),
        ("a@b@example.org", "…@…"),
        ("x=a@example.org'tail", "…@…'tail"),
        ("@ alone", "@ alone"),
        ("a@ b", "a@ b"),
        ("a%40example.org", "…@…"),
    ],
)
def test_what_is_redacted_stays_the_same(said: str, kept: str) -> None:
    assert redact(said) == kept


def test_a_quoted_comma_divides_nothing() -> None:
    header = 'for="[2001:db8::1]:4711";by="a, b", for=192.0.2.7'
    assert list(_hops("Forwarded", [header])) == ["192.0.2.7", "[2001:db8::1]:4711"]
