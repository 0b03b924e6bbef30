"""Slots: the places in a message that each reader's own values fill.

A marker stands in for its slot while a message is rendered. It says its own length, so the compiler
finds its end whatever follows. No value that fits a slot can open a line, a header or an address.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import DomainError

_OPENING = "vestka-slot-"
_LONGEST = 998  # characters: a line (RFC 5322 §2.1.1)
_MARKER = re.compile(rb"vestka-slot-(\d{3})-")
_NAME = r"[a-z](?:[a-z-]*[a-wyz])?"  # never ends in x: the padding would swallow it
_WHOLE = re.compile(rf"{_OPENING}\d{{3}}-({_NAME})-x*".encode())

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+"
_HOST = r"[A-Za-z0-9.-]+"
_WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

# What may fill a slot in these headers; any other header takes a token, as bodies do.
_IN_HEADERS = {
    "to": rf"{_ATOM}@{_HOST}",
    "message-id": rf"{_ATOM}@{_HOST}",
    "date": rf"{_WEEKDAY}, \d{{1,2}} {_MONTH} \d{{4}} \d\d:\d\d:\d\d [+-]\d{{4}}",
}


class PlaceholderUnfilled(DomainError):
    """A slot of the message has no value."""


class PlaceholderValueUnsafe(DomainError):
    """A value does not fit its slot in the message."""


class PlaceholderMisplaced(DomainError):
    """A slot stands where no reader's value may stand."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A marker found in bytes, from `start` up to `stop`."""

    name: str
    start: int
    stop: int

    @property
    def length(self) -> int:
        """The length of the marker."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Fit:
    """What may fill a slot: `shape` matches the whole value, `length` is that of the marker."""

    name: str
    length: int
    shape: re.Pattern[str]

    def agreed(self, other: "Fit") -> "Fit":
        """What satisfies both of two places of one slot. Raises PlaceholderMisplaced."""
        if self == other:
            return self
        exact = in_body(Placeholder(self.name, 0, self.length))
        up_to = in_header("", Placeholder(self.name, 0, self.length))
        if {self, other} == {exact, up_to}:
            return exact
        raise PlaceholderMisplaced(field=self.name)


def marker(name: str, length: int) -> str:
    """Stand in for the value called `name`, in exactly `length` characters of [a-z0-9-].

    The characters survive URLs, HTML and every transfer encoding. Raises ValueError if `length`
    is too short for the name or over 998, or the name is not lower-case letters and hyphens.
    """
    opening = f"{_OPENING}{length:03}-{name}-"
    if not re.fullmatch(_NAME, name) or not len(opening) <= length <= _LONGEST:
        msg = f"no marker of {length} characters can be made for {name!r}"
        raise ValueError(msg)
    return opening.ljust(length, "x")


def find(data: bytes) -> Iterator[Placeholder]:
    """Find the markers in `data`, in order. What only resembles a marker is ordinary text."""
    for opening in _MARKER.finditer(data):
        stop = opening.start() + int(opening[1])
        whole = _WHOLE.fullmatch(data, opening.start(), stop)
        if whole and stop <= len(data):
            yield Placeholder(whole[1].decode(), opening.start(), stop)


def in_body(slot: Placeholder) -> Fit:
    """Take tokens exactly as long as the marker, so that every line of the body stays put."""
    return Fit(slot.name, slot.length, re.compile(rf"[A-Za-z0-9_-]{{{slot.length}}}"))


def in_header(header: str, slot: Placeholder) -> Fit:
    """Take what this header may hold, at most as long as the marker."""
    shape = _IN_HEADERS.get(header.lower(), r"[A-Za-z0-9_-]+")
    return Fit(slot.name, slot.length, re.compile(rf"(?=.{{1,{slot.length}}}\Z)(?:{shape})"))
