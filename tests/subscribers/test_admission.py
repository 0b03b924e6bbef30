"""Admission: what the sender makes of the inbox, also of what somebody planted there."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.addresses import sealing
from app.addresses.address import EmailAddress
from app.addresses.keyring import Keyring
from app.addresses.sealing import SealingKey, seal
from app.database import Database
from app.operators.models import Alert
from app.settings import Rate
from app.subscribers.admission import admit
from app.subscribers.models import (
    CONFIRMED,
    PENDING,
    ServiceMessage,
    SignUp,
    Subscriber,
    Subscription,
)
from app.subscribers.row_integrity import open_selected, rows
from app.subscribers.service_message_kinds import ALREADY_SUBSCRIBED, CONFIRMATION, MANAGE_LINK
from app.subscribers.sign_up import SUBSCRIBE, drop, drop_manage_wish
from app.tokens import new_id
from tests.support.builders import a_subscriber
from tests.support.clock import MONDAY

ANN = "ann@example.org"


def sign_up(
    database: Database,
    keyring: Keyring,
    address: str = ANN,
    segments: Sequence[str] = ("en",),
    language: str = "en",
) -> None:
    with database.transaction() as session:
        drop(
            session,
            keyring,
            EmailAddress.parse(address),
            segments=segments,
            language=language,
            consent="1",
            today=MONDAY.date(),
        )


def plant(database: Database, keyring: Keyring, hot: str, kept: str, row_id: bytes) -> None:
    """Do what someone can who may write the database, and has the public keys."""
    row = SignUp(
        id=row_id,
        wish=SUBSCRIBE,
        hot=seal(keyring.hot_sealing, row_id, EmailAddress.parse(hot)),
        sealed=seal(keyring.list_sealing, row_id, EmailAddress.parse(kept)),
        segments="en",
        language="en",
        consent="1",
        day=MONDAY.date(),
    )
    with database.transaction() as session:
        session.add(row)


def let_in(
    database: Database, keyring: Keyring, now: datetime = MONDAY, rates: Sequence[Rate] = ()
) -> int:
    with database.transaction() as session:
        return admit(session, keyring, rates=rates, now=now)


def messages(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(select(ServiceMessage.kind)))


def subscriptions(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        rows = session.execute(select(Subscription.segment, Subscription.state))
        return sorted((row.segment, row.state) for row in rows)


def how_many(database: Database, table: type) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_new_address_becomes_a_subscriber_who_is_asked(
    database: Database, keyring: Keyring
) -> None:
    sign_up(database, keyring, segments=("en", "be-ru"), language="be")
    assert let_in(database, keyring) == 1
    assert how_many(database, SignUp) == 0
    assert subscriptions(database) == [("be-ru", PENDING), ("en", PENDING)]
    assert messages(database) == [CONFIRMATION]
    with database.reading() as session:
        row = session.execute(rows().add_columns(Subscriber.language)).one()
    assert open_selected(keyring, row) == EmailAddress(ANN)
    assert row.language == "be"


def test_an_empty_inbox_changes_nothing(database: Database, keyring: Keyring) -> None:
    sign_up(database, keyring)
    assert let_in(database, keyring) == 1
    assert let_in(database, keyring) == 0
    assert messages(database) == [CONFIRMATION]


def test_fifty_sign_ups_bring_one_message(database: Database, keyring: Keyring) -> None:
    for spelling in [ANN, "ANN@EXAMPLE.ORG", "Ann@example.org"] * 17:
        sign_up(database, keyring, spelling)
    let_in(database, keyring)
    assert how_many(database, Subscriber) == 1
    assert messages(database) == [CONFIRMATION]


def test_wishing_for_parts_and_wholes_brings_few_messages(
    database: Database, keyring: Keyring
) -> None:
    wishes: list[tuple[str, ...]] = [("en",), ("be-ru",), ("en", "be-ru")]
    for segments in wishes * 10:
        sign_up(database, keyring, segments=segments)
        let_in(database, keyring)
    assert messages(database) == [CONFIRMATION]  # the last, which asks for both


def test_a_confirmed_reader_is_told_once_in_thirty_days(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, ANN)
    for days in (0, 0, 1, 29):
        sign_up(database, keyring)
        let_in(database, keyring, MONDAY + timedelta(days=days))
    assert messages(database) == [ALREADY_SUBSCRIBED]
    sign_up(database, keyring)
    let_in(database, keyring, MONDAY + timedelta(days=30))
    assert messages(database) == [ALREADY_SUBSCRIBED, ALREADY_SUBSCRIBED]


def test_a_confirmed_reader_may_ask_for_more(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, ANN, segments=("en",))
    sign_up(database, keyring, segments=("en", "be-ru"))
    let_in(database, keyring)
    assert subscriptions(database) == [("be-ru", PENDING), ("en", CONFIRMED)]
    assert messages(database) == [CONFIRMATION]
    with database.reading() as session:
        assert session.scalars(select(ServiceMessage.segments)).one() == "be-ru"


def test_a_sign_up_does_not_change_a_confirmed_reader(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, ANN, language="en")
        before = (reader.id, reader.link_id, reader.sealed, reader.language)
    sign_up(database, keyring, language="ru")
    let_in(database, keyring)
    with database.reading() as session:
        reader = session.scalars(select(Subscriber)).one()
        assert (reader.id, reader.link_id, reader.sealed, reader.language) == before


def test_a_manage_wish_helps_who_is_known(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, ANN)
        for address in (ANN, ANN, "bob@example.org"):
            parsed = EmailAddress.parse(address)
            drop_manage_wish(session, keyring, parsed, language="en", today=MONDAY.date())
    assert let_in(database, keyring) == 3
    assert messages(database) == [MANAGE_LINK]
    assert how_many(database, Subscriber) == 1


def test_two_addresses_in_one_sign_up_are_thrown_away_and_reported(
    database: Database, keyring: Keyring
) -> None:
    plant(database, keyring, ANN, "eve@example.org", new_id())
    sign_up(database, keyring, "bob@example.org")
    assert let_in(database, keyring) == 2
    assert how_many(database, SignUp) == 0
    assert how_many(database, Subscriber) == 1
    assert how_many(database, Alert) == 1


def test_a_sign_up_that_was_moved_is_thrown_away(database: Database, keyring: Keyring) -> None:
    sign_up(database, keyring)
    with database.transaction() as session:
        session.execute(SignUp.__table__.update().values(id=new_id()))  # type: ignore[attr-defined]
    assert let_in(database, keyring) == 1
    assert how_many(database, Subscriber) == 0
    assert how_many(database, Alert) == 1


def test_a_damaged_seal_is_thrown_away(database: Database, keyring: Keyring) -> None:
    sign_up(database, keyring)
    with database.transaction() as session:
        session.scalars(select(SignUp)).one().sealed = None
    assert let_in(database, keyring) == 1
    assert how_many(database, Subscriber) == 0


def test_a_planted_row_with_an_odd_id_does_not_block_the_inbox(
    database: Database, keyring: Keyring
) -> None:
    def sealed_oddly(key: SealingKey) -> bytes:
        head = bytes((sealing.SUITE_ID, key.kid))
        info = sealing.bound_to(head, key.purpose, b"short")
        return head + sealing.SUITE.encrypt(sealing._pad(ANN), key.public, info=info)

    with database.transaction() as session:
        session.add(
            SignUp(
                id=b"short",
                wish=SUBSCRIBE,
                hot=sealed_oddly(keyring.hot_sealing),
                sealed=sealed_oddly(keyring.list_sealing),
                segments="en",
                language="en",
                consent="1",
                day=MONDAY.date(),
            )
        )
    sign_up(database, keyring)
    assert let_in(database, keyring) == 2
    assert how_many(database, Subscriber) == 1
    assert how_many(database, Alert) == 1


def test_a_planted_row_with_a_reader_s_id_does_not_block_the_inbox(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, ANN)
        sealed = reader.sealed
    plant(database, keyring, "eve@example.org", "eve@example.org", reader.id)
    sign_up(database, keyring, "bob@example.org")
    assert let_in(database, keyring) == 2
    assert how_many(database, Subscriber) == 2
    assert how_many(database, Alert) == 1
    with database.reading() as session:
        kept = session.get_one(Subscriber, reader.id)
        assert kept.sealed == sealed


def test_two_senders_admit_one_address_once(database: Database, keyring: Keyring) -> None:
    for _ in range(4):
        sign_up(database, keyring)

    def one(_: int) -> int:
        with database.transaction() as session:
            return admit(session, keyring, rates=(), now=MONDAY, limit=1)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) >= 1
    while let_in(database, keyring):
        pass
    assert how_many(database, SignUp) == 0
    assert how_many(database, Subscriber) == 1
    assert messages(database) == [CONFIRMATION]


@pytest.mark.parametrize("limit", [1, 3])
def test_the_inbox_is_emptied_in_portions(database: Database, keyring: Keyring, limit: int) -> None:
    for name in ("ann", "bob", "eve"):
        sign_up(database, keyring, f"{name}@example.org")
    with database.transaction() as session:
        assert admit(session, keyring, rates=(), now=MONDAY, limit=limit) == limit
    let_in(database, keyring)
    assert how_many(database, Subscriber) == 3
