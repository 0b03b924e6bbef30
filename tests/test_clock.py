"""The machine's clock: aware, in UTC, and a counter that never runs backwards."""

from datetime import timedelta

from app.clock import SystemClock


def test_the_present_is_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_time_does_not_run_backwards() -> None:
    clock = SystemClock()
    issue_views = [clock.monotonic() for _ in range(100)]
    assert issue_views == sorted(issue_views)
