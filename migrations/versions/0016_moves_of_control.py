"""On PostgreSQL, who may not claim deliveries makes only the moves that control needs."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Whoever may write `claimed_by` is a sender or the tables' owner; the operators' role may not, and
# the names of roles are the installation's own.
_FUNCTION = """
CREATE FUNCTION only_moves_of_control() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('uncertain', 'pending'), ('uncertain', 'sent'), ('failed', 'pending'),
        ('pending', 'excluded'), ('deferred', 'excluded')
    ) AND NOT (
        OLD.state = 'excluded' AND OLD.reason = 'cancelled' AND NEW.state = 'pending'
    ) THEN
        RAISE EXCEPTION 'a delivery that is % cannot become % by this role', OLD.state, NEW.state
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""

_TRIGGER = """
CREATE TRIGGER only_moves_of_control BEFORE UPDATE ON deliveries FOR EACH ROW
WHEN (NOT has_column_privilege('deliveries', 'claimed_by', 'UPDATE'))
EXECUTE FUNCTION only_moves_of_control()
"""


def upgrade() -> None:
    """Add the trigger; SQLite has no roles, and its file is its owner's alone."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        op.execute(_TRIGGER)


def downgrade() -> None:
    """Take it away."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER only_moves_of_control ON deliveries")
        op.execute("DROP FUNCTION only_moves_of_control")
