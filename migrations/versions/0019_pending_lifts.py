"""Who is suppressed for a complaint and signed up again: a confirmation lifts it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; the sender alone uses it."""
    op.create_table(
        "pending_lifts",
        sa.Column("subscriber_id", sa.LargeBinary(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name="fk_pending_lifts_subscriber_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name="pk_pending_lifts"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("pending_lifts")
