"""Alembic's way in: the caller hands over a connection, one transaction for all migrations.

With our own BEGIN (see app.database) DDL is transactional on SQLite too: a failed migration leaves
nothing behind. The revision is read inside it: of two processes that start together, the second
finds that there is nothing left to do.
"""

from alembic import context

from app.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    transaction_per_migration=False,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
