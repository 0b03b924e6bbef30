"""Dropping a sign-up: sealed twice, in one shape, whoever it is for."""

from sqlalchemy import select

from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.addresses.sealing import SEALED_LENGTH
from app.addresses.unsealing import open_sealed
from app.database import Database
from app.subscribers.models import SignUp
from app.subscribers.sign_up import MANAGE, SUBSCRIBE, drop, drop_manage_wish
from tests.support.clock import MONDAY

ANN = EmailAddress.parse("ann@example.org")


def only_row(database: Database) -> SignUp:
    with database.reading() as session:
        return session.scalars(select(SignUp)).one()


def test_a_sign_up_is_sealed_for_both_keys(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        drop(
            session,
            keyring,
            ANN,
            segments=("en", "be-ru"),
            language="be",
            consent="1",
            today=MONDAY.date(),
            source="footer",
        )
    row = only_row(database)
    assert (row.wish, row.segments, row.language, row.source) == (
        *(SUBSCRIBE, "en be-ru", "be"),
        "footer",
    )
    assert row.sealed is not None
    assert len(row.hot) == len(row.sealed) == SEALED_LENGTH
    assert open_sealed(keyring.hot_opening, row.id, row.hot) == ANN
    assert open_sealed(keyring.list_opening, row.id, row.sealed) == ANN


def test_a_manage_wish_is_sealed_for_the_inbox_alone(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        drop_manage_wish(session, keyring, ANN, language="ru", today=MONDAY.date())
    row = only_row(database)
    assert (row.wish, row.sealed, row.segments, row.consent) == (MANAGE, None, "", "")
    assert open_sealed(keyring.hot_opening, row.id, row.hot) == ANN
