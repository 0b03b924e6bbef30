"""What came back: letters, marks, counts, and what servers said."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "returned",
        sa.Column("letter", sa.LargeBinary(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("letter", "outcome", name=op.f("pk_returned")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marks",
        sa.Column("reader", sa.LargeBinary(length=16), nullable=False),
        sa.Column("week", sa.Integer(), nullable=False),
        sa.Column("run", sa.SmallInteger(), nullable=False),
        sa.Column("hard", sa.SmallInteger(), nullable=False),
        sa.Column("hard_week", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("reader", name=op.f("pk_marks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outcome_counts",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=24), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "week", "segment", "outcome", "reason", "provider", name=op.f("pk_outcome_counts")
        ),
    )
    op.create_table(
        "diagnostics",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("week", "segment", "outcome", "text", name=op.f("pk_diagnostics")),
    )


def downgrade() -> None:
    """Go back."""
    for table in ("diagnostics", "outcome_counts", "marks", "returned"):
        op.drop_table(table)
