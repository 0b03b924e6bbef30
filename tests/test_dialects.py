"""The statements that the two databases say differently do the same on both."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import literal, select

from app.database import Database
from app.dialects import insert_from_select, insert_if_absent, insert_or_add
from app.operators.models import Alert
from app.subscribers.models import ConsentText, Departure
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
            insert_or_add(session, Departure, row, key=key, add="count")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(1, 9)))
    with database.reading() as session:
        assert session.scalars(select(Departure.count)).all() == [36]
