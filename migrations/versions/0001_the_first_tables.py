"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("key", name=op.f("uq_alerts_key")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alerts_at"), ["at"], unique=False)

    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.String(length=400), nullable=False),
        sa.Column("created_day", sa.Date(), nullable=False),
        sa.Column("expires_day", sa.Date(), nullable=True),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_api_keys_name")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_table(
        "consent_texts",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consent_texts")),
    )
    op.create_table(
        "departures",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "segment", "reason", name=op.f("pk_departures")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "issues",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("week", name=op.f("pk_issues")),
    )
    op.create_table(
        "relay_grants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("relay", sa.String(length=280), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay_grants")),
    )
    with op.batch_alter_table("relay_grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_relay_grants_relay_at"), ["relay", "at"], unique=False)

    op.create_table(
        "relay_lines",
        sa.Column("relay", sa.String(length=280), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("relay", "number", name=op.f("pk_relay_lines")),
    )
    op.create_table(
        "relay_paces",
        sa.Column("relay", sa.String(length=280), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("relay", name=op.f("pk_relay_paces")),
    )
    op.create_table(
        "senders",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identity", sa.String(length=40), nullable=False),
        sa.Column("journals", sa.String(length=1000), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_senders")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("senders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_senders_identity"), ["identity"], unique=False)

    op.create_table(
        "sign_ups",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wish", sa.String(length=20), nullable=False),
        sa.Column("hot", sa.LargeBinary(length=306), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=306), nullable=True),
        sa.Column("segments", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=True),
        sa.Column("consent", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slots",
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=True),
        sa.PrimaryKeyConstraint("segment", "at", name=op.f("pk_slots")),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("link_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("blind_index", sa.LargeBinary(length=33), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=306), nullable=False),
        sa.Column("admit", sa.LargeBinary(length=33), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("told_day", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("blind_index", name=op.f("uq_subscribers_blind_index")),
        sa.UniqueConstraint("link_id", name=op.f("uq_subscribers_link_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "approvals",
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["week"], ["issues.week"], name=op.f("fk_approvals_week"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("week", "segment", name=op.f("pk_approvals")),
    )
    op.create_table(
        "service_letters",
        sa.Column("nonce", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subscriber_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=True),
        sa.Column("segments", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_service_letters_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_service_letters")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_service_letters_fingerprint")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("service_letters", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_service_letters_subscriber_id"), ["subscriber_id"], unique=False
        )

    op.create_table(
        "subscriptions",
        sa.Column("subscriber_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("consent", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=True),
        sa.Column("requested_day", sa.Date(), nullable=False),
        sa.Column("confirmed_day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name=op.f("fk_subscriptions_subscriber_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "segment", name=op.f("pk_subscriptions")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_subscriptions_segment_state_subscriber_id"),
            ["segment", "state", "subscriber_id"],
            unique=False,
        )

    op.create_table(
        "editions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["week", "segment"],
            ["approvals.week", "approvals.segment"],
            name=op.f("fk_editions_week_segment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
        sa.UniqueConstraint(
            "week", "segment", "language", name=op.f("uq_editions_week_segment_language")
        ),
    )
    op.create_table(
        "mailings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("segment", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=True),
        sa.Column("launched_by", sa.String(length=80), nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("folded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["week", "segment"],
            ["approvals.week", "approvals.segment"],
            name=op.f("fk_mailings_week_segment"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailings")),
        sa.UniqueConstraint("week", "segment", name=op.f("uq_mailings_week_segment")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column(
            "mailing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("subscriber_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("letter_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column(
            "claimed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("handed", sa.Boolean(), nullable=False),
        sa.Column("reply_code", sa.SmallInteger(), nullable=True),
        sa.Column("reply_status", sa.String(length=12), nullable=True),
        sa.Column("relay", sa.String(length=280), nullable=True),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailings.id"], name=op.f("fk_deliveries_mailing_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("letter_id", name=op.f("uq_deliveries_letter_id")),
        sa.UniqueConstraint(
            "mailing_id", "subscriber_id", name=op.f("uq_deliveries_mailing_id_subscriber_id")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_deliveries_claimed",
            ["claimed_by"],
            unique=False,
            postgresql_where=sa.text("claimed_by IS NOT NULL"),
            sqlite_where=sa.text("claimed_by IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_deliveries_due",
            ["mailing_id", "due_at", "id"],
            unique=False,
            postgresql_where=sa.text("state IN ('pending', 'deferred')"),
            sqlite_where=sa.text("state IN ('pending', 'deferred')"),
        )
        batch_op.create_index(
            "ix_deliveries_mailing_id_state", ["mailing_id", "state", "reason"], unique=False
        )

    op.create_table(
        "folded_counts",
        sa.Column(
            "mailing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailings.id"], name=op.f("fk_folded_counts_mailing_id")
        ),
        sa.PrimaryKeyConstraint("mailing_id", "state", "reason", name=op.f("pk_folded_counts")),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("relay_paces")
    op.drop_table("relay_lines")
    with op.batch_alter_table("relay_grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_relay_grants_relay_at"))

    op.drop_table("relay_grants")
    op.drop_table("folded_counts")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_mailing_id_state")
        batch_op.drop_index(
            "ix_deliveries_due",
            postgresql_where=sa.text("state IN ('pending', 'deferred')"),
            sqlite_where=sa.text("state IN ('pending', 'deferred')"),
        )
        batch_op.drop_index(
            "ix_deliveries_claimed",
            postgresql_where=sa.text("claimed_by IS NOT NULL"),
            sqlite_where=sa.text("claimed_by IS NOT NULL"),
        )

    op.drop_table("deliveries")
    op.drop_table("mailings")
    op.drop_table("editions")
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscriptions_segment_state_subscriber_id"))

    op.drop_table("subscriptions")
    with op.batch_alter_table("service_letters", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_letters_subscriber_id"))

    op.drop_table("service_letters")
    op.drop_table("approvals")
    op.drop_table("subscribers")
    op.drop_table("slots")
    op.drop_table("sign_ups")
    with op.batch_alter_table("senders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_senders_identity"))

    op.drop_table("senders")
    op.drop_table("issues")
    op.drop_table("installation")
    op.drop_table("departures")
    op.drop_table("consent_texts")
    op.drop_table("audit_entries")
    op.drop_table("api_keys")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_at"))

    op.drop_table("alerts")
