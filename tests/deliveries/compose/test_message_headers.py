"""What every message carries, whoever it goes to, and what no two messages share."""

import email
import email.policy
import re
from datetime import timedelta
from email.message import EmailMessage

from fastapi.testclient import TestClient
from sqlalchemy import update

from app.addresses.keyring import Keyring
from app.database import Database
from app.deliveries.compose.composing import Outgoing
from app.deliveries.dispatch.exchange import Report
from app.deliveries.ledger.enrolment import take_in_alerts, take_in_service_messages
from app.issues.week import Week
from app.operators.alerts import alert
from app.settings import Mailbox
from app.subscribers.models import ServiceMessage
from app.subscribers.service_messages import ask_to_confirm, send_manage_link
from tests.deliveries.desk import Desk
from tests.deliveries.rows import a_mailing
from tests.support.builders import NEWSLETTER, PUBLIC_URL, a_subscriber
from tests.support.clock import MONDAY

OPERATORS = Mailbox("", "ops@example.org")
NEXT_WEEK = Week.parse("2025-W05")


def read(outgoing: Outgoing) -> EmailMessage:
    message = email.message_from_bytes(bytes(outgoing.message), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def tokens(outgoing: Outgoing) -> set[str]:
    """Whatever in a message is long and opaque: tokens, the Message-ID, the return path."""
    body = read(outgoing).get_body(("plain",))
    assert body is not None
    text = f"{body.get_content()} {read(outgoing)['Message-ID']} {outgoing.sender}"
    return {found for found in re.findall(r"[\w-]{32,}", text) if found.strip("-")}


def test_an_issue_carries_the_headers_of_a_list(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
    (message,) = Desk(database, keyring, alerts_to=OPERATORS).claim()
    parsed = read(message)
    assert parsed["To"] == message.recipient == "reader-0-2025-W04@example.org"
    assert parsed["List-Id"] == "<en.lists.example.org>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Precedence"] == "bulk"
    link = re.fullmatch(rf"<{PUBLIC_URL}/unsubscribe/([\w-]{{40}})>", parsed["List-Unsubscribe"])
    assert link is not None
    facts = keyring.links.open_unsubscribe(link[1])
    assert NEWSLETTER.numbered(facts.language) == "en"
    path = keyring.links.open_return_path(message.sender.partition("@")[0])
    assert facts == path._replace(language=facts.language)
    body = parsed.get_body(("plain",))
    assert body is not None
    assert link[1] in body.get_content()  # one token in header and body


def test_a_return_path_is_keyed_and_short(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 3)
    messages = Desk(database, keyring).claim()
    paths = [message.sender.partition("@") for message in messages]
    assert len({local for local, _, _ in paths}) == 3
    for local, _, domain in paths:
        assert len(local) <= 64  # RFC 5321 §4.5.3.1.1
        assert domain == "back.example.org"


def test_every_attempt_repeats_message_id_and_tokens(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
    desk = Desk(database, keyring)
    messages = []
    for minutes in (0, 5):
        desk.clock.at = MONDAY + timedelta(minutes=minutes)
        messages += desk.claim()
        desk.ledger.turn(Report(released=[messages[-1].claim.delivery_id]), [], 0)
    first, second = ([*read(message).items()] for message in messages)
    assert {name for name, value in first if (name, value) not in second} <= {
        "Date",
        "Content-Type",
    }
    assert read(messages[0])["Message-ID"] == read(messages[1])["Message-ID"]
    assert tokens(messages[0]) == tokens(messages[1])
    assert messages[0].sender == messages[1].sender


def test_two_messages_to_one_reader_share_no_token(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 1)
        a_mailing(session, keyring, 0, week=NEXT_WEEK)
        reader = a_subscriber(session, keyring, "asks@example.org", segments=[])
        for hours in (0, 1):  # the first link has expired when the second is asked for
            send_manage_link(session, keyring, reader.id, "en", MONDAY - timedelta(hours=1 - hours))
            session.flush()
        for segment in ("en", "be-ru"):
            ask_to_confirm(session, keyring, reader.id, [segment], "en", MONDAY.date())
        session.flush()
        session.execute(update(ServiceMessage).values(expires_at=MONDAY + timedelta(hours=1)))
        take_in_service_messages(session, now=MONDAY)
    messages = Desk(database, keyring).claim()
    found = [tokens(message) for message in messages]
    assert len(found) == 6
    assert all(len(each) >= 2 for each in found)
    assert sum(map(len, found)) == len(set().union(*found))


def urls(outgoing: Outgoing) -> set[str]:
    """Every address of the web in a message: in its headers and in both of its parts."""
    parts = [
        part.get_content()
        for part in read(outgoing).walk()
        if part.get_content_maintype() == "text"
    ]
    headers = [str(value) for value in read(outgoing).values()]
    return set(re.findall(r"https?://[^\s<>\"')]+", " ".join([*headers, *parts])))


def test_b16_the_one_link_of_a_readers_own_is_the_one_to_leave(
    database: Database, keyring: Keyring, readers: TestClient
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 2)
    one, other = Desk(database, keyring).claim()
    (own,) = urls(one) - urls(other)
    assert own.startswith(f"{PUBLIC_URL}/unsubscribe/")
    assert f"<{own}>" in str(read(one)["List-Unsubscribe"])
    differ = {name for name, value in read(one).items() if value != read(other)[name]}
    assert differ == {"To", "Message-ID", "List-Unsubscribe"}
    token = own.rpartition("/")[2]
    for kind in ("manage", "confirm", "never"):
        assert readers.post(f"/{kind}/{token}", data={"action": "erase"}).status_code == 404


def test_a_service_message_is_no_list_s(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        reader = a_subscriber(session, keyring)
        ask_to_confirm(session, keyring, reader.id, ["en"], "ru", MONDAY.date())
        session.flush()
        take_in_service_messages(session, now=MONDAY)
    (message,) = Desk(database, keyring, alerts_to=OPERATORS).claim()
    parsed = read(message)
    assert parsed["List-Unsubscribe"] is parsed["List-Id"] is parsed["Precedence"] is None
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Content-Language"] == "ru"


def test_an_alert_comes_back_to_the_publisher(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        alert(session, "one", "Something happened.", now=MONDAY)
        take_in_alerts(session, now=MONDAY)
    (message,) = Desk(database, keyring, alerts_to=OPERATORS).claim()
    assert (message.sender, message.recipient) == ("news@example.org", "ops@example.org")
    parsed = read(message)
    assert parsed["Subject"] == "[Vestka] Something happened."
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Something happened."


def test_a_long_alert_is_whole_and_its_subject_ends_with_a_word(
    database: Database, keyring: Keyring
) -> None:
    said = "Mailing 7 is paused. " + "Somebody has to look at it before it goes on. " * 4
    with database.transaction() as session:
        alert(session, "one", said, now=MONDAY)
        take_in_alerts(session, now=MONDAY)
    (message,) = Desk(database, keyring, alerts_to=OPERATORS).claim()
    parsed = read(message)
    assert parsed["Subject"] == (
        "[Vestka] Mailing 7 is paused. Somebody has to look at it before it goes on. …"
    )
    body = parsed.get_body(("plain",))
    assert body is not None
    assert " ".join(body.get_content().split()) == said.strip()
