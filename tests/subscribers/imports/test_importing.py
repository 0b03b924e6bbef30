"""The publisher's list comes in: once, sealed, admitted, and without disturbing who is there."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.addresses.keyring import Keyring
from app.addresses.unsealing import open_sealed
from app.database import Database
from app.subscribers.imports.importing import (
    Consent,
    ConsentMissing,
    foresee,
    may_bring_back,
    take_in,
)
from app.subscribers.imports.list_batches import Listed, Tally, batches
from app.subscribers.imports.list_file import read_list
from app.subscribers.models import (
    CONFIRMED,
    PENDING,
    ConsentText,
    ServiceMessage,
    Subscriber,
    Subscription,
)
from app.subscribers.row_integrity import Flaw, open_selected, rows
from app.subscribers.unsubscription import UNSUBSCRIBED, end
from tests.support.builders import NEWSLETTER, a_subscriber, everything
from tests.support.clock import MONDAY

AGREED = Consent("They signed the guest book in Vilnius.")
LIST = """email,segments,language
ann@example.org,EN,
Ales@example.org,BE/RU,ru
both@example.org,en be-ru,be
"""


def run(database: Database, keyring: Keyring, content: str = LIST, size: int = 2) -> Tally:
    tally = Tally()
    rows = read_list(io.BytesIO(content.encode()), NEWSLETTER)
    found = batches(rows, keyring.index, keyring.never, tally, size)
    take_in(database, keyring, found, AGREED, tally, now=MONDAY)
    return tally


def foretell(database: Database, keyring: Keyring, content: str = LIST) -> Tally:
    tally = Tally()
    rows = read_list(io.BytesIO(content.encode()), NEWSLETTER)
    found = batches(rows, keyring.index, keyring.never, tally, 2)
    foresee(database, found, tally, today=MONDAY.date())
    return tally


def readers(database: Database, keyring: Keyring) -> dict[str, tuple[str, dict[str, str]]]:
    """Language and segments (with states) of everyone, by the address that the sender opens."""
    with database.reading() as session:
        return {
            open_sealed(keyring.list_opening, each.id, each.sealed).wire: (
                each.language,
                {
                    held.segment: held.state
                    for held in session.scalars(
                        select(Subscription).where(Subscription.subscriber_id == each.id)
                    )
                },
            )
            for each in session.scalars(select(Subscriber))
        }


def counts(tally: Tally) -> dict[str, object]:
    return {name: count for name, count in tally.as_record().items() if count}


def test_everyone_becomes_a_confirmed_reader(database: Database, keyring: Keyring) -> None:
    assert counts(run(database, keyring)) == {"lines": 3, "added": 3}
    assert readers(database, keyring) == {
        "ann@example.org": ("en", {"en": CONFIRMED}),
        "Ales@example.org": ("ru", {"be-ru": CONFIRMED}),
        "both@example.org": ("be", {"en": CONFIRMED, "be-ru": CONFIRMED}),
    }


def test_rows_are_admitted_and_nobody_gets_a_message(database: Database, keyring: Keyring) -> None:
    run(database, keyring)
    with database.reading() as session:
        for each in session.execute(rows()):
            assert not isinstance(open_selected(keyring, each), Flaw)
        assert session.scalar(select(func.count()).select_from(ServiceMessage)) == 0


def test_the_evidence_is_kept_once(database: Database, keyring: Keyring) -> None:
    run(database, keyring)
    with database.reading() as session:
        kept = session.scalars(select(ConsentText)).one()
        assert (kept.text, kept.day) == (AGREED.text, MONDAY.date())
        held = session.scalars(select(Subscription)).all()
    assert {(each.consent, each.source) for each in held} == {(kept.version, "import")}
    assert {each.confirmed_day for each in held} == {MONDAY.date()}


def test_a_second_import_changes_nothing(database: Database, keyring: Keyring) -> None:
    run(database, keyring)
    before = everything(database)
    assert counts(run(database, keyring)) == {"lines": 3, "unchanged": 3}
    assert counts(foretell(database, keyring)) == {"lines": 3, "unchanged": 3}
    assert everything(database) == before


def test_a_pending_wish_is_confirmed_and_a_missing_segment_added(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "ann@example.org", language="be", state=PENDING)
        a_subscriber(session, keyring, "BOTH@example.org", language="ru")
        a_subscriber(session, keyring, "other@example.org", state=PENDING)
    assert counts(foretell(database, keyring)) == {"lines": 3, "added": 1, "changed": 2}
    assert counts(run(database, keyring)) == {"lines": 3, "added": 1, "changed": 2}
    assert readers(database, keyring) == {
        "ann@example.org": ("be", {"en": CONFIRMED}),
        "BOTH@example.org": ("ru", {"en": CONFIRMED, "be-ru": CONFIRMED}),
        "Ales@example.org": ("ru", {"be-ru": CONFIRMED}),
        "other@example.org": ("en", {"en": PENDING}),
    }


def test_of_a_known_reader_nothing_else_changes(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, "ann@example.org")
    before = everything(database)
    tally = run(database, keyring, "email,segments,language\nann@example.org,en,ru\n")
    assert counts(tally) == {"lines": 1, "unchanged": 1}
    assert everything(database) == before


def test_bad_and_repeated_rows_do_not_keep_the_rest_out(
    database: Database, keyring: Keyring
) -> None:
    content = LIST + "nobody,en,\nANN@example.org,en,\nann@example.org,be-ru,\n"
    expected = {"lines": 6, "added": 3, "changed": 1, "repeated": 1, "bad": 1}
    assert counts(foretell(database, keyring, content)) == expected
    tally = run(database, keyring, content)
    assert counts(tally) == expected
    assert [bad.line for bad in tally.bad_rows] == [5]
    assert readers(database, keyring)["ann@example.org"][1] == {"en": CONFIRMED, "be-ru": CONFIRMED}


def test_two_rows_of_one_reader_in_a_batch_make_one_reader(
    database: Database, keyring: Keyring
) -> None:
    content = "email,segments,language\nann@example.org,en,be\nAnn@example.org,be-ru,ru\n"
    assert counts(run(database, keyring, content)) == {"lines": 2, "added": 1, "changed": 1}
    assert readers(database, keyring) == {
        "ann@example.org": ("be", {"en": CONFIRMED, "be-ru": CONFIRMED})
    }


def test_foreseeing_changes_nothing(database: Database, keyring: Keyring) -> None:
    before = everything(database)
    assert counts(foretell(database, keyring)) == {"lines": 3, "added": 3}
    assert everything(database) == before


def test_who_left_would_come_back_and_is_foreseen(database: Database, keyring: Keyring) -> None:
    run(database, keyring)
    with database.transaction() as session:
        someone = session.scalars(select(Subscriber.id)).first()
        assert someone is not None
        end(session, someone, None, UNSUBSCRIBED, today=MONDAY.date())
    assert counts(foretell(database, keyring)) == {"lines": 3, "added": 1, "unchanged": 2}


def test_an_import_that_was_killed_is_completed_by_the_next(
    database: Database, keyring: Keyring
) -> None:
    class Killed(BaseException):
        pass

    def dying(found: Iterator[list[Listed]]) -> Iterator[list[Listed]]:
        yield next(found)
        raise Killed

    tally = Tally()
    rows = read_list(io.BytesIO(LIST.encode()), NEWSLETTER)
    found = dying(batches(rows, keyring.index, keyring.never, tally, 2))
    with pytest.raises(Killed):
        take_in(database, keyring, found, AGREED, tally, now=MONDAY)
    assert len(readers(database, keyring)) == 2
    assert counts(run(database, keyring)) == {"lines": 3, "added": 1, "unchanged": 2}
    assert len(readers(database, keyring)) == 3


def test_a_reader_who_leaves_between_the_two_looks_stays_away(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(database, keyring, "email,segments,language\nann@example.org,en,\n")
    look = database.reading

    @contextmanager
    def leave_after_reading() -> Iterator[Session]:
        with look() as session:
            yield session
        with database.transaction() as writing:
            for someone in writing.scalars(select(Subscriber.id)).all():
                end(writing, someone, None, UNSUBSCRIBED, today=MONDAY.date())

    monkeypatch.setattr(database, "reading", leave_after_reading)
    tally = run(database, keyring, "email,segments,language\nann@example.org,en be-ru,\n")
    monkeypatch.undo()
    assert counts(tally) == {"lines": 1, "unchanged": 1}
    assert readers(database, keyring) == {}


def test_a_list_without_a_good_row_leaves_no_trace(database: Database, keyring: Keyring) -> None:
    before = everything(database)
    run(database, keyring, "email,segments,language\nnobody,en,\n")
    assert everything(database) == before


def test_nobody_can_come_back_to_a_list_that_never_was(database: Database) -> None:
    with database.reading() as session:
        assert not may_bring_back(session)


def test_readers_or_an_import_before_make_it_possible(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, state=PENDING)
    with database.reading() as session:
        assert may_bring_back(session)
    run(database, keyring)
    with database.transaction() as session:
        for someone in session.scalars(select(Subscriber.id)).all():
            end(session, someone, None, UNSUBSCRIBED, today=MONDAY.date())
    with database.reading() as session:
        assert session.scalar(select(Subscriber.id)) is None
        assert may_bring_back(session)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 2001, "nul\0", "half \ud800", "\x1b[2J"])
def test_consent_must_say_something(text: str) -> None:
    with pytest.raises(ConsentMissing):
        Consent(text)


def test_the_same_words_are_the_same_version() -> None:
    words = "Згода\u00a0— на паперы.\nВільня, 2024"
    assert Consent(words).version == Consent(words).version
    assert Consent(words).version != AGREED.version
    assert len(AGREED.version) <= 40
