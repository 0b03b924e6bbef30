"""From a letter that may go to the bytes that go: compiled once, filled per reader.

Headers as mail.md asks: one-click unsubscribing (RFC 8058) and List-Id (RFC 2919) on issues,
Auto-Submitted (RFC 3834) on all, a Message-ID that every attempt repeats and that tells nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import NamedTuple

from app.addresses.address import EmailAddress
from app.addresses.index import never_index
from app.addresses.keys import Keyring
from app.deliveries.checking import Ready
from app.deliveries.kinds import ALERT, ISSUE
from app.mail.filling import Filled
from app.mail.letter import LetterTemplate, compile_letter, marker
from app.mail.templates import Rendered
from app.newsletter import Newsletter, Segment
from app.settings import Mailbox, Settings
from app.subscribers.asking import CONFIRMATION, token_of
from app.tokens import message_id

# The names of the slots, and how long what fills them may be.
TO = marker("to", 254)
MESSAGE_ID = marker("message-id", 250)
DATE = marker("date", 40)


@dataclass(frozen=True)
class Post:
    """Who we are to the world: the names and domains in every letter."""

    sender: Mailbox
    list_domain: str
    return_path_domain: str
    public_url: str
    newsletter: Newsletter

    @classmethod
    def of(cls, settings: Settings, newsletter: Newsletter) -> "Post":
        """Read them from the settings."""
        return cls(
            settings.sender,
            settings.list_domain,
            settings.return_path_domain,
            settings.public_url,
            newsletter,
        )

    def from_header(self, language: str) -> str:
        """Return From: the configured name, or else the newsletter's."""
        name = self.sender.name or self.newsletter.name.get(language, "")
        return f"{name} <{self.sender.address}>" if name else self.sender.address


def compile_issue(
    post: Post, rendered: Rendered, segment: Segment, language: str, week: str
) -> LetterTemplate:
    """Compile an edition. Raises what `compile_letter` raises."""
    link = f"{post.public_url}/unsubscribe/{marker('unsubscribe', 40)}"
    headers = [
        *_common(post, rendered.subject, language),
        ("List-Id", f"<{segment.id}.{post.list_domain}>"),
        ("List-Unsubscribe", f"<{link}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
        ("Feedback-ID", f"{week}:{segment.id}:{ISSUE}:vestka"),
    ]
    return compile_letter(
        headers, rendered.text, rendered.html, language, related=rendered.pictures
    )


def compile_service(post: Post, rendered: Rendered, language: str) -> LetterTemplate:
    """Compile a letter that somebody asked for."""
    headers = _common(post, rendered.subject, language)
    return compile_letter(headers, rendered.text, rendered.html or None, language)


def _common(post: Post, subject: str, language: str) -> list[tuple[str, str]]:
    return [
        ("Date", DATE),
        ("From", post.from_header(language)),
        ("To", TO),
        ("Subject", subject),
        ("Message-ID", f"<{MESSAGE_ID}>"),
        ("Auto-Submitted", "auto-generated"),
    ]


class Addressed(NamedTuple):
    """One reader's letter: return path, recipient, and what is to be written (and signed)."""

    sender: str
    recipient: str
    letter: Filled


class Filling:
    """Fills compiled letters with what is one reader's own."""

    def __init__(self, post: Post, keyring: Keyring) -> None:
        """Derive the secrets once."""
        self._post = post
        self._keyring = keyring
        self._message_secret = keyring.message_ids
        self._dated: tuple[datetime, str] | None = None

    def fill(
        self, template: LetterTemplate, ready: Ready, *, week: int, segment: str, now: datetime
    ) -> Addressed:
        """Return the reader's letter; `week` and `segment` are 0 and a kind for service letters."""
        claim, links = ready.claim, self._keyring.links
        values = {
            "to": ready.address,
            "date": self._date(now),
            "message-id": f"{self._message_id(ready, week, segment)}@{self._post.list_domain}",
        }
        return_path = self._post.sender.address
        if claim.kind != ALERT:
            local = links.return_path(ready.link_id, _week_or_nonce(ready, week), segment)
            return_path = f"{local}@{self._post.return_path_domain}"
        if claim.kind == ISSUE:
            spoken = self._post.newsletter.number_of(ready.language)
            values["unsubscribe"] = links.unsubscribe(ready.link_id, week, segment, spoken)
        elif claim.letter_id is not None and claim.kind != ALERT:
            slot = "confirm" if claim.kind == CONFIRMATION else "manage"
            values[slot] = token_of(self._keyring, claim.kind, claim.letter_id)
        if claim.kind == CONFIRMATION and claim.letter_id is not None:
            index = never_index(self._keyring.never, EmailAddress(ready.address))
            values["never"] = links.never(ready.link_id, claim.letter_id, index)
        return Addressed(return_path, ready.address, template.bind(values))

    def _date(self, now: datetime) -> str:
        """Write the date once for all letters of a turn."""
        if self._dated is None or self._dated[0] is not now:
            self._dated = (now, format_datetime(now))
        return self._dated[1]

    def _message_id(self, ready: Ready, week: int, segment: str) -> str:
        """The same for every attempt, also after the database came back from a backup."""
        if ready.claim.kind == ALERT:
            return message_id(self._message_secret, ALERT, ready.claim.letter_id or b"")
        token = _week_or_nonce(ready, week)
        return self._keyring.links.message_id(ready.link_id, token, segment)


def _week_or_nonce(ready: Ready, week: int) -> int:
    """Say which letter of its kind it is: two to the same reader must not share a return path."""
    nonce = ready.claim.letter_id
    return week if nonce is None else int.from_bytes(nonce[:3], "big")
