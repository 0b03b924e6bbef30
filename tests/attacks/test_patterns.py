"""No text of a client costs more than it weighs: the cost grows with the length alone."""

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
MANY = 10_000  # characters; eight times as many cost sixty-four times as much, if quadratic

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
def test_the_cost_grows_with_the_length_alone(reader: str, begin: str, unit: str) -> None:
    read = READERS[reader]
    once, eightfold = (begin + unit * (MANY * times // len(unit)) for times in (1, 8))
    ratios = []
    for _ in range(3):
        short, long = cost(read, once), cost(read, eightfold)
        ratios.append(long / max(short, 0.001))  # below a millisecond nothing is measured
    assert median(ratios) < 24


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
