"""Bringing the schema up to date, from whichever process comes first.

Two processes that start at once must not both migrate: PostgreSQL has an advisory lock for that,
SQLite its one writer.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from app.database import Database, make_private
from app.db_roles import grant_again
from app.errors import DomainError
from app.schema import MIGRATIONS, newest, revision_of

_LOCK = 0x76657374  # any number of our own: "vest"


class SchemaNewer(DomainError):
    """This database was made by a newer version of Vestka."""


class SchemaNotOurs(DomainError):
    """The schema is not this version's, and this database user may not change it."""


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _alone(database: Database, connection: Connection) -> Iterator[None]:
    """Hold PostgreSQL's lock, which lives as long as the connection, not the transaction."""
    if database.is_sqlite:
        yield
        return
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()


def migrate(database: Database, revision: str = "head") -> bool:
    """Bring the schema to `revision`; return whether anything had to be done.

    Raises SchemaNewer if the database is at a revision that this version does not know.
    """
    if database.is_sqlite and database.url.database:
        make_private(database.url.database)
    wanted = newest() if revision == "head" else revision
    with database.engine.connect() as connection:
        current = revision_of(connection)
    if current == wanted:
        return False
    scripts = ScriptDirectory.from_config(_config())
    if current is not None and current not in {s.revision for s in scripts.walk_revisions()}:
        raise SchemaNewer
    try:
        with database.engine.connect() as connection, _alone(database, connection):
            command.upgrade(_config(connection), revision)
            connection.commit()
    except ProgrammingError as wrong:
        if isinstance(wrong.orig, InsufficientPrivilege):
            raise SchemaNotOurs from None
        raise
    if revision == "head":
        grant_again(database)
    return True
