"""Whatever somebody who can write the database does to a sealed row, nobody is written to."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from app.addresses.address import EmailAddress
from app.addresses.admission import AdmittedRow
from app.addresses.keyring import Keyring
from app.addresses.sealing import seal
from app.database import Database, Transaction
from app.subscribers.admission import admit
from app.subscribers.models import DeletedRow, SignUp, Subscriber
from app.subscribers.quarantine import SIGN_UP, counts
from app.subscribers.row_integrity import Flaw, admitted_row, open_row, open_selected, rows
from app.subscribers.sign_up import SUBSCRIBE, drop
from app.tokens import new_id
from tests.support.builders import a_subscriber, everything
from tests.support.clock import MONDAY

COLUMNS = AdmittedRow._fields
INBOX = ("id", "hot", "sealed")
ADDRESSES = ("ann@example.org", "bob@example.com")
ON_ONE_DATABASE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def flipped(bit: int) -> Callable[[bytes], bytes]:
    def change(octets: bytes) -> bytes:
        place = bit % (len(octets) * 8)
        changed = bytearray(octets)
        changed[place // 8] ^= 1 << place % 8
        return bytes(changed)

    return change


def cut(length: int) -> Callable[[bytes], bytes]:
    return lambda octets: octets[: length % len(octets)]


def longer(more: bytes) -> Callable[[bytes], bytes]:
    return lambda octets: octets + more


def replaced(planted: bytes) -> Callable[[bytes], bytes]:
    return lambda octets: planted if planted != octets else b""


changes = st.one_of(
    st.builds(flipped, st.integers(0, 2**16)),
    st.builds(cut, st.integers(0, 2**16)),
    st.builds(longer, st.binary(min_size=1, max_size=20)),
    st.builds(replaced, st.binary(max_size=400)),
)


def sound_rows(database: Database, keyring: Keyring) -> list[AdmittedRow]:
    with database.transaction() as session:
        for address in ADDRESSES:
            a_subscriber(session, keyring, address)
        return [admitted_row(row) for row in session.execute(rows())]


def test_c5_no_change_of_any_column_is_ever_opened(database: Database, keyring: Keyring) -> None:
    sound = sound_rows(database, keyring)

    @given(st.sampled_from(sound), st.sampled_from(COLUMNS), changes)
    def law(row: AdmittedRow, column: str, change: Callable[[bytes], bytes]) -> None:
        changed = row._replace(**{column: change(getattr(row, column))})
        assert open_row(keyring, changed, has_ended=False) is Flaw.CHANGED
        assert open_row(keyring, row, has_ended=True) is Flaw.REPLAYED

    law()
    assert {str(open_row(keyring, row, has_ended=False)) for row in sound} == {"EmailAddress(…)"}


def test_c4_no_mixture_of_two_rows_is_ever_opened(database: Database, keyring: Keyring) -> None:
    one, other = sound_rows(database, keyring)

    @given(st.sets(st.sampled_from(COLUMNS), min_size=1, max_size=len(COLUMNS) - 1))
    def law(taken: set[str]) -> None:
        mixed = one._replace(**{column: getattr(other, column) for column in taken})
        assert open_row(keyring, mixed, has_ended=False) is Flaw.CHANGED

    law()


def test_a_row_of_a_key_that_is_gone_does_not_open(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring)
        row = session.execute(rows()).one()
        assert open_selected(keyring, row) == EmailAddress(ADDRESSES[0])
        session.add(DeletedRow(id=row.id, day=MONDAY.date()))
        session.flush()
        assert open_selected(keyring, session.execute(rows()).one()) is Flaw.REPLAYED


def one_sign_up(session: Transaction, keyring: Keyring, address: str) -> None:
    drop(
        session,
        keyring,
        EmailAddress(address),
        segments=["en"],
        language="en",
        consent="1",
        today=MONDAY.date(),
    )


def spoil_inbox(
    session: Transaction, keyring: Keyring, column: str, change: Callable[[bytes], bytes]
) -> None:
    one_sign_up(session, keyring, ADDRESSES[0])
    session.flush()
    sign_up = session.query(SignUp).one()
    value = change(getattr(sign_up, column))
    session.execute(update(SignUp).values({column: value}))
    session.expire_all()


@ON_ONE_DATABASE
@given(st.sampled_from(INBOX), changes)
def test_no_changed_sign_up_is_ever_admitted(
    database: Database, keyring: Keyring, column: str, change: Callable[[bytes], bytes]
) -> None:
    with database.transaction() as session:
        spoil_inbox(session, keyring, column, change)
        before = counts(session).get((SIGN_UP, Flaw.BROKEN), 0)
        assert admit(session, keyring, rates=(), now=MONDAY) == 1
        assert session.query(SignUp).all() == []
        assert session.query(Subscriber).all() == []
        assert counts(session) == {(SIGN_UP, Flaw.BROKEN): before + 1}
        session.rollback()


def copied(session: Transaction) -> dict[str, object]:
    row = session.query(SignUp).one()
    return {column.key: getattr(row, column.key) for column in SignUp.__table__.columns}


@pytest.mark.parametrize("since", ["still here", "erased"])
def test_a_sign_up_that_is_put_back_brings_no_second_message(
    database: Database, keyring: Keyring, since: str
) -> None:
    with database.transaction() as session:
        one_sign_up(session, keyring, ADDRESSES[0])
        session.flush()
        kept = copied(session)
        admit(session, keyring, rates=(), now=MONDAY)
        if since == "erased":
            reader = session.query(Subscriber).one()
            session.add(DeletedRow(id=reader.id, day=MONDAY.date()))
            session.delete(reader)
    before = everything(database)
    with database.transaction() as session:
        session.execute(insert(SignUp), [kept])
    with database.transaction() as session:
        assert admit(session, keyring, rates=(), now=MONDAY) == 1
    after = everything(database)
    with database.reading() as session:
        assert counts(session) == {(SIGN_UP, Flaw.REPLAYED): 1}
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"quarantine", "alerts"}


def test_two_addresses_in_one_sign_up_are_set_apart(database: Database, keyring: Keyring) -> None:
    row_id = new_id()
    one, other = (EmailAddress(address) for address in ADDRESSES)
    planted = SignUp(
        id=row_id,
        wish=SUBSCRIBE,
        hot=seal(keyring.hot_sealing, row_id, one),
        sealed=seal(keyring.list_sealing, row_id, other),
        segments="en",
        language="en",
        consent="1",
        day=MONDAY.date(),
    )
    with database.transaction() as session:
        session.add(planted)
        session.flush()
        admit(session, keyring, rates=(), now=MONDAY)
        assert counts(session) == {(SIGN_UP, Flaw.TWO): 1}


def test_a_reader_whose_row_was_spoiled_may_come_back(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        spoiled = a_subscriber(session, keyring, ADDRESSES[0]).id
        session.execute(update(Subscriber).values(admit=b"x" * 33))
        one_sign_up(session, keyring, ADDRESSES[0])
    with database.transaction() as session:
        admit(session, keyring, rates=(), now=MONDAY)
        row = session.execute(rows()).one()
        assert row.id != spoiled
        assert open_selected(keyring, row) == EmailAddress(ADDRESSES[0])
        assert counts(session) == {("subscriber", Flaw.CHANGED): 1}
