"""An installation with many made-up readers, an issue of a given size, and a mailing to send."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import insert

from app.addresses.address import EmailAddress
from app.addresses.admission import admit_mac
from app.addresses.blind_index import blind_index
from app.addresses.keyring import Keyring
from app.addresses.sealing import seal
from app.clock import SystemClock
from app.database import Database
from app.deliveries.compose.composing import SAMPLE, compiled_edition
from app.deliveries.compose.message_headers import SenderIdentity
from app.editions.freezing import editions_of, freeze
from app.editions.pictures import frozen
from app.issues.approval import approve
from app.issues.content import IssueContent
from app.issues.drafting import store
from app.issues.week import Week
from app.keys.creation import create_keys
from app.mailings.launch import launch
from app.migration import migrate
from app.newsletter import Newsletter
from app.settings import Mailbox
from app.subscribers.models import CONFIRMED, Subscriber, Subscription
from app.tokens import new_id, new_link_id

NOW = datetime(2026, 1, 6, 8, 0, tzinfo=UTC)
WEEK = Week.parse("2026-W02")
REAL = Path(__file__).resolve().parents[2] / "shared" / "input" / "2025-W04.json"
SENTENCE = "Гэта сказ сярэдняй даўжыні, напісаны толькі дзеля таго, каб ліст меў патрэбны памер. "


def addresses(count: int) -> Iterator[str]:
    """Make up so many readers of one domain."""
    return (f"reader{number}@example.org" for number in range(count))


def prepare(
    folder: Path,
    url: str,
    readers: Iterable[str],
    public_url: str,
    message_kb: int,
    *,
    over: timedelta | None = None,
    now: datetime | None = None,
) -> int:
    """Make keys, database, confirmed `readers` of BE/RU, and a mailing, launched `now`.

    Its issue is a real one if that lies beside the project, else one of about `message_kb`; 0: the
    smallest in any case. Returns the size of a message in bytes.
    """
    create_keys(folder / "keys")
    keyring = Keyring.load(folder / "keys")
    database = Database(url)
    migrate(database)
    for rows in _batches(keyring, readers):
        with database.transaction() as session:
            session.execute(insert(Subscriber), [subscriber for subscriber, _ in rows])
            session.execute(insert(Subscription), [subscription for _, subscription in rows])
    newsletter = Newsletter.load()
    content = IssueContent.model_validate_json(
        REAL.read_bytes() if REAL.exists() and message_kb else _issue(message_kb)
    )
    week = content.week
    with database.transaction() as session:
        store(session, newsletter, week, content, now=NOW)
        approve(session, newsletter, week, ["be-ru"], by="bench", now=NOW)
        freeze(session, newsletter, week, ["be-ru"], public_url=public_url, now=NOW)
        segment, at = newsletter.segment("be-ru"), now or SystemClock().now()
        launch(session, week, segment, by="bench", over=over, now=at)
        rendered = frozen(session, editions_of(session, str(week), "be-ru")["be"])
    database.close()
    post = SenderIdentity(
        Mailbox("", "news@example.org"), "example.org", "example.org", public_url, newsletter
    )
    return len(compiled_edition(post, rendered, "be-ru", "be", week).fill(SAMPLE))


def _batches(
    keyring: Keyring, readers: Iterable[str]
) -> Iterator[list[tuple[dict[str, object], dict[str, object]]]]:
    left = iter(readers)
    while batch := [_reader(keyring, each) for each in islice(left, 1000)]:
        yield batch


def _reader(keyring: Keyring, reader: str) -> tuple[dict[str, object], dict[str, object]]:
    row_id, link_id = new_id(), new_link_id()
    address = EmailAddress(reader)
    sealed, index = seal(keyring.list_sealing, row_id, address), blind_index(keyring.index, address)
    subscriber: dict[str, object] = {
        "id": row_id,
        "link_id": link_id,
        "blind_index": index,
        "sealed": sealed,
        "admit": admit_mac(keyring.admit, row_id, link_id, index, sealed),
        "language": "be",
        "day": NOW.date(),
    }
    subscription: dict[str, object] = {
        "subscriber_id": row_id,
        "segment": "be-ru",
        "state": CONFIRMED,
        "consent": "bench",
        "requested_day": NOW.date(),
        "confirmed_day": NOW.date(),
    }
    return subscriber, subscription


def _issue(message_kb: int) -> str:
    """Make an issue whose message has about this size: base64 of text and of HTML."""
    sentences = max(1, int(message_kb * 1024 / 1.35 / 2 / len(SENTENCE.encode())) - 40)
    body = "\n\n".join(SENTENCE * 5 for _ in range(max(1, sentences // 5)))
    text = {"title": "Пробны каментар", "body": body}
    commentary = {"rubric": "economy", "situation": "unchanged", "texts": {"be": text}}
    return json.dumps({"week": str(WEEK), "commentaries": [commentary]})
