"""Suppressing and asking: by index, for each act apart, as long as it lasts and no longer."""

from datetime import date, timedelta

import pytest

from app.addresses.address import EmailAddress
from app.addresses.blind_index import NeverKeys, never_indexes
from app.database import Database
from app.suppressions.lookup import anyone, counts, forbidden, reasons_of
from app.suppressions.reasons import COMPLAINT, DEAD, LEFT, NEVER, REASONS, Act
from app.suppressions.suppressing import forget_ended, lift, lift_reason, suppress

TODAY = date(2026, 11, 24)
KEYS = NeverKeys({1: b"1" * 32, 2: b"2" * 32})
ANN, BOB = (
    never_indexes(KEYS, EmailAddress.parse(f"{name}@example.org")) for name in ("ann", "bob")
)


def test_nobody_is_suppressed_at_first(database: Database) -> None:
    with database.reading() as session:
        assert not anyone(session)
        assert forbidden(session, Act.ISSUE, ANN, today=TODAY) == {}
        assert counts(session, today=TODAY) == dict.fromkeys(REASONS, 0)


@pytest.mark.parametrize("act", list(Act))
def test_a_suppression_forbids_what_its_reason_says(database: Database, act: Act) -> None:
    with database.transaction() as session:
        for reason in REASONS:
            index = reason.encode().ljust(33, b"-")
            suppress(session, (index,), reason, until=None)
        wanted = {reason.encode().ljust(33, b"-"): reason for reason in REASONS}
        found = forbidden(session, act, [*wanted, *BOB], today=TODAY)
        assert found == {i: r for i, r in wanted.items() if act in REASONS[r].forbids}
        assert anyone(session)


def test_it_is_known_also_by_an_older_key_s_index(database: Database) -> None:
    _, older = ANN
    with database.transaction() as session:
        suppress(session, (older,), NEVER, until=None)
        assert forbidden(session, Act.ISSUE, ANN, today=TODAY) == {older: NEVER}
        assert forbidden(session, Act.ISSUE, BOB, today=TODAY) == {}


def test_several_reasons_stand_beside_each_other(database: Database) -> None:
    with database.transaction() as session:
        for reason in (LEFT, DEAD, COMPLAINT, COMPLAINT):
            suppress(session, ANN[:1], reason, until=None)
        assert reasons_of(session, ANN, today=TODAY) == [COMPLAINT, DEAD, LEFT]
        assert forbidden(session, Act.IMPORT, ANN, today=TODAY) == {ANN[0]: COMPLAINT}


def test_one_reason_is_lifted_and_the_others_stay(database: Database) -> None:
    with database.transaction() as session:
        for reason in (COMPLAINT, NEVER):
            suppress(session, ANN[:1], reason, until=None)
        suppress(session, ANN[1:], COMPLAINT, until=None)
        suppress(session, BOB[:1], COMPLAINT, until=None)
        lift_reason(session, ANN, COMPLAINT)
        assert reasons_of(session, ANN, today=TODAY) == [NEVER]
        assert reasons_of(session, BOB, today=TODAY) == [COMPLAINT]


def test_it_holds_through_its_last_day(database: Database) -> None:
    with database.transaction() as session:
        suppress(session, ANN[:1], DEAD, until=TODAY)
        assert reasons_of(session, ANN, today=TODAY) == [DEAD]
        assert forget_ended(session, today=TODAY) == 0
        later = TODAY + timedelta(days=1)
        assert reasons_of(session, ANN, today=later) == []
        assert forbidden(session, Act.ISSUE, ANN, today=later) == {}
        assert counts(session, today=later)[DEAD] == 0
        assert forget_ended(session, today=later) == 1
        assert not anyone(session)


def test_a_repetition_changes_nothing_and_lifting_takes_it_all_back(database: Database) -> None:
    with database.transaction() as session:
        suppress(session, ANN[:1], NEVER, until=None)
        suppress(session, ANN[:1], NEVER, until=TODAY)
        suppress(session, ANN[1:], DEAD, until=None)
        assert counts(session, today=TODAY + timedelta(days=9))[NEVER] == 1
        assert lift(session, ANN)
        assert not lift(session, ANN)
        assert not anyone(session)
