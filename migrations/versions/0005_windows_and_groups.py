"""The window of a mailing, and what is known of groups of receiving domains."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column("mailings", sa.Column("over", sa.Integer(), nullable=True))
    op.create_table(
        "group_paces",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("per_minute", sa.Float(), nullable=True),
        sa.Column("was", sa.Float(), nullable=True),
        sa.Column("lowered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_times", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_group_paces")),
    )
    op.create_table(
        "group_holds",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "sender_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "sender_id", name=op.f("pk_group_holds")),
    )
    op.create_table(
        "group_counts",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "minute", name=op.f("pk_group_counts")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("group_counts")
    op.drop_table("group_holds")
    op.drop_table("group_paces")
    op.drop_column("mailings", "over")
