"""Shares over a threshold pause their mailing once, and never without enough messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries.ledger.models import Delivery
from app.mail.classification import Class, Verdict
from app.mailings.control import resume
from app.mailings.models import Mailing
from app.mailings.states import FINISHED, PAUSED, RUNNING
from app.operators.alerts import recent_alerts
from app.outcomes.auto_pause import AutoPause, Share, is_over
from app.outcomes.counting import count_outcome
from app.settings import Thresholds
from tests.deliveries.rows import a_mailing
from tests.support.clock import MONDAY

DEFAULT = Thresholds()
watched = st.sampled_from([Class.COMPLAINT, Class.HARD, Class.BLOCK])


@given(watched, st.integers(0, 5000), st.integers(0, 100_000))
def test_it_takes_enough_messages_and_enough_of_them(
    class_: Class, returned: int, sent: int
) -> None:
    over = is_over(Share(class_, returned, sent), DEFAULT)
    limit = {Class.COMPLAINT: 0.003, Class.HARD: 0.05, Class.BLOCK: 0.01}[class_]
    assert over == (returned >= 3 and returned >= limit * max(sent, returned))


@given(watched, st.integers(0, 100), st.integers(0, 1000))
def test_more_that_comes_back_never_looks_better(class_: Class, returned: int, sent: int) -> None:
    if is_over(Share(class_, returned, sent), DEFAULT):
        assert is_over(Share(class_, returned + 1, sent), DEFAULT)


def came_back(session: Transaction, class_: Class, times: int) -> None:
    for _ in range(times):
        count_outcome(session, "2025-W04", "en", Verdict(class_, "any"), "other")


@pytest.mark.parametrize("class_", [Class.COMPLAINT, Class.HARD, Class.BLOCK])
def test_a_mailing_is_paused_once(database: Database, keyring: Keyring, class_: Class) -> None:
    watch = AutoPause(DEFAULT)
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 4)
        session.execute(update(Delivery).values(state="sent"))
        came_back(session, class_, 2)
        assert watch.look(session, now=MONDAY) == 0
        came_back(session, class_, 1)
        assert watch.look(session, now=MONDAY) == 1
        assert mailing.state == PAUSED
        (told,) = recent_alerts(session)
        assert "3 of 4 messages came back" in told.text
        resume(session, mailing.id)
        came_back(session, class_, 1)
        for each in (watch, AutoPause(DEFAULT)):
            assert each.look(session, now=MONDAY) == 0
        assert mailing.state == RUNNING


def test_one_that_is_over_is_told_of(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 4)
        session.execute(update(Mailing).values(state=FINISHED, finished_at=MONDAY))
        session.refresh(mailing)
        came_back(session, Class.HARD, 3)
        assert AutoPause(DEFAULT).look(session, now=MONDAY) == 1
        (told,) = recent_alerts(session)
        assert "over already" in told.text


def test_other_classes_are_not_watched(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 4)
        for class_ in set(Class) - {Class.COMPLAINT, Class.HARD, Class.BLOCK}:
            came_back(session, class_, 9)
        assert AutoPause(DEFAULT).look(session, now=MONDAY) == 0
        assert session.scalars(select(Mailing)).one().state == RUNNING
