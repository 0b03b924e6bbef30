"""Recalling: while nothing was attempted, and then as if it had never been launched."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.deliveries import recalling
from app.deliveries.ledger.cancelling import cancel_mailing
from app.deliveries.ledger.completion import complete
from app.deliveries.ledger.enrolment import enrol
from app.deliveries.ledger.models import Delivery
from app.deliveries.ledger.progress import as_record
from app.deliveries.ledger.recording import release
from app.deliveries.recalling import (
    AlreadyAttempted,
    MessagesClaimed,
    recall,
    recall_mailing,
    wait_until_released,
)
from app.editions.freezing import editions_of
from app.issues.approval import approve, approved_segments
from app.issues.drafting import IssueClosed, IssueRecalled, delete
from app.mailings.launch import find_mailing, launch, mailing_of
from app.mailings.models import Mailing
from app.mailings.states import MOVES, MoveNotAllowed, move
from app.mailings.withdrawal import AlreadySent, withdraw
from app.operators.audit import entries
from tests.deliveries.rows import LIFE, a_mailing, claimed
from tests.support.builders import NEWSLETTER, WEEK, an_issue
from tests.support.clock import MONDAY

EN = NEWSLETTER.segment("en")


def launched_again(session: Transaction) -> Mailing:
    an_issue(session, approved=["en"])
    mailing, new = launch(session, WEEK, EN, by="editor", now=MONDAY)
    assert new
    return mailing


@pytest.mark.parametrize("state", ["running", "paused", "cancelled", "finished"])
def test_what_was_not_attempted_is_undone(state: str, database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 3)
        mailing.state = state
        session.execute(update(Delivery).values(state="excluded", reason="unsubscribed"))
    with database.transaction() as session:
        assert recall(session, mailing.id).state == "recalled"
        assert mailing_of(session, WEEK, "en") is None
        assert approved_segments(session, WEEK) == ()
        assert editions_of(session, str(WEEK), "en") == {}
        assert as_record(session, find_mailing(session, mailing.id), now=MONDAY)["audience"] is None
        assert recall(session, mailing.id).state == "recalled", "twice is once"
    with database.transaction() as session:
        complete(session, now=MONDAY)
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0
        again = launched_again(session)
        assert again.id == mailing.id
        assert enrol(session, life=LIFE, now=MONDAY) == 3
        assert (again.state, again.audience, again.finished_at) == ("running", 3, None)


def test_a_launch_before_the_rows_are_gone_has_a_new_audience(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 3)
        session.execute(update(Delivery).values(state="excluded", reason="unsubscribed"))
        recall(session, mailing.id)
        launched_again(session)
        assert enrol(session, life=LIFE, now=MONDAY) == 3
        assert as_record(session, mailing, now=MONDAY)["pending"] == 3


@pytest.mark.parametrize("state", ["sent", "uncertain", "failed", "deferred", "pending"])
def test_what_was_attempted_is_not(state: str, database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 3)
        session.execute(update(Delivery).where(Delivery.id == 1).values(state=state, attempts=1))
        with pytest.raises(AlreadyAttempted, match=r"messages attempted: 1 of 3\. Pause it") as no:
            recall(session, mailing.id)
        assert no.value.facts["attempted"] == 1
        assert mailing.state == "running"
        assert approved_segments(session, WEEK) == ("en",)


def test_the_way_out_fits_the_state(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 2)
        session.execute(update(Delivery).where(Delivery.id == 1).values(state="sent", attempts=1))
        for state, said in (
            ("paused", r"2\. Revise it \(`vestka mailing revise 1 FILE`\) for those who"),
            ("cancelled", r"For whoever has nothing yet: revise it .*, then resume it"),
        ):
            mailing.state = state
            session.flush()
            with pytest.raises(AlreadyAttempted, match=said):
                recall(session, mailing.id)
        session.execute(update(Delivery).values(state="sent", attempts=1))
        mailing.state = "finished"
        session.flush()
        with pytest.raises(AlreadyAttempted, match=r"correct the archive \(`vestka issue correct"):
            recall(session, mailing.id)
        mailing.folded = True
        session.flush()
        with pytest.raises(AlreadyAttempted, match="2 of 2"):
            recall(session, mailing.id)


def test_another_segment_s_mailing_keeps_the_issue_closed(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
    with (
        pytest.raises(AlreadySent, match=r"mailing 1 \(en, running\)"),
        database.transaction() as session,
    ):
        withdraw(session, WEEK)
    with database.transaction() as session:
        second = Mailing(
            week=str(WEEK),
            segment="be-ru",
            state="running",
            launched_by="editor",
            launched_at=MONDAY,
            folded=False,
        )
        an_issue(session, approved=())
        approve_both(session)
        session.add(second)
        session.flush()
        recall(session, 1)
        assert approved_segments(session, WEEK) == ("be-ru",)
        with pytest.raises(IssueClosed):
            delete(session, WEEK)


def approve_both(session: Transaction) -> None:
    approve(session, NEWSLETTER, WEEK, None, by="editor", now=MONDAY)


def test_an_issue_with_a_recalled_mailing_is_not_deleted(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        recall(session, a_mailing(session, keyring, 1).id)
        with pytest.raises(IssueRecalled):
            delete(session, WEEK)
        an_issue(session, approved=["en"])
        withdraw(session, WEEK)
        assert approved_segments(session, WEEK) == ()


def test_what_senders_hold_may_be_attempted_at_any_instant(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing_id, sender_id, claims = claimed(database, keyring, 3)
    monkeypatch.setattr(recalling, "wait_until_released", lambda *_: None)
    with pytest.raises(MessagesClaimed, match=r"at this moment: 3\. The mailing is paused"):
        recall_mailing(database, mailing_id, by="editor", now=MONDAY)
    with database.transaction() as session:
        assert find_mailing(session, mailing_id).state == "paused"
        release(session, sender_id, [each.delivery_id for each in claims])
    record = recall_mailing(database, mailing_id, by="editor", now=MONDAY)
    assert record["state"] == "recalled"
    with database.reading() as session:
        acts = [each.action for each in entries(session)]
    assert acts == ["mailing recalled", "mailing paused"]


def test_a_recall_waits_until_they_are_given_back(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing_id, sender_id, claims = claimed(database, keyring, 2)
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            with database.transaction() as session:
                release(session, sender_id, [each.delivery_id for each in claims])

    monkeypatch.setattr("app.deliveries.recalling.time.sleep", nap)
    wait_until_released(database, mailing_id)
    assert len(naps) == 3


def test_cancelled_where_a_recall_was_meant(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        mailing = a_mailing(session, keyring, 2)
        cancel_mailing(session, mailing.id, now=MONDAY)
        assert recall(session, mailing.id).state == "recalled"


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=12))
def test_no_way_through_the_table_launches_twice_what_was_not_recalled(wishes: list[str]) -> None:
    """Whatever operators wish in whatever order: only a recall leads back to an open issue."""
    state, seen = "enrolling", ["enrolling"]
    for wish in wishes:
        try:
            state = move(state, wish)
        except MoveNotAllowed as refused:
            assert str(refused).startswith(f"The mailing is {state}; it cannot be ")  # noqa: PT017
            continue
        seen.append(state)
    for before, after in pairwise(seen):
        assert after in MOVES[before]
        if before == "recalled":
            assert after == "enrolling", "it is launched again, or not at all"
        if before == "finished":
            assert after in ("running", "recalled")
