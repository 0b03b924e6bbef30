"""A database that came back from a backup is told what it forgot; another is left alone."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from app.addresses.keyring import Keyring
from app.database import Database, Transaction
from app.instance.events import confirmed, tell_witnesses
from app.instance.models import Epoch, Instance, WitnessEvent
from app.mailings.launch import launch
from app.mailings.models import KnownLaunch, Mailing
from app.operators.models import Alert
from app.subscribers.models import DeletedRow, Subscriber, Subscription
from app.subscribers.unsubscription import UNSUBSCRIBED, end
from app.suppressions.models import Suppression
from app.suppressions.reasons import COMPLAINT, NEVER
from app.suppressions.suppressing import lift, lift_reason, suppress
from app.witness.keeping import DatabaseRestored, Witness, forget_events
from app.witness.restoring import Found, begin_epoch
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber, an_issue
from tests.support.clock import MONDAY

TODAY = MONDAY.date()
INDEX = b"\1" * 33
Start = Callable[[], tuple[Witness, Found]]


def nothing(_session: Transaction, _restored: bool) -> Mapping[int, tuple[int, int]]:  # noqa: FBT001
    return {}


@pytest.fixture
def start(database: Database, tmp_path: Path) -> Start:
    def begin() -> tuple[Witness, Found]:
        witness = Witness(tmp_path, b"key")
        return witness, begin_epoch(database, witness, nothing, now=MONDAY)

    return begin


def put_back(database: Database, position: int) -> None:
    """As a backup of that position would: nothing later is known."""
    with database.transaction() as session:
        session.execute(update(Instance).values(position=position))
        session.execute(delete(Epoch).where(Epoch.began_at > position))
        session.execute(delete(WitnessEvent).where(WitnessEvent.position > position))


def position_of(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(select(Instance.position)).one()


def test_a_new_database_and_a_restart_are_no_restore(start: Start, database: Database) -> None:
    assert not start()[1].restored
    witness, found = start()
    assert not found.restored
    witness.keep_up(database, now=MONDAY)
    with database.reading() as session:
        assert session.scalars(select(Epoch.number).order_by(Epoch.number)).all() == [1, 2]
        assert session.scalars(select(Alert)).all() == []


def test_who_left_one_of_two_segments_stays_away_from_it(
    start: Start, database: Database, keyring: Keyring
) -> None:
    witness, _ = start()
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, "ann@example.org", segments=["en", "be-ru"]).id
    before = position_of(database)
    with database.transaction() as session:
        end(session, ann, ["en"], UNSUBSCRIBED, today=TODAY)
    witness.keep_up(database, now=MONDAY)
    put_back(database, before)
    with database.transaction() as session:
        session.add(
            Subscription(
                subscriber_id=ann,
                segment="en",
                state="confirmed",
                consent="1",
                requested_day=TODAY,
            )
        )
    _, found = start()
    assert (found.restored, found.left) == (True, 1)
    with database.reading() as session:
        assert session.scalars(select(Subscription.segment)).all() == ["be-ru"]
        (told,) = session.scalars(select(Alert.text))
        assert "restored from a backup" in told
    assert not start()[1].restored, "it is told once"


def test_a_row_that_ended_is_deleted_again(
    start: Start, database: Database, keyring: Keyring
) -> None:
    witness, _ = start()
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, "ann@example.org").id
        end(session, ann, None, UNSUBSCRIBED, today=TODAY)
    witness.keep_up(database, now=MONDAY)
    with database.transaction() as session:
        session.execute(delete(DeletedRow))
        again = a_subscriber(session, keyring, "ann@example.org").id
        session.execute(update(Subscription).values(subscriber_id=again))
        session.execute(delete(Subscription))
        session.execute(update(Subscriber).values(id=ann))
    _, found = start()
    assert (found.restored, found.left) == (True, 1)
    with database.reading() as session:
        assert session.scalars(select(Subscriber.id)).all() == []
        assert session.scalars(select(DeletedRow.id)).all() == [ann]


def test_suppressions_come_back_and_those_that_were_lifted_do_not(
    start: Start, database: Database
) -> None:
    witness, _ = start()
    before = position_of(database)
    with database.transaction() as session:
        suppress(session, [INDEX, b"\2" * 33], COMPLAINT, until=None)
    witness.keep_up(database, now=MONDAY)
    with database.transaction() as session:
        lift(session, [b"\2" * 33])
    witness.keep_up(database, now=MONDAY)
    put_back(database, before)
    with database.transaction() as session:
        session.execute(delete(Suppression))
    assert start()[1].suppressed == 1
    with database.reading() as session:
        assert session.scalars(select(Suppression.blind_index)).all() == [INDEX]


def test_of_several_reasons_only_the_one_that_was_lifted_stays_away(
    start: Start, database: Database
) -> None:
    witness, _ = start()
    before = position_of(database)
    with database.transaction() as session:
        for reason in (COMPLAINT, NEVER):
            suppress(session, [INDEX], reason, until=None)
        lift_reason(session, [INDEX], COMPLAINT)
    witness.keep_up(database, now=MONDAY)
    put_back(database, before)
    with database.transaction() as session:
        session.execute(delete(Suppression))
    assert start()[1].suppressed == 1
    with database.reading() as session:
        assert session.scalars(select(Suppression.reason)).all() == [NEVER]


@pytest.mark.parametrize("time", range(8))  # the order within one look is that of random ids
def test_what_is_suppressed_again_after_a_lift_stays_suppressed(
    start: Start, database: Database, time: int
) -> None:
    witness, _ = start()
    before = position_of(database)
    with database.transaction() as session:
        suppress(session, [INDEX], COMPLAINT, until=None)
        lift_reason(session, [INDEX], COMPLAINT)
        suppress(session, [INDEX], COMPLAINT, until=None)
    witness.keep_up(database, now=MONDAY)
    put_back(database, before)
    with database.transaction() as session:
        session.execute(delete(Suppression))
    assert start()[1].suppressed == 1


def test_a_mailing_on_its_way_is_paused_and_a_lost_launch_is_known(
    start: Start, database: Database, keyring: Keyring
) -> None:
    witness, _ = start()
    with database.transaction() as session:
        an_issue(session, approved=("en", "be-ru"))
        a_subscriber(session, keyring, segments=["en", "be-ru"])
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
    witness.keep_up(database, now=MONDAY)
    before = position_of(database)
    with database.transaction() as session:
        launch(session, WEEK, NEWSLETTER.segment("be-ru"), by="editor", now=MONDAY)
    witness.sent.note((str(WEEK), "be-ru"), [b"a" * 16, b"b" * 16])
    witness.keep_up(database, now=MONDAY)
    put_back(database, before)
    with database.transaction() as session:
        session.execute(delete(Mailing).where(Mailing.segment == "be-ru"))
    with pytest.raises(DatabaseRestored):
        witness.keep_up(database, now=MONDAY)
    _, found = start()
    assert found.launches == [f"{WEEK} to be-ru"]
    with database.reading() as session:
        assert session.scalars(select(Mailing.state)).all() == ["paused"]
        assert session.scalars(select(KnownLaunch.sent)).all() == [2]


def test_an_older_copy_of_the_keys_directory_is_no_restore(
    start: Start, database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    witness, _ = start()
    old = (tmp_path / "witness").read_bytes()
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, "ann@example.org").id
        end(session, ann, None, UNSUBSCRIBED, today=TODAY)
    witness.keep_up(database, now=MONDAY)
    with database.transaction() as session:
        forget_events(session, None, now=MONDAY + timedelta(days=9))
    (tmp_path / "witness").write_bytes(old)
    assert not start()[1].restored
    assert ann.hex() in (tmp_path / "witness").read_text()


def test_each_of_two_witnesses_learns_what_the_other_saw_and_sees_a_restore(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = Witness(tmp_path / "a", b"key"), Witness(tmp_path / "b", b"key")
    for each in (one, other):
        assert not begin_epoch(database, each, nothing, now=MONDAY).restored
    one.keep_up(database, now=MONDAY)
    before = position_of(database)
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, "ann@example.org").id
        end(session, ann, None, UNSUBSCRIBED, today=TODAY)
    one.keep_up(database, now=MONDAY)
    other.keep_up(database, now=MONDAY)
    for name in ("a", "b"):
        assert ann.hex() in (tmp_path / name / "witness").read_text()
    put_back(database, before)
    again = Witness(tmp_path / "a", b"key")
    assert begin_epoch(database, again, nothing, now=MONDAY).restored
    with pytest.raises(DatabaseRestored):
        other.keep_up(database, now=MONDAY)


def test_a_recall_that_a_later_launch_took_back_does_not_come_back(
    start: Start, database: Database, keyring: Keyring
) -> None:
    witness, _ = start()
    with database.transaction() as session:
        an_issue(session, approved=("en",))
        a_subscriber(session, keyring)
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
    for state in ("running", "recalled", "running"):
        with database.transaction() as session:
            session.execute(update(Mailing).values(state=state))
        before = position_of(database) - (state == "running")
        witness.keep_up(database, now=MONDAY)
    put_back(database, before)
    with database.transaction() as session:
        session.execute(update(Mailing).values(state="recalled"))
    for restored in (True, False):
        witness, found = start()
        assert found.restored is restored
        witness.keep_up(database, now=MONDAY)
        with database.reading() as session:
            assert session.get(KnownLaunch, (str(WEEK), "en")) is not None
    assert witness.remembered.mailings[str(WEEK), "en"] == "launched"


def test_who_came_leaves_no_line_and_who_left_none_for_long(
    start: Start, database: Database, keyring: Keyring
) -> None:
    witness, _ = start()
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, "ann@example.org", segments=["en", "be-ru"]).id
        tell_witnesses(session, [confirmed(ann, "en")])
    witness.keep_up(database, now=MONDAY)
    assert events(database) == []
    with database.transaction() as session:
        end(session, ann, ["en"], UNSUBSCRIBED, today=TODAY)
        forget_events(session, None, now=MONDAY)
    witness.keep_up(database, now=MONDAY)
    assert [line.split()[0] for line in events(database)] == ["ended"]
    with database.transaction() as session:
        tell_witnesses(session, [confirmed(ann, "en")])
        forget_events(session, witness.remembered.position, now=MONDAY)
    witness.keep_up(database, now=MONDAY)
    assert [line.split()[0] for line in events(database)] == ["confirmed"]
    assert witness.remembered.left == set()
    assert not start()[1].restored


def events(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(WitnessEvent.line)))
