"""What operators see of how many is written once an hour."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table; a sender fills it."""
    op.create_table(
        "published_counts",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_published_counts"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("published_counts")
