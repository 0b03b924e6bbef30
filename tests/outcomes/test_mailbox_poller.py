"""Collecting: what is ours is taken and deleted, what proves nothing is left for people, seen."""

import email.message
from pathlib import Path

import pytest
from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.outcomes.attribution import TokenReader
from app.outcomes.imap import ImapFailed, ImapMailbox
from app.outcomes.ingest import Ingest
from app.outcomes.mailbox_poller import Source, collect, sources_of
from app.outcomes.maildir import Maildir
from app.outcomes.models import OutcomeCount
from app.outcomes.processing import Processor
from app.settings import BouncePolicy, ImapPlace, Settings
from app.subscribers.models import Subscriber
from tests.deliveries.rows import a_mailing
from tests.outcomes.imapd import ImapServer
from tests.support.bounces import a_bounce
from tests.support.builders import NEWSLETTER, WEEK
from tests.support.clock import MONDAY, SetClock


@pytest.fixture
def intake(database: Database, keyring: Keyring, clock: SetClock) -> Ingest:
    signs = TokenReader(keyring.links, "back.example.org", "lists.example.org", NEWSLETTER)
    return Ingest(database, clock, Processor(signs, BouncePolicy()))


@pytest.fixture
def ours(database: Database, keyring: Keyring) -> bytes:
    """A bounce of a message that went."""
    with database.transaction() as session:
        a_mailing(session, keyring, 1, now=MONDAY)
        link_id = session.scalars(select(Subscriber.link_id)).one()
    path = keyring.links.return_path(link_id, WEEK.number, "en")
    return a_bounce(f"{path}@back.example.org", "reader-0@gmail.com")


def a_question() -> bytes:
    message = email.message.EmailMessage()
    message["From"], message["To"] = "ann@example.org", "back@back.example.org"
    message["Subject"] = "When is the next issue?"
    message.set_content("I would like to know.")
    return message.as_bytes()


def counted(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as session:
        rows = session.scalars(select(OutcomeCount))
        return sorted((row.segment, row.outcome, row.provider) for row in rows)


BOTH = [("", "not-a-bounce", ""), ("en", "hard", "gmail")]


def test_a_maildir_is_emptied(
    database: Database, intake: Ingest, ours: bytes, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / "1.host:2,").write_bytes(ours)
    (new / "2.host").write_bytes(a_question())
    (new / "3.link").symlink_to("/etc/hostname")
    (new / "4.folder").mkdir()
    source = Maildir(tmp_path)
    assert source.waiting() == 4
    assert collect(source, intake) == 2
    assert counted(database) == BOTH
    assert sorted(path.name for path in new.iterdir()) == ["3.link", "4.folder"]
    assert [path.name for path in (tmp_path / "cur").iterdir()] == ["2.host:2,S"]
    assert collect(source, intake) == 0


def test_a_maildir_that_is_not_there_is_told_of(intake: Ingest, tmp_path: Path) -> None:
    missing = Maildir(tmp_path / "nowhere")
    assert collect(missing, intake) == 0
    with pytest.raises(OSError, match="nowhere"):
        missing.waiting()


def test_an_imap_mailbox_is_emptied(database: Database, intake: Ingest, ours: bytes) -> None:
    with ImapServer({7: ours, 9: a_question()}) as server:
        source = ImapMailbox(place(server))
        assert source.waiting() == 2
        assert collect(source, intake) == 2
        assert server.messages.keys() == {9}
        assert server.flags[9] == {"\\Seen"}
        assert source.waiting() == 0
        assert collect(source, intake) == 0
    assert counted(database) == BOTH


def place(server: ImapServer, **other: object) -> ImapPlace:
    values = {"username": "back", "password": 'se"cret', "folder": "IN BOX", **other}
    return ImapPlace("127.0.0.1", server.port, tls=False, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("other", [{"password": "wrong"}, {"folder": "elsewhere"}])
def test_a_server_that_refuses_is_told_of(intake: Ingest, other: dict[str, object]) -> None:
    with ImapServer({}) as server:
        source = ImapMailbox(place(server, **other))
        assert collect(source, intake) == 0
        with pytest.raises(ImapFailed) as failed:
            source.waiting()
        assert "wrong" not in str(failed.value)


def test_a_server_that_is_away_is_told_of(intake: Ingest) -> None:
    with ImapServer({}) as server:
        source = ImapMailbox(place(server))
    assert collect(source, intake) == 0


def test_the_settings_name_the_mailboxes(tmp_path: Path) -> None:
    def sources(**texts: str) -> tuple[Source, ...]:
        return sources_of(Settings({f"VESTKA_BOUNCE_{k}": v for k, v in texts.items()}))

    assert sources() == ()
    found = sources(MAILDIR=str(tmp_path), IMAP="imaps://back:secret@imap.example.org/Bounces")
    assert [each.name for each in found] == ["maildir", "imap"]
