"""Suppressions by blind index, and operators' requests for them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "suppressions",
        sa.Column("blind_index", sa.LargeBinary(length=33), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("blind_index", "reason", name=op.f("pk_suppressions")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "suppression_requests",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("hot", sa.LargeBinary(length=306), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression_requests")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("suppression_requests")
    op.drop_table("suppressions")
