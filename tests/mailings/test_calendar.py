"""The calendar: a slot comes once a week, whatever the clocks of its zone do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.issues.week import Week
from app.mailings.calendar import HORIZON, Schedule, ScheduleWrong, parse_schedule
from app.newsletter import Newsletter

NEWSLETTER = Newsletter.load()
NIGHT = Schedule("30 3 * * SUN", ZoneInfo("Europe/Vilnius"))
ZONES = [
    "Europe/Vilnius",
    "Europe/Minsk",
    "America/New_York",
    "Australia/Lord_Howe",  # its summer time is half an hour
    "Pacific/Kiritimati",
    "UTC",
]
INSTANTS = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2030, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    timezones=st.just(UTC),
)
SCHEDULES = st.builds(
    lambda minute, hour, day, zone: Schedule(f"{minute} {hour} * * {day}", ZoneInfo(zone)),
    st.integers(0, 59),
    st.integers(0, 23),
    st.sampled_from(["MON", "TUE", "SAT", "SUN"]),
    st.sampled_from(ZONES),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots_of(schedule: Schedule, start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """Ask as the sender does: again and again, from the slot that was decided last."""
    decided, now, found = start, start, []
    while now <= end:
        slot = schedule.latest(decided, now)
        if slot is not None:
            found.append(slot)
            decided = slot
        now += step
    return found


@given(SCHEDULES, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_a_slot_lies_between_what_was_decided_and_now(
    schedule: Schedule, after: datetime, later: timedelta
) -> None:
    slot = schedule.latest(after, after + later)
    assert slot is None or after < slot <= after + later
    assert slot is None or slot.utcoffset() == timedelta(0)


@given(SCHEDULES, INSTANTS)
def test_a_week_without_decisions_brings_a_slot(schedule: Schedule, now: datetime) -> None:
    slot = schedule.latest(utc("1970-01-01"), now)
    assert slot is not None
    assert now - slot <= timedelta(days=7, hours=1)


@given(SCHEDULES, INSTANTS, st.integers(7, 200))
def test_a_slot_never_comes_twice(schedule: Schedule, start: datetime, hours: int) -> None:
    found = slots_of(schedule, start, start + timedelta(days=60), timedelta(hours=hours))
    local_days = [slot.astimezone(schedule.zone).date() for slot in found]
    assert len(set(local_days)) == len(found)
    assert found == sorted(set(found))


@given(SCHEDULES, INSTANTS)
def test_the_next_slot_is_the_one_that_will_have_come(schedule: Schedule, now: datetime) -> None:
    coming = schedule.next(now)
    assert coming is not None
    assert coming > now
    assert schedule.latest(now, coming) == coming
    assert schedule.latest(now, coming - timedelta(seconds=1)) is None


def test_in_the_autumn_hour_that_comes_twice_a_slot_comes_once() -> None:
    found = slots_of(NIGHT, utc("2026-10-24T12:00"), utc("2026-10-26T12:00"), timedelta(minutes=10))
    assert found == [utc("2026-10-25T00:30")]


@pytest.mark.parametrize("made", ["2026-10-25T00:31", "2026-10-25T01:00", "2026-10-25T01:30"])
def test_what_was_made_in_the_second_autumn_hour_has_missed_the_slot(made: str) -> None:
    assert NIGHT.latest(utc(made), utc("2026-10-26T12:00")) is None
    coming = NIGHT.next(utc(made))
    assert coming == utc("2026-11-01T01:30")


def test_in_the_spring_gap_a_slot_comes_at_its_end() -> None:
    found = slots_of(NIGHT, utc("2026-03-28T12:00"), utc("2026-03-30T12:00"), timedelta(minutes=10))
    assert found == [utc("2026-03-29T01:00")]


def test_minsk_keeps_one_time() -> None:
    minsk = Schedule("0 9 * * TUE", ZoneInfo("Europe/Minsk"))
    found = slots_of(minsk, utc("2026-01-01"), utc("2026-12-31"), timedelta(hours=5))
    assert len(found) == 52
    assert {slot.hour for slot in found} == {6}


def test_vilnius_keeps_its_hour_through_the_year() -> None:
    vilnius = Schedule("0 9 * * TUE", ZoneInfo("Europe/Vilnius"))
    found = slots_of(vilnius, utc("2026-01-01"), utc("2026-12-31"), timedelta(hours=5))
    assert len(found) == 52
    assert {slot.hour for slot in found} == {6, 7}
    assert {slot.astimezone(vilnius.zone).hour for slot in found} == {9}


def test_the_week_of_a_slot_is_the_zone_s_own() -> None:
    sunday_night = Schedule("0 1 * * MON", ZoneInfo("Europe/Vilnius"))
    slot = sunday_night.latest(utc("2026-12-25"), utc("2026-12-28"))
    assert slot == utc("2026-12-27T23:00")
    assert sunday_night.week_of(slot) == Week.parse("2026-W53")


def test_a_slot_at_the_turn_of_the_year_has_the_iso_week() -> None:
    schedule = Schedule("0 9 * * FRI", ZoneInfo("Europe/Vilnius"))
    slot = schedule.latest(utc("2026-12-31"), utc("2027-01-02"))
    assert slot is not None
    week = schedule.week_of(slot)
    assert (str(week), str(week.previous())) == ("2026-W53", "2026-W52")


def test_an_old_slot_is_nobody_s_concern() -> None:
    new_year = Schedule("0 0 1 1 *", ZoneInfo("UTC"))
    assert new_year.latest(utc("2020-01-01"), utc("2026-01-01") + HORIZON) is None


def test_one_schedule_is_for_all() -> None:
    schedules = parse_schedule("0 9 * * TUE@Europe/Vilnius", NEWSLETTER)
    assert set(schedules) == {"en", "be-ru"}
    assert {each and each.cron for each in schedules.values()} == {"0 9 * * TUE"}


def test_a_segment_may_have_its_own() -> None:
    text = "en=0 9 * * TUE@UTC; BE/RU=5 10 * * WED@Europe/Minsk;"
    schedules = parse_schedule(text, NEWSLETTER)
    assert schedules["en"] == Schedule("0 9 * * TUE", ZoneInfo("UTC"))
    assert schedules["be-ru"] == Schedule("5 10 * * WED", ZoneInfo("Europe/Minsk"))


def test_what_is_not_named_has_no_slot() -> None:
    schedules = parse_schedule("en=0 9 * * TUE@UTC", NEWSLETTER)
    assert schedules["be-ru"] is None


@pytest.mark.parametrize("text", ["off", " OFF "])
def test_off_is_for_all(text: str) -> None:
    assert set(parse_schedule(text, NEWSLETTER).values()) == {None}


def test_off_may_be_for_one() -> None:
    schedules = parse_schedule("0 9 * * TUE@UTC;be-ru=off", NEWSLETTER)
    assert schedules["be-ru"] is None
    assert schedules["en"] is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "0 9 * * TUE",
        "@Europe/Vilnius",
        "0 9 * * TUE@Europe/Nowhere",
        "0 9 * * TUE@../../etc/passwd",
        "0 9 * * TUE@/etc/passwd",
        "0 9 * * TUE@Europe",
        "0 0 9 * * TUE@UTC",
        "61 9 * * TUE@UTC",
        "0 9 * * NEVER@UTC",
        "0 9 30 2 *@UTC",
        "nobody=0 9 * * TUE@UTC",
        "nobody=off",
        "en=0 9 * * TUE@UTC=UTC",
        "on",
        "\x00",
    ],
)
def test_a_wrong_schedule_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ScheduleWrong) as refused:
        parse_schedule(text, NEWSLETTER)
    assert "passwd" not in str(refused.value)
    assert "nobody" not in str(refused.value)
