"""A claimed letter is on its way at once: nothing tells any more whether it was handed out."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.drop_column("deliveries", "handed")


def downgrade() -> None:
    """Go back: what is claimed counts as handed out."""
    op.add_column(
        "deliveries",
        sa.Column("handed", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
