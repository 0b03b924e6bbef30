"""The roster: how many, by segment and language, and never who."""

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.counts import counts
from app.subscribers.models import PENDING
from app.subscribers.unsubscription import ERASED, UNSUBSCRIBED, end
from tests.support.builders import NEWSLETTER, a_subscriber
from tests.support.clock import MONDAY


def test_an_empty_list_has_every_segment(database: Database) -> None:
    with database.reading() as session:
        rows = counts(session, NEWSLETTER)
    assert [row["segment"] for row in rows] == ["en", "be-ru"]
    assert [row["label"] for row in rows] == ["EN", "BE/RU"]
    for row in rows:
        assert (row["confirmed"], row["pending"], row["languages"], row["left"]) == (0, 0, {}, {})


def test_readers_are_counted_by_segment_language_and_state(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "a@example.org", segments=["en", "be-ru"], language="be")
        a_subscriber(session, keyring, "b@example.org", segments=["be-ru"], language="ru")
        a_subscriber(session, keyring, "c@example.org", segments=["be-ru"], language="ru")
        a_subscriber(session, keyring, "d@example.org", segments=["en"], state=PENDING)
    with database.reading() as session:
        en, be_ru = counts(session, NEWSLETTER)
    assert (en["confirmed"], en["pending"], en["languages"]) == (1, 1, {"be": 1})
    assert (be_ru["confirmed"], be_ru["pending"]) == (3, 0)
    assert be_ru["languages"] == {"be": 1, "ru": 2}


def test_who_left_stays_a_number_for_each_reason(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        for name, reason in (("a", UNSUBSCRIBED), ("b", UNSUBSCRIBED), ("c", ERASED)):
            reader = a_subscriber(session, keyring, f"{name}@example.org")
            end(session, reader.id, None, reason, today=MONDAY.date())
    with database.reading() as session:
        en, be_ru = counts(session, NEWSLETTER)
    assert en["left"] == {UNSUBSCRIBED: 2, ERASED: 1}
    assert be_ru["left"] == {}
