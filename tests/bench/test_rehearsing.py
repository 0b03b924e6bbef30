"""Mailings to a simulated internet: what holds for receiving domains and relays, under seeds."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from app.deliveries.destinations.block_backoff import REPEATS, WAITS
from bench.domains import Blocking, Greylisting, Limited, Slow
from bench.rehearse import most_in
from bench.rehearsing import Rehearsal, Story, rehearse

# Minutes of virtual time are some seconds of a core, of which this may get but a part.
pytestmark = pytest.mark.timeout(600)

BIG = "big.example"
OTHERS = tuple(f"d{number}.example" for number in range(8))


def audience(counts: Mapping[str, int], seed: int = 1) -> list[str]:
    readers = [f"r{number}@{domain}" for domain, count in counts.items() for number in range(count)]
    random.Random(seed).shuffle(readers)
    return readers


def half_and_half(readers: int, seed: int = 1) -> list[str]:
    """Half of the audience is one domain's."""
    return audience({BIG: readers // 2, **dict.fromkeys(OTHERS, readers // 2 // len(OTHERS))}, seed)


def others_last(story: Story) -> float:
    return max(max(story.of(domain)) for domain in OTHERS)


def all_sent_once(story: Story, readers: int) -> None:
    assert story.finished
    assert story.states == {"sent": readers}
    copies = Counter(each.reader for each in story.taken)
    assert len(copies) == readers
    assert set(copies.values()) == {1}


@pytest.mark.parametrize("seed", [1, 2])
def test_limits_hold_over_any_window_and_hold_nobody_else_up(seed: int, tmp_path: Path) -> None:
    limits = (f"{BIG}?per_minute=240&connections=3",)
    plan = Rehearsal(half_and_half(960, seed), limits=limits, senders=2)
    story = rehearse(plan, tmp_path)
    all_sent_once(story, 960)
    big = sorted(story.of(BIG))
    assert most_in(big, 60) <= 240
    assert story.most_under_way[BIG] <= 3
    assert big[-1] < 1.4 * 480 / 240 * 60, "a limit is used, not only kept"
    assert others_last(story) < 10


@pytest.mark.parametrize(
    "relays", [("weight=3&per_minute=60", "weight=1"), ("weight=3&per_minute=10", "weight=1")]
)
def test_limits_of_domains_hold_where_relays_are_slower(
    relays: tuple[str, ...], tmp_path: Path
) -> None:
    plan = Rehearsal(half_and_half(160), relays=relays, limits=(f"{BIG}?per_minute=20",))
    story = rehearse(plan, tmp_path)
    all_sent_once(story, 160)
    assert most_in(sorted(story.of(BIG)), 60) <= 20


def test_an_hour_holds_no_more_than_its_limit(tmp_path: Path) -> None:
    plan = Rehearsal(audience({BIG: 90}), limits=("*?per_hour=40",), senders=2)
    story = rehearse(plan, tmp_path)
    all_sent_once(story, 90)
    assert most_in(sorted(story.of(BIG)), 3600) == 40
    assert 2 * 3600 < story.seconds < 2.2 * 3600


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("closing", [False, True])
def test_who_complains_is_slowed_at_once_and_others_go_on(
    seed: int,
    closing: bool,  # noqa: FBT001 (a parameter of the test)
    tmp_path: Path,
) -> None:
    domains = {BIG: Limited(120, closing=closing)}
    plan = Rehearsal(half_and_half(800, seed), domains, senders=2)
    story = rehearse(plan, tmp_path)
    all_sent_once(story, 800)
    assert story.refused[BIG].total() < 0.35 * 400
    assert others_last(story) < 15
    assert story.seconds < 4 * 400 / 120 * 60


def test_greylisting_slows_nobody(tmp_path: Path) -> None:
    plan = Rehearsal(half_and_half(320), {BIG: Greylisting()})
    story = rehearse(plan, tmp_path)
    all_sent_once(story, 320)
    assert story.refused[BIG].total() <= 2 * 160
    assert others_last(story) < 10
    assert story.seconds < 40 * 60


def test_a_slow_domain_does_not_take_all_lines(tmp_path: Path) -> None:
    counts = {"slow.example": 60, **dict.fromkeys(OTHERS, 100)}
    story = rehearse(Rehearsal(audience(counts), {"slow.example": Slow(20)}), tmp_path)
    all_sent_once(story, 860)
    assert others_last(story) < 60
    assert story.seconds > 100


def test_who_sends_us_away_waits_with_its_readers_and_operators_are_told(tmp_path: Path) -> None:
    domains = {BIG: Blocking(ends=WAITS[0].total_seconds() + 60)}
    story = rehearse(Rehearsal(half_and_half(800), domains, senders=2), tmp_path)
    all_sent_once(story, 800)
    lines = 20
    assert REPEATS <= story.refused[BIG].total() <= 2 * lines + 4, "it is left alone"
    assert others_last(story) < 15
    told = [text for text in story.alerts if "sends our messages away" in text]
    assert len(told) >= 1
    assert "blocked using a DNSBL" in told[0]
    assert "@" not in "".join(story.alerts)
    assert BIG not in "".join(story.alerts)


def test_a_relay_that_goes_away_costs_no_message_and_no_double(tmp_path: Path) -> None:
    plan = Rehearsal(half_and_half(1600), relays=("", ""), stops={0: 1.0}, latency=0.05)
    story = rehearse(plan, tmp_path)
    by_relay = Counter(each.relay for each in story.taken)
    assert 50 < by_relay["0"] < 800 < by_relay["1"]
    assert story.finished
    uncertain = story.states.get("uncertain", 0)
    assert uncertain <= 10, "one for each connection at most"
    assert story.states["sent"] + uncertain == 1600
    copies = Counter(each.reader for each in story.taken)
    assert set(copies.values()) == {1}
    assert len(copies) >= 1600 - uncertain


def test_weights_and_bindings_share_the_messages(tmp_path: Path) -> None:
    readers = audience({BIG: 800, "a.by": 200})
    plan = Rehearsal(readers, relays=("weight=3", "weight=1", "domain=*.by"))
    story = rehearse(plan, tmp_path)
    all_sent_once(story, 1000)
    by_relay = Counter(each.relay for each in story.taken)
    assert by_relay["2"] == 200
    assert {each.reader.endswith("@a.by") for each in story.taken if each.relay == "2"} == {True}
    assert by_relay["0"] == 3 * by_relay["1"]


def test_a_new_relay_gets_what_its_plan_says_and_the_other_the_rest(tmp_path: Path) -> None:
    relays = ("", "warm_up=2026-01-06:50:100")
    story = rehearse(Rehearsal(half_and_half(400), relays=relays, senders=2), tmp_path)
    all_sent_once(story, 400)
    assert Counter(each.relay for each in story.taken)["1"] <= 50


def test_a_window_spreads_the_messages(tmp_path: Path) -> None:
    plan = Rehearsal(half_and_half(320), over=timedelta(minutes=40))
    story = rehearse(plan, tmp_path)
    all_sent_once(story, 320)
    assert 35 * 60 < story.seconds < 42 * 60
    taken = sorted(each.at for each in story.taken)
    assert most_in(taken, 300) < 100
