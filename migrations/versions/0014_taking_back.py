"""Taking back and correcting: revisions of editions, versions of issues, withdrawn approvals."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KEY = ("week", "segment", "language")


def upgrade() -> None:
    """Go forward."""
    op.add_column(
        "approvals", sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "mailings", sa.Column("revision", sa.SmallInteger(), nullable=False, server_default="1")
    )
    op.add_column("mailings", sa.Column("sent_by_revision", sa.String(length=2000), nullable=True))
    op.add_column("deliveries", sa.Column("revision", sa.SmallInteger(), nullable=True))
    op.add_column(
        "issues", sa.Column("corrections", sa.Text(), nullable=False, server_default="{}")
    )
    op.add_column(
        "issue_photos",
        sa.Column("withdrawn", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "issue_versions",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("corrections", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["week"], ["issues.week"], name=op.f("fk_issue_versions_week"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("week", "version", name=op.f("pk_issue_versions")),
    )
    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("revision", sa.SmallInteger(), nullable=False, server_default="1")
        )
        batch_op.drop_constraint(op.f("uq_editions_week_segment_language"), type_="unique")
        batch_op.create_unique_constraint(
            op.f("uq_editions_week_segment_language_revision"), [*_KEY, "revision"]
        )


def downgrade() -> None:
    """Go back: the newest revision of each edition is kept, and what was withdrawn is."""
    op.execute(
        "DELETE FROM editions WHERE revision < (SELECT max(newer.revision) FROM editions AS newer"
        " WHERE newer.week = editions.week AND newer.segment = editions.segment)"
    )
    with op.batch_alter_table("editions", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_editions_week_segment_language_revision"), type_="unique")
        batch_op.create_unique_constraint(op.f("uq_editions_week_segment_language"), list(_KEY))
        batch_op.drop_column("revision")
    op.drop_table("issue_versions")
    op.drop_column("issue_photos", "withdrawn")
    op.drop_column("issues", "corrections")
    op.drop_column("deliveries", "revision")
    op.drop_column("mailings", "sent_by_revision")
    op.drop_column("mailings", "revision")
    op.drop_column("approvals", "withdrawn")
