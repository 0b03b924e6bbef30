"""API keys: shown once, kept as a hash, revoked at once, expired after their last day."""

from datetime import timedelta

import pytest

from app.database import Database
from app.operators.api_keys import (
    KeyNameTaken,
    KeyNameUnfit,
    KeyUnknown,
    NotSignedIn,
    create_key,
    list_keys,
    operator_of,
    revoke_key,
)
from app.operators.scopes import SCOPES, UnknownScope, parse_scopes
from tests.support.builders import a_key, everything
from tests.support.clock import MONDAY

TODAY = MONDAY.date()


def test_a_key_opens_what_it_was_made_for(database: Database) -> None:
    key = a_key(database, "issues:read,issues:write", "editor")
    with database.reading() as session:
        operator = operator_of(session, key, today=TODAY)
    assert operator.name == "editor"
    assert operator.scopes == frozenset({"issues:read", "issues:write"})


def test_the_database_does_not_hold_the_key(database: Database) -> None:
    secret = a_key(database)[-43:]
    assert secret not in repr(everything(database))


def test_other_keys_are_refused(database: Database) -> None:
    key = a_key(database)
    other = a_key(database, name="other")
    mixed = key[:14] + other[14:]
    with database.reading() as session:
        for wrong in ("", key[:-1], key + "a", mixed, key.upper(), f" {key}", "vk_ё", key[3:]):
            with pytest.raises(NotSignedIn):
                operator_of(session, wrong, today=TODAY)


def test_a_revoked_key_is_refused_at_once(database: Database) -> None:
    key = a_key(database)
    with database.transaction() as session:
        revoke_key(session, "editor")
    with database.reading() as session, pytest.raises(NotSignedIn):
        operator_of(session, key, today=TODAY)
    with database.transaction() as session, pytest.raises(KeyUnknown):
        revoke_key(session, "nobody")


def test_a_key_works_through_its_last_day(database: Database) -> None:
    with database.transaction() as session:
        key = create_key(session, "guest", ("issues:read",), today=TODAY, expires=TODAY)
    with database.reading() as session:
        assert operator_of(session, key, today=TODAY).name == "guest"
        with pytest.raises(NotSignedIn):
            operator_of(session, key, today=TODAY + timedelta(days=1))


def test_names_are_fit_and_unique(database: Database) -> None:
    a_key(database, name="Ганна 1.a-b_c")
    with pytest.raises(KeyNameTaken):
        a_key(database, name="Ганна 1.a-b_c")
    for name in ("", "a" * 81, "ann@example.org", "a\nb", "<b>"):
        with pytest.raises(KeyNameUnfit):
            a_key(database, name=name)
    with database.reading() as session:
        assert [key.name for key in list_keys(session)] == ["Ганна 1.a-b_c"]


def test_scopes_are_read_in_their_own_order() -> None:
    assert parse_scopes("all") == tuple(SCOPES)
    assert parse_scopes(" issues:write, issues:read ,") == ("issues:read", "issues:write")
    for wrong in ("", ",", "everything", "issues:read,issues:typo"):
        with pytest.raises(UnknownScope) as refused:
            parse_scopes(wrong)
        assert "typo" not in str(refused.value)
