"""Making the three database roles of PostgreSQL, and giving each what the table of rights says.

Whoever logs in is a user of the installation's own, made a member of one of the roles. It can be
done again at any time: what is not in the table is taken away.
"""

import re
from collections.abc import Iterator

from sqlalchemy import Connection, Integer, text
from sqlalchemy.exc import ProgrammingError

from app.database import Database
from app.db_privileges import ALL, GRANTS, ROLES, Rights, rights
from app.errors import DomainError
from app.tables import METADATA

_LOCK = 0x6772616E  # any number of our own: "gran"
_PREFIX = re.compile(r"[a-z][a-z0-9_]{0,40}")


class RolesNotHere(DomainError):
    """SQLite has no roles: its one file is its owner's alone."""


class RolesUnnameable(DomainError):
    """The names of roles begin with a letter, and have only small letters, digits and _."""


class RolesNotAllowed(DomainError):
    """This database user may not make roles or give rights: use the tables' owner."""


def grant_all(database: Database, prefix: str) -> list[str]:
    """Make the roles that are missing and give them their rights; return their names.

    Raises RolesNotHere, RolesUnnameable or RolesNotAllowed, and then changes nothing.
    """
    if database.is_sqlite:
        raise RolesNotHere
    if not _PREFIX.fullmatch(prefix):
        raise RolesUnnameable
    names = [f"{prefix}_{role}" for role in ROLES]
    try:
        with database.engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            for role, name in zip(ROLES, names, strict=True):
                _make(connection, name)
                for statement in statements(role, name):
                    connection.execute(text(statement))
    except ProgrammingError:
        raise RolesNotAllowed from None
    return names


def grant_again(database: Database) -> None:
    """Give the roles that this database knows their rights anew, after its tables changed."""
    if database.is_sqlite:
        return
    with database.engine.connect() as connection:
        known = connection.scalars(text(_KNOWN)).all()
    for name in known:
        grant_all(database, str(name).removesuffix(f"_{ROLES[0]}"))


_KNOWN = f"""
    SELECT DISTINCT grantee FROM information_schema.role_table_grants
    WHERE table_name = 'alembic_version' AND table_schema = current_schema()
    AND grantee LIKE '%\\_{ROLES[0]}'
"""  # noqa: S608 (a name of our own)


def _make(connection: Connection, name: str) -> None:
    there = text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    if connection.scalar(there, {"name": name}) is None:
        connection.execute(text(f"CREATE ROLE {name} NOLOGIN"))


def statements(role: str, name: str) -> Iterator[str]:
    """Yield the statements that give the database role `name` the rights of `role`, and no more."""
    yield f"GRANT USAGE ON SCHEMA public TO {name}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {name}"
    for table in GRANTS:
        granted = list(_granted(rights(role, table)))
        if granted:
            yield f"GRANT {', '.join(granted)} ON {table} TO {name}"
        if rights(role, table).add and (column := _numbered(table)):
            yield f"GRANT USAGE ON SEQUENCE {table}_{column}_seq TO {name}"


def _granted(given: Rights) -> Iterator[str]:
    for verb, columns in (("SELECT", given.read), ("UPDATE", given.change)):
        if columns:
            yield verb if columns == ALL else f"{verb} ({', '.join(columns.split())})"
    if given.add:
        yield "INSERT"
    if given.remove:
        yield "DELETE"


def _numbered(table: str) -> str | None:
    """Return the column that PostgreSQL numbers by itself, if there is one."""
    found = METADATA.tables.get(table)
    column = None if found is None else found.autoincrement_column
    return column.name if column is not None and isinstance(column.type, Integer) else None
