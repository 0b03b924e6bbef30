"""What each role may do with each table on PostgreSQL: one table of rights, and nothing else.

The readers' process reads no seal, no index and no mark, and cannot take back what it left in the
inbox; no process but the operators' sees an API key. A table that is not listed fails a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ROLES = ("public", "operators", "sender")

ALL = "*"
COUNT = "count"


@dataclass(frozen=True, slots=True)
class Rights:
    """Columns that may be read and changed (spaces between, `*` for all); rows added, removed."""

    read: str = ""
    change: str = ""
    add: bool = False
    remove: bool = False


NONE = Rights()
READ = Rights(read=ALL)
ADD = Rights(add=True)
READ_ADD = Rights(read=ALL, add=True)
EVERYTHING = Rights(read=ALL, change=ALL, add=True, remove=True)
COUNTER = Rights(read=ALL, change=COUNT, add=True)


@dataclass(frozen=True, slots=True)
class Access:
    """The rights of the three roles in one table."""

    public: Rights = NONE
    operators: Rights = NONE
    sender: Rights = EVERYTHING


# Whoever leaves is deleted by whoever hears of it, and no seal has to be read for that.
_LEAVING = Rights(read="id link_id language day told_day", change="language", remove=True)
_ENDING = Rights(read="id link_id language", change="language", remove=True)

# Which reason is the gravest is seen by whoever adds one; only the sender acts upon it.
_FAREWELL = Rights(read=ALL, change="reason until", add=True)

# What control and a relaunch change of a mailing; never which issue and segment it is.
_CONTROL = Rights(
    read=ALL,
    change="state audience launched_by launched_at finished_at over folded revision"
    " sent_by_revision",
    add=True,
)

# A trigger allows these only together with the moves of control (migration 0016): what was sent
# stays sent, whom a row is for and who holds it is not theirs to say.
_DECIDING = Rights(read=ALL, change="state reason due_at")

GRANTS: Mapping[str, Access] = {
    # whoever runs
    "alembic_version": Access(public=READ, operators=READ, sender=READ),
    "key_users": Access(public=EVERYTHING, operators=EVERYTHING),
    "generations": Access(public=READ, operators=READ),
    "instance": Access(public=READ, operators=READ),
    "instance_keys": Access(public=READ, operators=READ),
    "epochs": Access(operators=READ),
    "witness_events": Access(public=ADD, operators=ADD),
    # readers
    "sign_ups": Access(public=ADD, operators=Rights(read="day")),
    "subscribers": Access(public=_LEAVING, operators=_ENDING),
    "subscriptions": Access(
        public=Rights(read=ALL, change="state confirmed_day", add=True, remove=True),
        operators=Rights(read=ALL, remove=True),
    ),
    "service_messages": Access(
        public=Rights(read=ALL, change="used", remove=True),
        operators=Rights(read="nonce kind subscriber_id expires_at", remove=True),
    ),
    "unsubscribe_counts": Access(public=COUNTER, operators=COUNTER),
    "consent_texts": Access(public=READ),
    "deleted_rows": Access(public=ADD, operators=ADD),
    "pending_removals": Access(public=_FAREWELL, operators=_FAREWELL),
    "pending_lifts": Access(),
    "quarantine": Access(operators=Rights(read="kind flaw")),
    "spent_proofs": Access(public=READ_ADD),
    "suppressions": Access(
        public=ADD,
    ),
    "suppression_requests": Access(operators=ADD),
    "rate_limit_counts": Access(public=COUNTER),
    "rate_limit_refusals": Access(public=COUNTER, operators=READ),
    # issues, and what was sent
    "issues": Access(public=READ, operators=EVERYTHING, sender=READ),
    "issue_versions": Access(operators=READ_ADD, sender=READ),
    "approvals": Access(public=READ, operators=EVERYTHING, sender=READ),
    "editions": Access(public=READ, operators=EVERYTHING, sender=READ),
    "photos": Access(public=READ, operators=EVERYTHING, sender=READ),
    "photo_versions": Access(public=READ, operators=EVERYTHING, sender=READ),
    "issue_photos": Access(public=READ, operators=EVERYTHING, sender=READ),
    "mailings": Access(
        public=Rights(read="id week segment state launched_at finished_at"), operators=_CONTROL
    ),
    "known_launches": Access(operators=READ),
    "slots": Access(),
    "installation": Access(),
    # deliveries
    "deliveries": Access(public=Rights(read="id mailing_id state"), operators=_DECIDING),
    "test_messages": Access(operators=Rights(read="id week segment language expires_at", add=True)),
    "aggregated_counts": Access(public=Rights(read="mailing_id state"), operators=READ),
    "senders": Access(operators=Rights(read="id lease_until")),
    "relay_rates": Access(),
    "relay_grants": Access(),
    "relay_connections": Access(),
    "destination_rates": Access(operators=READ),
    "destinations_in_flight": Access(),
    "destination_counts": Access(operators=READ),
    # what came back
    "bounce_marks": Access(operators=EVERYTHING),
    "bounces_seen": Access(operators=READ_ADD),
    "outcome_counts": Access(operators=COUNTER),
    "diagnostics": Access(operators=COUNTER),
    # operators
    "api_keys": Access(operators=EVERYTHING, sender=NONE),
    "audit_entries": Access(operators=READ_ADD, sender=READ_ADD),
    "alerts": Access(operators=READ_ADD),
    "published_counts": Access(operators=READ),
}


def rights(role: str, table: str) -> Rights:
    """Return what a role may do with a table."""
    found: Rights = getattr(GRANTS[table], role)
    return found
