"""When the week's issue goes: a weekly slot per segment, with a time zone. Pure.

In the autumn hour that comes twice a slot comes once; in the spring gap it comes at its end.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from app.errors import DomainError
from app.issues.week import Week
from app.newsletter import Newsletter, UnknownSegment

# A slot older than this is nobody's concern any more: its issue is not the week's.
HORIZON = timedelta(days=15)
_FORM = re.compile(r"(?:(?P<segment>[^=@;]+)=)?(?P<cron>[^=@;]+)@(?P<zone>[A-Za-z0-9_+/-]+)")


class ScheduleWrong(DomainError):
    """A schedule is CRON@ZONE, such as 0 9 * * TUE@Europe/Vilnius; or off."""


class ZoneUnknown(ScheduleWrong):
    """There is no such time zone; one is Europe/Vilnius."""


@dataclass(frozen=True)
class Schedule:
    """A cron expression of five fields, and the zone its hours are in."""

    cron: str
    zone: ZoneInfo

    def latest(self, after: datetime, now: datetime) -> datetime | None:
        """Return the last slot later than `after` and not later than `now`, or None."""
        found = None
        start = max(after, now - HORIZON)
        for slot in self._slots(start):
            if slot > now:
                return found
            found = slot
        return found

    def next(self, now: datetime) -> datetime | None:
        """Return the first slot later than `now`."""
        return next(self._slots(now), None)

    def _slots(self, after: datetime) -> Iterator[datetime]:
        """Yield the slots later than `after`, in UTC."""
        for slot in CronSim(self.cron, after.astimezone(self.zone)):
            # Asked in the second autumn hour, CronSim first names a moment of the one before.
            if slot > after:
                yield slot.astimezone(UTC)

    def week_of(self, slot: datetime) -> Week:
        """Return the ISO week that the slot falls in, as people in its zone count it."""
        return Week.of(slot.astimezone(self.zone).date())


def parse_schedule(text: str, newsletter: Newsletter) -> Mapping[str, Schedule | None]:
    """Read VESTKA_SCHEDULE: `CRON@ZONE` for all, or `segment=CRON@ZONE;…`, or `off`.

    A segment that is not named has no slot. Raises ScheduleWrong.
    """
    schedules: dict[str, Schedule | None] = {each.id: None for each in newsletter.segments}
    if text.strip().lower() == "off":
        return schedules
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not parts:
        raise ScheduleWrong
    for part in parts:
        segment, schedule = _one(part, newsletter)
        for each in [segment] if segment else list(schedules):
            schedules[each] = schedule
    return schedules


def _one(text: str, newsletter: Newsletter) -> tuple[str | None, Schedule | None]:
    name, _, rest = text.partition("=")
    if rest.strip().lower() == "off":
        return _segment(name, newsletter), None
    match = _FORM.fullmatch(text)
    if not match:
        raise ScheduleWrong
    segment = _segment(match["segment"], newsletter) if match["segment"] else None
    try:
        zone = ZoneInfo(match["zone"])
    except (KeyError, ValueError, OSError):
        raise ZoneUnknown from None
    schedule = Schedule(match["cron"].strip(), zone)
    try:
        CronSim(schedule.cron, datetime(2026, 1, 1, tzinfo=zone))
    except (CronSimError, ValueError):
        raise ScheduleWrong from None
    if len(schedule.cron.split()) != 5:
        raise ScheduleWrong
    return segment, schedule


def _segment(name: str, newsletter: Newsletter) -> str:
    try:
        return newsletter.segment(name).id
    except UnknownSegment:
        raise ScheduleWrong("the schedule names a segment that does not exist") from None
