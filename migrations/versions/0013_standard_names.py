"""Tables and columns get the field's own words; no row changes.

PostgreSQL renames what is named after a table with it. SQLite keeps a unique constraint's name in
the table's text, so the ledger is written anew there; its numbers go on where they were, because
an attempt journal may still tell of a number that was given.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = (
    ("farewells", "pending_removals"),
    ("departures", "unsubscribe_counts"),
    ("folded_counts", "aggregated_counts"),
    ("group_paces", "destination_rates"),
    ("group_holds", "destinations_in_flight"),
    ("group_counts", "destination_counts"),
    ("relay_paces", "relay_rates"),
    ("relay_lines", "relay_connections"),
    ("allowances_taken", "rate_limit_counts"),
    ("allowances_refused", "rate_limit_refusals"),
    ("service_letters", "service_messages"),
    ("endings", "deleted_rows"),
    ("marks", "bounce_marks"),
    ("returned", "bounces_seen"),
)
COLUMN = ("letter_id", "service_message_id")


def upgrade() -> None:
    """Go forward."""
    _rename(TABLES, *COLUMN)
    op.execute("ALTER TABLE bounces_seen RENAME COLUMN letter TO message")


def downgrade() -> None:
    """Go back."""
    op.execute("ALTER TABLE bounces_seen RENAME COLUMN message TO letter")
    _rename(((new, old) for old, new in TABLES), *reversed(COLUMN))


def _rename(tables: Iterable[tuple[str, str]], column: str, new_column: str) -> None:
    for old, new in tables:
        op.rename_table(old, new)
        if op.get_bind().dialect.name == "sqlite":
            _rename_indexes_on_sqlite(old, new)
            _rename_unique_constraints_on_sqlite(old, new)
        else:
            _rename_on_postgresql(old, new)
    if op.get_bind().dialect.name == "sqlite":
        _rename_column_on_sqlite(column, new_column)
    else:
        op.alter_column("deliveries", column, new_column_name=new_column)
        op.execute(
            f'ALTER TABLE deliveries RENAME CONSTRAINT "uq_deliveries_{column}"'
            f' TO "uq_deliveries_{new_column}"'
        )


def _rename_on_postgresql(old: str, new: str) -> None:
    constraints = "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:table AS regclass)"
    for name in _names(constraints, old, new):
        op.execute(f'ALTER TABLE "{new}" RENAME CONSTRAINT "{name}" TO "{name.replace(old, new)}"')
    for name in _names("SELECT indexname FROM pg_indexes WHERE tablename = :table", old, new):
        op.execute(f'ALTER INDEX "{name}" RENAME TO "{name.replace(old, new)}"')


def _names(query: str, old: str, new: str) -> list[str]:
    found = op.get_bind().scalars(sa.text(query), {"table": new})
    return [name for name in found if f"_{old}" in name]


def _rename_indexes_on_sqlite(old: str, new: str) -> None:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table"
    for name, text in op.get_bind().execute(sa.text(query), {"table": new}).all():
        if text and f"_{old}_" in name:
            op.execute(f'DROP INDEX "{name}"')
            op.execute(text.replace(name, name.replace(old, new)))


def _rename_unique_constraints_on_sqlite(old: str, new: str) -> None:
    for constraint in sa.inspect(op.get_bind()).get_unique_constraints(new):
        name = constraint["name"] or ""
        if f"_{old}_" in name:
            with op.batch_alter_table(new, table_kwargs={"sqlite_with_rowid": False}) as batch:
                batch.drop_constraint(name, type_="unique")
                batch.create_unique_constraint(name.replace(old, new), constraint["column_names"])


def _rename_column_on_sqlite(column: str, new_column: str) -> None:
    sequence = sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'")
    last = op.get_bind().scalar(sequence)
    with op.batch_alter_table("deliveries", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(f"uq_deliveries_{column}", type_="unique")
        batch.alter_column(column, new_column_name=new_column)
    with op.batch_alter_table("deliveries", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.create_unique_constraint(f"uq_deliveries_{new_column}", [new_column])
    if last is not None:
        op.execute("DELETE FROM sqlite_sequence WHERE name = 'deliveries'")
        kept = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('deliveries', :last)")
        op.get_bind().execute(kept, {"last": last})
