"""Suppressed: the index stays, the reader goes, and no form, list or message brings them back."""

import io

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.addresses.address import EmailAddress
from app.addresses.blind_index import known_indexes, never_index, never_indexes
from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.admission import admit
from app.subscribers.imports.importing import Consent, foresee, take_in
from app.subscribers.imports.list_batches import Tally, batches
from app.subscribers.imports.list_file import read_list
from app.subscribers.models import PENDING, ServiceMessage, SignUp, Subscriber, UnsubscribeCount
from app.subscribers.sign_up import drop, drop_manage_wish
from app.subscribers.suppression import suppress_address
from app.suppressions.lookup import reasons_of
from app.suppressions.reasons import COMPLAINT, LEFT, NEVER, REASONS
from app.suppressions.suppressing import suppress
from app.tokens import new_link_id
from tests.support.builders import NEWSLETTER, a_subscriber, everything
from tests.support.clock import MONDAY

ANN = EmailAddress.parse("ann@example.org")
TODAY = MONDAY.date()
LIST = b"email,segments,language\nANN@example.org,en,\nbob@example.org,en,\n"


def indexes(keyring: Keyring) -> tuple[bytes, ...]:
    return never_indexes(keyring.never, ANN)


def wish(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        rest = {"segments": ["en"], "language": "en", "consent": "1", "today": TODAY}
        drop(session, keyring, EmailAddress.parse("Ann@example.org"), **rest)  # type: ignore[arg-type]
        drop_manage_wish(session, keyring, ANN, language="en", today=TODAY)


def never_url(keyring: Keyring, link_id: bytes, nonce: bytes = b"abcdef") -> str:
    return f"/never/{keyring.links.never(link_id, nonce, never_index(keyring.never, ANN))}"


@pytest.mark.parametrize("reason", list(REASONS))
def test_a_form_brings_nobody_back_who_objected(
    database: Database, keyring: Keyring, reason: str
) -> None:
    with database.transaction() as session:
        suppress(session, indexes(keyring), reason, until=None)
    wish(database, keyring)
    with database.transaction() as session:
        assert admit(session, keyring, rates=(), now=MONDAY) == 2
    with database.reading() as session:
        assert session.scalars(select(SignUp)).all() == []
        messages = session.scalars(select(ServiceMessage)).all()
        readers = session.scalars(select(Subscriber)).all()
    if reason in (LEFT, COMPLAINT):  # their own act, or to be lifted by a confirmation
        assert len(readers) == 1
        assert messages
    else:
        assert (messages, readers) == ([], [])


@pytest.mark.parametrize("reason", list(REASONS))
def test_a_list_brings_nobody_back(database: Database, keyring: Keyring, reason: str) -> None:
    with database.transaction() as session:
        suppress(session, indexes(keyring), reason, until=None)
    tally = Tally()
    rows = batches(read_list(io.BytesIO(LIST), NEWSLETTER), keyring.index, keyring.never, tally)
    foresee(database, rows, tally, today=TODAY)
    assert (tally.added, tally.suppressed, tally.lines) == (1, 1, 2)
    tally = Tally()
    rows = batches(read_list(io.BytesIO(LIST), NEWSLETTER), keyring.index, keyring.never, tally)
    take_in(database, keyring, rows, Consent("They agreed."), tally, now=MONDAY)
    assert (tally.added, tally.suppressed, tally.lines) == (1, 1, 2)
    with database.reading() as session:
        (bob,) = session.scalars(select(Subscriber))
        assert bob.blind_index not in known_indexes(keyring.index, ANN)


def test_suppressing_ends_every_subscription_and_counts_it(
    database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_subscriber(session, keyring, segments=("en", "be-ru"))
        suppress_address(session, keyring, ANN, COMPLAINT, today=TODAY)
    with database.reading() as session:
        assert session.scalars(select(Subscriber)).all() == []
        left = {
            (row.segment, row.reason, row.count)
            for row in session.scalars(select(UnsubscribeCount))
        }
        assert left == {("en", COMPLAINT, 1), ("be-ru", COMPLAINT, 1)}
        assert reasons_of(session, indexes(keyring), today=TODAY) == [COMPLAINT]


def test_looking_at_the_page_changes_nothing_and_its_button_ends_it_all(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    with database.transaction() as session:
        ann = a_subscriber(session, keyring, segments=("en",), state=PENDING, language="be")
        url = f"{never_url(keyring, ann.link_id)}?language=be"
    before = everything(database)
    for method in ("GET", "HEAD"):
        answer = readers.request(method, url)
        assert (answer.status_code, answer.headers["content-language"]) == (200, "be")
    assert everything(database) == before
    for _ in range(2):
        answer = readers.post(url)
        assert (answer.status_code, answer.headers["location"]) == (303, "/never-again?language=be")
        with database.reading() as session:
            assert session.scalars(select(Subscriber)).all() == []
            assert reasons_of(session, indexes(keyring), today=TODAY) == [NEVER]
    assert readers.get("/never-again?language=be").status_code == 200


def test_the_link_works_when_its_reader_is_forgotten(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    assert readers.post(never_url(keyring, new_link_id())).status_code == 303
    with database.reading() as session:
        assert reasons_of(session, indexes(keyring), today=TODAY) == [NEVER]


def test_every_other_link_is_unknown(keyring: Keyring, readers: TestClient) -> None:
    for link in ("/never/", never_url(keyring, new_link_id())[:-1], "/never/" + "A" * 82):
        for method in ("GET", "POST"):
            assert readers.request(method, link).status_code == 404
