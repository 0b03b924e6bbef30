"""Which process uses which generation of keys."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "key_users",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("seals", sa.SmallInteger(), nullable=False),
        sa.Column("knows", sa.SmallInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_users")),
    )
    op.create_table(
        "generations",
        sa.Column("kid", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_generations")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("generations")
    op.drop_table("key_users")
