"""What a command says when the database or the disk fails it: one sentence, never a traceback.

The driver's own words hold the statement and may hold a password; only what is named here is said.
"""

import re

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from app.web.problems import field_name, reason

_OBJECT = re.compile(r"permission denied for (?:table|schema|sequence|relation|view) ([\w.]+)")

UNREACHABLE = (
    "The database named by VESTKA_DATABASE_URL does not answer. Check that it runs and that host,"
    " port, user and password in VESTKA_DATABASE_URL are right."
)


# How PostgreSQL's codes begin, words of SQLite and of a connection that fails, what to say, and the
# exit status.
_SENTENCES: tuple[tuple[tuple[str, ...], tuple[str, ...], str, int], ...] = (
    (
        ("25006",),
        ("readonly database",),
        (
            "The database can only be read: its disk is read-only, the file belongs to another"
            " user, or the server is a standby. Nothing was changed."
        ),
        1,
    ),
    (
        ("53100",),
        ("disk is full",),
        "The disk of the database is full. Make room there; nothing was changed.",
        1,
    ),
    (
        ("58",),
        ("disk I/O error",),
        "The disk of the database fails: it is read-only, full or broken.",
        1,
    ),
    (
        (),
        ("file is not a database", "malformed"),
        "The file named by VESTKA_DATABASE_URL is not a sound SQLite database.",
        2,
    ),
    (
        (),
        ("unable to open database file",),
        (
            "The SQLite file named by VESTKA_DATABASE_URL cannot be opened: its directory is"
            " missing, or this user may not use it."
        ),
        2,
    ),
    (
        ("42P01", "42703"),
        ("no such table", "no such column"),
        "The database has not the tables of this version. Run `vestka migrate` as its owner.",
        2,
    ),
    (
        ("28",),
        ("password authentication failed", "no password supplied"),
        "The database refuses the user or the password of VESTKA_DATABASE_URL.",
        2,
    ),
    (
        ("3D000",),
        ("does not exist",),
        "The database server has no database, or no user, of the name in VESTKA_DATABASE_URL.",
        2,
    ),
)


def sentence_for(error: Exception) -> tuple[str, int] | None:
    """Return what to say about an error, and the exit status; None if it is none that we know.

    2 is for what stays wrong until somebody changes it, 1 for what may pass.
    """
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{field_name(first['loc'])}: {reason(first).rstrip('.')}.", 2
    if isinstance(error, SQLAlchemyError):
        return database_sentence(error)
    return None


def database_sentence(error: SQLAlchemyError) -> tuple[str, int]:
    """Return what to say about an error of the database, and the exit status."""
    if (right := missing_right(error)) is not None:
        return right, 2
    state, told = sqlstate_of(error) or "", str(getattr(error, "orig", ""))
    for states, words, sentence, status in _SENTENCES:
        if state.startswith(states) or any(word in told for word in words):
            return sentence, status
    if isinstance(error, OperationalError | PoolExhausted):
        return UNREACHABLE, 1
    kind = type(getattr(error, "orig", error)).__name__
    return f"The database refused a statement ({kind}{f', {state}' if state else ''}).", 1


def missing_right(error: BaseException) -> str | None:
    """Say which right a database user lacks, and what gives it; None if that is not the fault."""
    if sqlstate_of(error) != "42501":
        return None
    found = _OBJECT.search(str(getattr(error, "orig", "")))
    where = f" on {found[1]}" if found else ""
    return (
        f"The database user of VESTKA_DATABASE_URL lacks a right{where}: this command needs another"
        " role. Run it on the host of the role that holds the right (most commands: the"
        " operators' or the sender's), or give this user the role again: as the database's owner,"
        " run `vestka migrate --roles`."
    )


def sqlstate_of(error: BaseException) -> str | None:
    """Return PostgreSQL's code of an error, if it has one."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state if isinstance(error, DBAPIError) and isinstance(state, str) else None
