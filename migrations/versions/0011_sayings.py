"""What servers said, by a mark that stands for it: of one reader alone no text is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.drop_table("diagnostics")
    op.create_table(
        "diagnostics",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("mark", sa.LargeBinary(length=16), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("week", "segment", "outcome", "mark", name=op.f("pk_diagnostics")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("diagnostics")
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
