"""Photos, their versions for letters, and which issue and edition shows which."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "photos",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
    )
    op.create_table(
        "photo_versions",
        sa.Column("photo_id", sa.String(length=64), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["photo_id"],
            ["photos.id"],
            name=op.f("fk_photo_versions_photo_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("photo_id", "step", name=op.f("pk_photo_versions")),
    )
    op.create_table(
        "issue_photos",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("photo_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["week"], ["issues.week"], name=op.f("fk_issue_photos_week"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"],
            ["photos.id"],
            name=op.f("fk_issue_photos_photo_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("week", "photo_id", name=op.f("pk_issue_photos")),
    )
    op.create_index(op.f("ix_issue_photos_photo_id"), "issue_photos", ["photo_id"], unique=False)
    op.add_column("editions", sa.Column("photos", sa.Text(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Go back."""
    op.drop_column("editions", "photos")
    op.drop_index(op.f("ix_issue_photos_photo_id"), "issue_photos")
    op.drop_table("issue_photos")
    op.drop_table("photo_versions")
    op.drop_table("photos")
