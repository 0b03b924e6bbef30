"""On PostgreSQL each process can do what it must, and no more."""

from collections.abc import Iterator

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from app.addresses.keyring import Keyring
from app.archive.correcting import correct
from app.archive.published import launches
from app.database import Database
from app.db_privileges import ALL, GRANTS, ROLES, rights
from app.db_roles import (
    RolesNotAllowed,
    RolesNotHere,
    RolesUnnameable,
    grant_again,
    grant_all,
    statements,
)
from app.deliveries.ledger.cancelling import cancel_mailing, resume_mailing
from app.deliveries.ledger.claiming import claim
from app.deliveries.ledger.enrolment import enrol
from app.deliveries.ledger.states import STATES
from app.deliveries.ledger.uncertain import list_uncertain, resend, settle
from app.deliveries.recalling import recall_mailing
from app.deliveries.revising import revise
from app.editions.freezing import EditionContext, freeze
from app.issues.approval import approve
from app.issues.content import IssueContent
from app.mailings.control import pause
from app.mailings.launch import launch
from app.migration import SchemaNotOurs, migrate
from app.tables import METADATA
from tests.deliveries.rows import LIFE, a_mailing, a_sender
from tests.support.builders import (
    NEWSLETTER,
    PUBLIC_URL,
    ROLES_BEGIN,
    WEEK,
    a_document,
    a_subscriber,
    in_role,
    prepare,
)
from tests.support.clock import MONDAY
from tests.support.postgres import PostgresServer


def test_every_table_has_its_rights() -> None:
    """Whoever adds a table says in app/db_privileges.py who may do what with it."""
    assert set(GRANTS) == {*METADATA.tables, "alembic_version"}


@pytest.mark.parametrize("role", ROLES)
def test_rights_name_columns_that_there_are(role: str) -> None:
    for name, table in METADATA.tables.items():
        given = rights(role, name)
        named = {column for words in (given.read, given.change) for column in words.split()}
        assert named - {ALL} <= set(table.columns.keys()), name


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    """A migrated database on PostgreSQL, opened as its owner."""
    url = postgres.fresh_database(postgres.prepared("migrated", prepare))
    opened = Database(url)
    yield opened
    opened.close()
    postgres.drop(url)


@pytest.fixture
def public(database: Database, keyring: Keyring) -> Iterator[Database]:
    """The readers' process's way in, to a database with a reader."""
    with database.transaction() as session:
        a_subscriber(session, keyring)
    with in_role(database, "public") as opened:
        yield opened


def refused(database: Database, statement: str) -> bool:
    try:
        with database.transaction() as session:
            session.execute(text(statement))
    except ProgrammingError as wrong:
        return isinstance(wrong.orig, InsufficientPrivilege)
    return False


FORBIDDEN = [
    *(f"SELECT {column} FROM subscribers" for column in ("sealed", "blind_index", "admit")),
    "SELECT * FROM subscribers",
    "SELECT count(*) FROM sign_ups",
    "SELECT hot FROM sign_ups",
    "DELETE FROM sign_ups",
    "UPDATE sign_ups SET hot = ''",
    *(f"UPDATE subscribers SET {column} = ''" for column in ("link_id", "sealed", "admit")),
    "UPDATE subscribers SET id = ''",
    "INSERT INTO subscribers (id) VALUES ('')",
    "UPDATE subscriptions SET consent = '0'",
    "UPDATE service_messages SET fingerprint = ''",
    "INSERT INTO service_messages (nonce) VALUES ('')",
    "SELECT * FROM suppressions",
    "DELETE FROM suppressions",
    "SELECT * FROM deleted_rows",
    "DELETE FROM deleted_rows",
    "SELECT * FROM deliveries",
    "SELECT * FROM api_keys",
    "SELECT * FROM audit_entries",
    "UPDATE editions SET html = ''",
    "DELETE FROM issues",
    "INSERT INTO mailings (week) VALUES ('')",
    "UPDATE generations SET kid = 9",
    "UPDATE alembic_version SET version_num = ''",
    "DROP TABLE subscribers",
    "CREATE TABLE mine (id int)",
]


def test_c15_the_public_process_can_do_nothing_it_has_no_need_of(public: Database) -> None:
    assert [statement for statement in FORBIDDEN if not refused(public, statement)] == []


def test_the_public_process_can_do_what_it_must(public: Database) -> None:
    for statement in (
        "SELECT id, link_id, language, day, told_day FROM subscribers FOR UPDATE",
        "UPDATE subscribers SET language = 'be'",
        "UPDATE subscriptions SET state = 'confirmed'",
        "INSERT INTO deleted_rows (id, day) VALUES ('x', '2025-01-27') ON CONFLICT DO NOTHING",
        "DELETE FROM subscribers",
    ):
        assert not refused(public, statement), statement


OTHERS = [
    ("operators", "SELECT sealed FROM subscribers"),
    ("operators", "SELECT blind_index FROM suppressions"),
    ("operators", "SELECT hot FROM sign_ups"),
    ("operators", "DELETE FROM audit_entries"),
    ("operators", "UPDATE audit_entries SET actor = ''"),
    *(
        ("operators", f"UPDATE deliveries SET {column} = NULL")
        for column in ("claimed_by", "subscriber_id", "attempts", "reply_code", "relay", "kind")
    ),
    ("operators", "UPDATE deliveries SET mailing_id = 1"),
    ("operators", "UPDATE deliveries SET expires_at = '2030-01-01'"),
    ("operators", "INSERT INTO deliveries (kind) VALUES ('issue')"),
    ("operators", "DELETE FROM deliveries"),
    ("operators", "DELETE FROM mailings"),
    ("operators", "UPDATE mailings SET segment = 'be-ru'"),
    ("operators", "UPDATE mailings SET id = 9"),
    ("sender", "SELECT * FROM api_keys"),
    ("sender", "UPDATE editions SET html = ''"),
    ("sender", "DELETE FROM audit_entries"),
]


