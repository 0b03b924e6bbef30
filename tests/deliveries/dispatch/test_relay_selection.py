"""Which relay a message goes by: bound ones first, by weight, and never one that is broken."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deliveries.dispatch.relay_selection import (
    Choice,
    NoRelayForAll,
    RelaySegmentUnknown,
    RelayTwice,
    check_relays,
    choose,
)
from app.mail.relay import Relay


def a_relay(place: int, options: str = "") -> Relay:
    return Relay.parse(f"smtp+insecure://127.0.0.1:{2500 + place}?{options}")


def choices(*options: str) -> list[Choice]:
    return [Choice(a_relay(place, each), place) for place, each in enumerate(options)]


def way(
    relays: list[Choice], segment: str | None = "en", domain: str = "example.org"
) -> int | None:
    chosen = choose(relays, segment, domain)
    return None if chosen is None else chosen.place


def test_weights_share_the_messages() -> None:
    relays = choices("weight=3", "weight=1")
    assert Counter(way(relays) for _ in range(400)) == {0: 300, 1: 100}
    assert [way(relays) for _ in range(4)].count(1) == 1, "evenly, not in heaps"


def test_a_bound_relay_takes_its_own_and_nothing_else() -> None:
    relays = choices("", "segment=en", "domain=*.by&domain=gmail")
    assert way(relays, "en") == 1
    assert way(relays, "be-ru") == 0
    assert way(relays, None) == 0
    assert way(relays, "be-ru", "example.by") == 2
    assert way(relays, None, "gmail.com") == 2


def test_unbound_relays_stand_in_for_bound_ones_and_never_the_other_way() -> None:
    relays = choices("", "segment=en")
    relays[1].works = False
    assert way(relays, "en") == 0
    relays[0].works, relays[1].works = False, True
    assert way(relays, "be-ru") is None


def test_a_busy_bound_relay_is_waited_for() -> None:
    relays = choices("", "segment=en")
    relays[1].room = 0
    assert way(relays, "en") is None


def test_the_slowest_for_its_share_is_waited_for_and_a_broken_one_is_not() -> None:
    relays = choices("", "")
    relays[0].room = 0
    assert [way(relays) for _ in range(3)].count(1) <= 1
    relays[0].works = False
    assert {way(relays) for _ in range(100)} == {1}
    relays[0].works, relays[0].room = True, 1
    assert [way(relays) for _ in range(10)].count(0) in (4, 5, 6), "nothing is caught up with"


def test_every_message_needs_a_way() -> None:
    check_relays([a_relay(0), a_relay(1, "segment=en")], ["en"])
    with pytest.raises(NoRelayForAll):
        check_relays([a_relay(0, "segment=en"), a_relay(1, "domain=*.by")], ["en"])
    with pytest.raises(RelayTwice):
        check_relays([a_relay(0), a_relay(0, "segment=en")], ["en"])
    with pytest.raises(RelaySegmentUnknown):
        check_relays([a_relay(0), a_relay(1, "segment=eng")], ["en", "be-ru"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "weight=2", "segment=en", "domain=*.by"]),
            st.booleans(),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["en", "be-ru", None]),
    st.sampled_from(["example.org", "example.by"]),
)
def test_only_a_relay_that_works_has_room_and_takes_it_is_chosen(
    made: list[tuple[str, bool, bool]], segment: str | None, domain: str
) -> None:
    relays = choices(*(options for options, _, _ in made))
    for each, (_, works, free) in zip(relays, made, strict=True):
        each.works, each.room = works, int(free)
    fit = [r for r in relays if r.works and r.relay.takes(segment, domain)]
    best = [r for r in fit if r.relay.is_bound] or fit
    chosen = choose(relays, segment, domain)
    assert chosen is not None or not best or not all(r.room for r in best)
    assert chosen is None or (chosen in best and chosen.room)
