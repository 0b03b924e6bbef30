"""How far a database's schema has come, told without loading what would change it.

Nearly always it is this version's already, and a process that only looks is the smaller for it.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from app.database import Database

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_TABLE = "alembic_version"


def newest() -> str:
    """Return this version's revision: the number of the last migration."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a database is at; None for an empty one."""
    if not inspect(connection).has_table(_TABLE):
        return None
    revision = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608 (a constant)
    return None if revision is None else str(revision)


def is_current(database: Database) -> bool:
    """Tell whether the schema is this version's; nothing is changed."""
    with database.engine.connect() as connection:
        return revision_of(connection) == newest()
