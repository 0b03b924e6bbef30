"""Keys and database belong together; witness files know what a restored database has forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Go forward: which keys are this database's, the first start finds out."""
    op.create_table(
        "instance",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_instance"),
    )
    op.create_table(
        "instance_keys",
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(16), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_instance_keys"),
    )
    op.create_table(
        "epochs",
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("found", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_epochs"),
        sa.UniqueConstraint("mark", name="uq_epochs_mark"),
    )
    op.create_table(
        "witness_events",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("line", sa.String(200), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_witness_events"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_witness_events_position", "witness_events", ["position"])
    op.create_table(
        "known_launches",
        sa.Column("week", sa.String(8), nullable=False),
        sa.Column("segment", sa.String(40), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("week", "segment", name="pk_known_launches"),
    )


def downgrade() -> None:
    """Go back."""
    for table in ("known_launches", "witness_events", "epochs", "instance_keys", "instance"):
        op.drop_table(table)
