"""One reader's links of every kind, for tests that try them where they do not belong."""

from dataclasses import dataclass

from sqlalchemy import select

from app.addresses.keyring import Keyring
from app.database import Database
from app.subscribers.models import PENDING, ServiceMessage, Subscription
from app.subscribers.service_message_kinds import CONFIRMATION, MANAGE_LINK
from app.subscribers.service_messages import ask_to_confirm, send_manage_link
from app.subscribers.service_messages import token_of as token_from
from tests.support.builders import WEEK, a_subscriber
from tests.support.clock import MONDAY

KINDS = ("confirm", "manage", "unsubscribe", "never")
ADDRESS = "qzxvkwjhpy@example.net"


@dataclass(frozen=True)
class Links:
    """Tokens by kind; the reader gets `en` and was asked about `be-ru`."""

    tokens: dict[str, str]

    def path(self, kind: str) -> str:
        """The link of this kind."""
        return f"/{kind}/{self.tokens[kind]}"

    @property
    def paths(self) -> list[str]:
        """The links that are in messages' texts."""
        return [self.path(kind) for kind in KINDS]


def links_of_a_reader(database: Database, keyring: Keyring) -> Links:
    """Make a reader who holds every kind of link, and none of them used."""
    with database.transaction() as session:
        reader = a_subscriber(session, keyring, ADDRESS, segments=("en",))
        ask_to_confirm(session, keyring, reader.id, ["be-ru"], "be", MONDAY.date())
        session.add(
            Subscription(
                subscriber_id=reader.id,
                segment="be-ru",
                state=PENDING,
                consent="1",
                requested_day=MONDAY.date(),
            )
        )
        send_manage_link(session, keyring, reader.id, "be", MONDAY)
        session.flush()
        nonces = {each.kind: each.nonce for each in session.scalars(select(ServiceMessage))}
        return Links(
            {
                "confirm": token_from(keyring, CONFIRMATION, nonces[CONFIRMATION]),
                "manage": token_from(keyring, MANAGE_LINK, nonces[MANAGE_LINK]),
                "unsubscribe": keyring.links.unsubscribe(reader.link_id, WEEK.number, "en"),
                "never": keyring.links.never(reader.link_id, bytes(6), reader.blind_index),
                "return-path": keyring.links.return_path(reader.link_id, WEEK.number, "en"),
            }
        )
