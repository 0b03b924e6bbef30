"""The pages behind links: they act on POST alone, and tell nothing of who is known."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.addresses.keyring import Keyring
from app.database import Database
from app.languages import phrases
from app.subscribers.models import (
    CONFIRMED,
    PENDING,
    ConsentText,
    ServiceMessage,
    Subscriber,
    Subscription,
)
from app.subscribers.pages.preferences import ALSO_KEPT
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import ask_to_confirm, send_manage_link
from app.subscribers.service_messages import token_of as token_from
from tests.support.builders import NEWSLETTER, WEEK, a_subscriber
from tests.support.clock import MONDAY, SetClock

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def nonce(database: Database) -> bytes:
    with database.reading() as session:
        return session.scalars(select(ServiceMessage.nonce)).one()


@pytest.fixture
def confirm_url(database: Database, keyring: Keyring) -> str:
    with database.transaction() as session:
        reader = a_subscriber(
            session, keyring, "bob@example.org", segments=("be-ru",), state=PENDING
        )
        ask_to_confirm(session, keyring, reader.id, ["be-ru"], "ru", MONDAY.date())
    return f"/confirm/{token_from(keyring, CONFIRMATION, nonce(database))}"


@pytest.fixture
def leave_url(database: Database, keyring: Keyring) -> str:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, segments=("en", "be-ru"), language="be")
    token = keyring.links.unsubscribe(reader.link_id, WEEK.number, "en", NEWSLETTER.number_of("be"))
    return f"/unsubscribe/{token}"


@pytest.fixture
def manage_url(database: Database, keyring: Keyring) -> str:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, segments=("en",), language="be")
        send_manage_link(session, keyring, reader.id, "be", MONDAY)
    return f"/manage/{token_from(keyring, MANAGE_LINK, nonce(database))}"


def held(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        rows = session.scalars(select(Subscription)).all()
    return sorted((row.segment, row.state) for row in rows)


def test_an_empty_post_confirms_and_the_next_says_already_done(
    database: Database, readers: TestClient, confirm_url: str
) -> None:
    assert readers.get(confirm_url).headers["content-language"] == "ru"
    assert held(database) == [("be-ru", PENDING)]
    assert readers.post(confirm_url).headers["location"] == "/confirmed?language=ru"
    assert held(database) == [("be-ru", CONFIRMED)]
    assert readers.post(confirm_url).headers["location"] == "/already-done?language=ru"
    assert readers.get(confirm_url).status_code == 200


def test_after_its_last_day_the_link_is_like_any_other(
    database: Database, readers: TestClient, clock: SetClock, confirm_url: str
) -> None:
    clock.go_on(hours=72, seconds=1)
    for answer in (readers.get(confirm_url), readers.post(confirm_url)):
        unknown = readers.get("/confirm/" + "A" * 43)
        assert (answer.status_code, answer.text) == (404, unknown.text)
    assert held(database) == [("be-ru", PENDING)]


def test_one_click_is_answered_plainly(
    database: Database, readers: TestClient, leave_url: str
) -> None:
    one_click = b"List-Unsubscribe=One-Click"
    answer = readers.post(leave_url, content=one_click, headers=FORM)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert held(database) == [("be-ru", CONFIRMED)]
    again = readers.post(leave_url, files={"List-Unsubscribe": (None, "One-Click")})
    assert (again.status_code, again.text) == (200, answer.text)


OTHER_BODIES = [
    (None, b""),
    (None, b"{"),
    ("text/plain", b"List-Unsubscribe=One-Click"),
    ("application/json", b'{"List-Unsubscribe": "One-Click"}'),
    ("application/x", b"x"),
    ("application/x-www-form-urlencoded", b""),
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=one-click"),
    ("application/x-www-form-urlencoded", b"list-unsubscribe=One-Click"),
    ("application/x-www-form-urlencoded", b"\xff=%zz&&=;"),
    ("multipart/form-data", b"without a boundary"),
    ("multipart/form-data; boundary=x", b"--y\r\nbroken"),
    (
        "multipart/form-data; boundary=x",
        (
            b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"; filename="a"\r\n\r\n'
            b"One-Click\r\n--x--\r\n"
        ),
    ),
]


@pytest.mark.parametrize(("media", "body"), OTHER_BODIES)
def test_whatever_is_posted_leaves(
    database: Database, readers: TestClient, leave_url: str, media: str | None, body: bytes
) -> None:
    headers = {"Content-Type": media} if media else {}
    for _ in range(2):
        answer = readers.post(leave_url, content=body, headers=headers)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/unsubscribed?language=be"
        assert held(database) == [("be-ru", CONFIRMED)]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://mail.example.com", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Referer": "https://mail.example.com/"},
        {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"},
        {"Cookie": "session=x", "Accept": "application/json"},
        {"User-Agent": "", "Accept-Encoding": "identity"},
    ],
)
def test_one_click_asks_nothing_of_who_sends_it(
    database: Database, readers: TestClient, leave_url: str, headers: dict[str, str]
) -> None:
    sent = {**FORM, **headers}
    answer = readers.post(leave_url, content=b"List-Unsubscribe=One-Click", headers=sent)
    assert (answer.status_code, answer.text) == (200, "unsubscribed\n")
    assert "location" not in answer.headers
    assert held(database) == [("be-ru", CONFIRMED)]


def test_everything_may_be_left(database: Database, readers: TestClient, leave_url: str) -> None:
    assert readers.post(leave_url, data={"everything": "1"}).status_code == 303
    assert held(database) == []
    assert readers.get(leave_url).status_code == 200  # nobody learns that somebody has left


def test_the_manage_page_saves_shows_and_erases(
    database: Database, readers: TestClient, manage_url: str
) -> None:
    saved = readers.post(manage_url, data={"action": "save", "segments": "be-ru", "language": "ru"})
    assert saved.status_code == 200
    assert saved.headers["content-language"] == "ru"
    assert held(database) == [("be-ru", CONFIRMED)]
    agreed = NEWSLETTER.current_consent.text["ru"]
    assert agreed in saved.text, "the words, not the name of their version"
    kept = readers.post(manage_url, data={"action": "download"})
    assert "@" not in kept.text
    assert kept.json()["subscriptions"][0] == {
        "segment": "be-ru",
        "state": CONFIRMED,
        "requested": "2025-01-27",
        "confirmed": "2025-01-27",
        "double_opt_in": True,
        "consent": NEWSLETTER.current_consent.version,
        "consent_text": agreed,
        "source": None,
    }
    assert kept.json()["messages_with_links"] == [{"kind": MANAGE_LINK, "until": "2025-01-27"}]
    assert len(kept.json()["also_kept"]) == 3
    assert "Отпечаток вашего адреса" in saved.text
    assert kept.headers["content-disposition"].startswith("attachment")
    assert readers.post(manage_url, data={"action": "erase"}).status_code == 200
    assert held(database) != []
    erased = readers.post(manage_url, data={"action": "erase", "sure": "1"})
    assert erased.headers["location"].startswith("/erased")
    with database.reading() as session:
        assert session.scalars(select(Subscriber)).all() == []
    assert readers.get(manage_url).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "burn"},
        {"action": "save", "segments": "nobody"},
        {"action": "erase", "sure": ""},
        {"action": "save", "unknown": "1"},
    ],
)
def test_a_wrong_choice_changes_nothing(
    database: Database, readers: TestClient, manage_url: str, fields: dict[str, str]
) -> None:
    assert readers.post(manage_url, data=fields).status_code < 500
    assert held(database) == [("en", CONFIRMED)]


def test_who_was_imported_sees_the_operator_s_words(
    database: Database, readers: TestClient, manage_url: str
) -> None:
    with database.transaction() as session:
        session.add(ConsentText(version="import-1", text="Yes, <weekly>.", day=MONDAY.date()))
        session.execute(update(Subscription).values(consent="import-1"))
    assert "Yes, &lt;weekly&gt;." in readers.get(manage_url).text
    kept = readers.post(manage_url, data={"action": "download"}).json()
    assert kept["subscriptions"][0]["consent_text"] == "Yes, <weekly>."
    assert kept["subscriptions"][0]["double_opt_in"] is False
    assert "перанесена са спіса" in readers.get(manage_url).text


def test_the_manage_link_ends_after_thirty_minutes(
    readers: TestClient, clock: SetClock, manage_url: str
) -> None:
    clock.go_on(minutes=29, seconds=59)
    assert readers.get(manage_url).status_code == 200
    clock.go_on(seconds=1)
    assert readers.get(manage_url).status_code == 404
    assert readers.post(manage_url, data={"action": "erase", "sure": "1"}).status_code == 404


def test_no_link_serves_another_purpose(
    readers: TestClient, leave_url: str, confirm_url: str
) -> None:
    tokens = [url.rpartition("/")[2] for url in (leave_url, confirm_url)]
    for path, token in (
        *[(each, tokens[0]) for each in ("confirm", "manage")],
        *[(each, tokens[1]) for each in ("unsubscribe", "manage")],
    ):
        for answer in (readers.get(f"/{path}/{token}"), readers.post(f"/{path}/{token}")):
            assert answer.status_code == 404


def test_no_slash_is_led_elsewhere(readers: TestClient, leave_url: str) -> None:
    for answer in (readers.post(leave_url + "/"), readers.get(leave_url + "/")):
        assert answer.status_code == 404
        assert "location" not in answer.headers


def test_every_column_of_a_reader_s_row_is_shown_or_explained() -> None:
    """A new column is a new thing that is kept: the page must tell of it."""
    shown = {"language", "day", "told_day"}
    explained = {"sealed", "blind_index", "admit"}  # the address, its fingerprint, our mark on both
    names = {"id", "link_id"}  # of the row, at random
    assert set(Subscriber.__table__.columns.keys()) == shown | explained | names
    shown = {"segment", "state", "consent", "source", "requested_day", "confirmed_day"}
    assert set(Subscription.__table__.columns.keys()) == shown | {"subscriber_id"}


@pytest.mark.parametrize("language", ["be", "ru"])
@pytest.mark.parametrize("sentence", ALSO_KEPT)
def test_what_else_is_kept_is_said_in_every_language(language: str, sentence: str) -> None:
    assert phrases(language).gettext(sentence) != sentence
