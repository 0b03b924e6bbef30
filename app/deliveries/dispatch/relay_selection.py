"""Which relay a message goes by, when there are several. Pure.

A message goes by the relays that are bound to its segment or its domain; by the unbound ones if it
has none, or if those are all broken. Among relays of one kind that work, weights divide messages,
evenly at any time: the slowest for its share sets the pace.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.errors import DomainError
from app.mail.relay import Relay


class NoRelayForAll(DomainError):
    """At least one relay has to take every message: one without segment= and domain=."""


class RelayTwice(DomainError):
    """Two relays have the same host and port."""


class RelaySegmentUnknown(DomainError):
    """A relay's segment= names a segment of the newsletter by its id, such as en."""


@dataclass(slots=True)
class Choice:
    """A relay as it may be chosen: `works` unless it is broken or used up, `room` for messages."""

    relay: Relay
    place: int
    works: bool = True
    room: int = 1
    credit: float = 0.0  # what it is owed of its share


def check_relays(relays: Sequence[Relay], segments: Collection[str]) -> None:
    """Refuse relays that would leave messages without a way, or never get one.

    `segments` are those that there are, by id. Raises NoRelayForAll, RelayTwice,
    RelaySegmentUnknown.
    """
    if any(not set(relay.segments) <= set(segments) for relay in relays):
        raise RelaySegmentUnknown
    if all(relay.is_bound for relay in relays):
        raise NoRelayForAll
    if len({relay.name for relay in relays}) < len(relays):
        raise RelayTwice


def choose(choices: Sequence[Choice], segment: str | None, domain: str) -> Choice | None:
    """Return the relay for a message to `domain`; None: it has to wait. Counts its share.

    `segment` is None for what belongs to none, such as a confirmation.
    """
    for bound in (True, False):
        kind = [
            each
            for each in choices
            if each.relay.is_bound is bound and each.works and each.relay.takes(segment, domain)
        ]
        if kind:
            return _fairest(kind)
    return None


def _fairest(choices: Sequence[Choice]) -> Choice | None:
    """Take turns by weight: each is owed its weight, whoever is owed most is next."""
    next_one = max(choices, key=lambda each: each.credit + each.relay.weight)
    if next_one.room <= 0:
        return None
    for each in choices:
        each.credit += each.relay.weight
    next_one.credit -= sum(each.relay.weight for each in choices)
    return next_one
