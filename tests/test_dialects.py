"""The statements that the two databases say differently do the same on both."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import event, func, literal, select, update

from app.database import Database
from app.deliveries.ledger.models import Sender
from app.dialects import in_ids, insert_from_select, insert_if_absent, insert_or_add, jittered
from app.operators.models import Alert
from app.subscribers.models import ConsentText, UnsubscribeCount
from app.tokens import new_id
from tests.support.clock import MONDAY

TODAY = MONDAY.date()


def an_alert(key: str) -> dict[str, Any]:
    return {"id": new_id(), "key": key, "at": MONDAY, "text": "x"}


def test_what_is_there_is_passed_over(database: Database) -> None:
    with database.transaction() as session:
        assert insert_if_absent(session, Alert, []) == 0
        assert insert_if_absent(session, Alert, [an_alert("a"), an_alert("b")]) == 2
        assert insert_if_absent(session, Alert, [an_alert("b"), an_alert("c")]) == 1
        assert insert_if_absent(session, Alert, [an_alert("d"), an_alert("d")]) == 1
        assert sorted(session.scalars(select(Alert.key))) == ["a", "b", "c", "d"]


def test_many_at_once_insert_once(database: Database) -> None:
    def insert(_: int) -> int:
        with database.transaction() as session:
            return insert_if_absent(session, Alert, [an_alert("a")])

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(insert, range(6))) == 1


def test_what_a_query_finds_is_inserted_and_counted(database: Database) -> None:
    columns = ("version", "text", "day")
    with database.transaction() as session:
        insert_if_absent(session, Alert, [an_alert(key) for key in "abc"])
        found = select(Alert.key, literal("words"), literal(TODAY)).where(Alert.key != "c")
        assert insert_from_select(session, ConsentText, columns, found) == 2
        every = select(Alert.key, literal("other"), literal(TODAY)).where(Alert.key != "")
        assert insert_from_select(session, ConsentText, columns, every) == 1
        assert insert_from_select(session, ConsentText, columns, every) == 0
        assert sorted(session.scalars(select(ConsentText.text))) == ["other", "words", "words"]


def test_a_counter_adds_up(database: Database) -> None:
    key = ("day", "segment", "reason")

    def add(number: int) -> None:
        row = {"day": TODAY, "segment": "en", "reason": "x", "count": number}
        with database.transaction() as session:
            insert_or_add(session, UnsubscribeCount, row, key=key, add="count")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(1, 9)))
    with database.reading() as session:
        assert session.scalars(select(UnsubscribeCount.count)).all() == [36]


def test_instants_are_scattered_over_a_window_each_by_itself(database: Database) -> None:
    kind = Alert.at.type
    with database.transaction() as session:
        for number in range(200):
            session.add(Alert(id=new_id(), key=str(number), at=MONDAY, text="x"))
        session.flush()
        drawn = list(
            session.scalars(select(jittered(session, MONDAY, 60, kind)).select_from(Alert))
        )
        session.execute(update(Alert).values(at=jittered(session, MONDAY, 60, kind)))
        assert all(MONDAY <= at < MONDAY + timedelta(seconds=60) for at in drawn)
        assert len(set(drawn)) > 150
        halves = [at < MONDAY + timedelta(seconds=30) for at in drawn]
        assert 50 < sum(halves) < 150
        # Stored as any instant is: it compares and comes back.
        later = select(func.count()).where(
            Alert.at >= MONDAY, Alert.at < MONDAY + timedelta(minutes=1)
        )
        assert session.scalar(later) == 200


def test_one_of_many_numbers_is_asked_in_the_same_words_for_any_count(database: Database) -> None:
    asked: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    with database.transaction() as session:
        for number in range(1, 6):
            session.add(
                Sender(identity=str(number), journals="", started_at=MONDAY, lease_until=MONDAY)
            )
        session.flush()
        ids = sorted(session.scalars(select(Sender.id)))
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", listen)
        for some in ([], ids[:1], ids[1:4], [*ids, 2**53 - 1]):
            found = session.scalars(select(Sender.id).where(in_ids(Sender.id, some)))
            assert sorted(found) == [each for each in ids if each in some]
        words = set(asked)
        assert len(words) == 1
        for some in ([], ids[:3], ids):
            others = session.scalars(select(Sender.id).where(~in_ids(Sender.id, some)))
            assert sorted(others) == [each for each in ids if each not in some]
        event.remove(connection, "before_cursor_execute", listen)
