"""What was taken of allowances, and how often they refused."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "allowances_taken",
        sa.Column("tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_allowances_taken")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_allowances_taken_until"), "allowances_taken", ["until"], unique=False)
    op.create_table(
        "allowances_refused",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "reason", name=op.f("pk_allowances_refused")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("allowances_refused")
    op.drop_index(op.f("ix_allowances_taken_until"), "allowances_taken")
    op.drop_table("allowances_taken")