def test_c15_the_other_processes_have_limits_too(public: Database, database: Database) -> None:
    for role, statement in OTHERS:
        with in_role(database, role) as opened:
            assert refused(opened, statement), statement


def test_what_is_not_in_the_table_is_taken_away(public: Database, database: Database) -> None:
    with database.transaction() as session:
        session.execute(text(f"GRANT ALL ON subscribers, sign_ups TO {ROLES_BEGIN}_public"))
    assert not refused(public, "SELECT sealed FROM subscribers")
    grant_again(database)
    assert refused(public, "SELECT sealed FROM subscribers")
    assert not refused(public, "SELECT language FROM subscribers")


def test_a_migration_by_who_may_not_is_refused(public: Database, database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(SchemaNotOurs):
        migrate(public)


def test_who_may_not_give_rights_is_refused(public: Database) -> None:
    with pytest.raises(RolesNotAllowed):
        grant_all(public, "vestka_other")


@pytest.mark.parametrize("prefix", ["", "Vestka", "a b", "x;--", "1a", "a" * 60])
def test_a_name_is_checked(prefix: str) -> None:
    database = Database(str(make_url("postgresql://nobody@localhost/none")))
    with pytest.raises(RolesUnnameable):
        grant_all(database, prefix)
    database.close()


def test_sqlite_has_no_roles() -> None:
    with pytest.raises(RolesNotHere):
        grant_all(Database("sqlite:///nowhere.db"), "vestka")


def test_statements_take_everything_away_first() -> None:
    first, *rest = statements("public", "vestka_public")
    assert first == "GRANT USAGE ON SCHEMA public TO vestka_public"
    assert rest[0] == "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM vestka_public"
    assert "GRANT INSERT ON sign_ups TO vestka_public" in rest


def test_mistakes_are_mended_with_the_operators_rights(
    database: Database, keyring: Keyring
) -> None:
    """Recalled, launched, revised, cancelled, resumed, corrected; the sender does the rest."""
    context = EditionContext(NEWSLETTER, PUBLIC_URL)
    content = IssueContent.model_validate(a_document(said="Better"))
    with database.transaction() as session:
        mailing_id = a_mailing(session, keyring, 2).id
        sender_id = a_sender(session)
    with in_role(database, "operators") as operators, in_role(database, "sender") as sender:
        recall_mailing(operators, mailing_id, by="editor", now=MONDAY)
        with operators.transaction() as session:
            approve(session, NEWSLETTER, WEEK, ["en"], by="editor", now=MONDAY)
            freeze(session, NEWSLETTER, WEEK, ["en"], public_url=PUBLIC_URL, now=MONDAY)
        with sender.transaction() as session:
            launch(session, WEEK, NEWSLETTER.segment("en"), by="calendar", now=MONDAY)
            assert enrol(session, life=LIFE, now=MONDAY) == 2
        with operators.transaction() as session:
            pause(session, 1)
            revise(session, context, 1, content, by="editor", now=MONDAY)
            cancel_mailing(session, 1, now=MONDAY)
            resume_mailing(session, 1, life=LIFE, now=MONDAY)
        with sender.transaction() as session:
            taken = claim(session, sender_id, limit=9, now=MONDAY)
            assert [each.revision for each in taken] == [2, 2]
        with operators.transaction() as session:
            correct(session, context, content, {"en": "One word."}, by="editor", now=MONDAY)
    with in_role(database, "public") as public:
        with public.reading() as session:
            assert len(launches(session, "en")[0].corrections.notes) == 1
        assert refused(public, "SELECT * FROM issue_versions")


MOVES_OF_CONTROL = {
    ("uncertain", "pending"),
    ("uncertain", "sent"),
    ("failed", "pending"),
    ("pending", "excluded"),
    ("deferred", "excluded"),
    ("excluded", "pending"),  # of whom only the cancelling excluded
}


@pytest.mark.parametrize("before", STATES)
def test_operators_make_only_the_moves_of_control(
    before: str, database: Database, keyring: Keyring
) -> None:
    """Whoever holds the operators' database user cannot send twice or hide what was sent."""
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
    made = set()
    for after in STATES:
        with database.transaction() as session:
            session.execute(
                text("UPDATE deliveries SET state = :s, reason = 'cancelled'"), {"s": before}
            )
        with in_role(database, "operators") as operators:
            if not refused(operators, f"UPDATE deliveries SET state = '{after}'"):
                made.add((before, after))
    assert made == {move for move in MOVES_OF_CONTROL if move[0] == before}


def test_operators_bring_back_nobody_who_left(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
        session.execute(text("UPDATE deliveries SET state = 'excluded', reason = 'unsubscribed'"))
    with in_role(database, "operators") as operators:
        assert refused(operators, "UPDATE deliveries SET state = 'pending'")
        assert refused(operators, "UPDATE deliveries SET due_at = '2030-01-01'")
    with in_role(database, "sender") as sender:
        assert not refused(sender, "UPDATE deliveries SET due_at = '2030-01-01'")


def test_uncertain_messages_are_decided_with_the_operators_rights(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing_id = a_mailing(session, keyring, 2).id
        session.execute(text("UPDATE deliveries SET state = 'uncertain'"))
    with in_role(database, "operators") as operators, operators.transaction() as session:
        first, _ = list_uncertain(session, mailing_id)
        assert resend(session, mailing_id, [first.id], now=MONDAY) == 1
        assert settle(session, mailing_id, None) == 1
