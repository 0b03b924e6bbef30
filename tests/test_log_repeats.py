"""However often something is said, the log holds a few lines of it a minute, and a count."""

import logging

import pytest

from app.log_repeats import _KINDS, EVERY, MOST, RepeatLimit


class Log:
    """A log with the filter, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now = 0.0
        self.limit = RepeatLimit(self.write, lambda: self.now)

    def write(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def say(self, message: object, level: int = logging.WARNING, name: str = "web") -> None:
        record = logging.LogRecord(name, level, "", 0, message, None, None)
        if self.limit.filter(record):
            self.write(record)


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_few_are_written_and_the_rest_is_counted(log: Log) -> None:
    for _ in range(1_000):
        log.say("no")
    assert log.lines == ["no"] * MOST
    log.now = EVERY
    log.limit.tell()
    assert log.lines[MOST:] == [f"{1_000 - MOST} more lines like this were left out: no"]
    log.say("no")
    assert log.lines[-1] == "no"


def test_each_window_has_one_line_with_a_count(log: Log) -> None:
    for second in range(int(10 * EVERY)):
        log.now = second
        for _ in range(5):
            log.say({"event": "no", "nth": second})
    assert len(log.lines) <= 10 * (MOST + 1)


def test_what_seldom_happens_is_always_written(log: Log) -> None:
    for minute in range(100):
        log.now = minute * EVERY
        log.say("no")
    assert log.lines == ["no"] * 100


def test_kinds_are_told_apart(log: Log) -> None:
    for _ in range(MOST + 1):
        log.say({"event": "one"})
        log.say({"event": "one"}, logging.ERROR)
        log.say({"event": "one"}, name="sender")
    log.say({"event": "other"})
    assert len(log.lines) == 3 * MOST + 1


def test_what_is_no_trouble_is_not_counted(log: Log) -> None:
    for _ in range(MOST * 3):
        log.say("yes", logging.INFO)
    assert len(log.lines) == MOST * 3


def test_messages_that_differ_each_time_do_not_get_around_it(log: Log) -> None:
    for number in range(10_000):
        log.say(f"socket.accept() out of system resource, and more\n<socket {number}>")
    assert len(log.lines) == MOST
    for number in range(100_000):
        log.say(f"{number} times")
    assert len(log.lines) <= (_KINDS + 1) * MOST


def test_at_the_end_nothing_is_kept_back(log: Log) -> None:
    for _ in range(MOST + 7):
        log.say("no")
    log.limit.tell(all_of_it=True)
    assert log.lines[-1].startswith("7 more lines")
