"""How `vestka doctor` says what it found: of each thing ok, warn or fail, and one sentence."""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from app.cli.error_sentences import database_sentence, missing_right


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


def database_finding(check: str, error: SQLAlchemyError) -> Finding:
    """Say why the database gave no answer to this check.

    A right that the user lacks is no fault of the database: on that host, the role has no more.
    """
    right = missing_right(error)
    if right is not None:
        return warn(check, f"not looked at: {right}")
    return fail(check, database_sentence(error)[0])
