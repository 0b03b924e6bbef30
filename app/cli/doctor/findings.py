"""How `vestka doctor` says what it found: of each thing ok, warn or fail, and one sentence."""

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """What was looked at, and what was found, in one sentence."""

    check: str
    status: Status
    says: str


def ok(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, Status.OK, says)


def warn(check: str, says: str) -> Finding:
    """It works; somebody should know."""
    return Finding(check, Status.WARN, says)


def fail(check: str, says: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(check, Status.FAIL, says)
