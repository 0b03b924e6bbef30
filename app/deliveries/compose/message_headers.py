"""From a message that may go to the bytes that go: compiled once, filled per reader.

Headers as mail.md asks: one-click unsubscribing (RFC 8058) and List-Id (RFC 2919) on issues,
Auto-Submitted (RFC 3834) on all, a Message-ID that every attempt repeats and that tells nothing.
"""

from dataclasses import dataclass

from app.deliveries.ledger.message_kinds import ISSUE
from app.mail.message.compiler import MessageTemplate, compile_message, marker
from app.mail.message.templates import Rendered
from app.newsletter import Newsletter, Segment
from app.settings import Mailbox, Settings

# The names of the slots, and how long what fills them may be.
TO = marker("to", 254)
MESSAGE_ID = marker("message-id", 250)
DATE = marker("date", 40)


@dataclass(frozen=True)
class SenderIdentity:
    """Who we are to the world: the names and domains in every message."""

    sender: Mailbox
    list_domain: str
    return_path_domain: str
    public_url: str
    newsletter: Newsletter
    hosts_photos: bool = False

    @classmethod
    def of(cls, settings: Settings, newsletter: Newsletter) -> "SenderIdentity":
        """Read them from the settings."""
        return cls(
            settings.from_address,
            settings.list_domain,
            settings.return_path_domain,
            settings.public_url,
            newsletter,
            settings.hosts_photos,
        )

    def from_header(self, language: str) -> str:
        """Return From: the configured name, or else the newsletter's."""
        name = self.sender.name or self.newsletter.name.get(language, "")
        return f"{name} <{self.sender.address}>" if name else self.sender.address


def compile_issue(
    post: SenderIdentity, rendered: Rendered, segment: Segment, language: str, week: str
) -> MessageTemplate:
    """Compile an edition. Raises what `compile_message` raises."""
    link = f"{post.public_url}/unsubscribe/{marker('unsubscribe', 40)}"
    headers = [
        *_common(post, rendered.subject, language),
        ("List-Id", f"<{segment.id}.{post.list_domain}>"),
        ("List-Unsubscribe", f"<{link}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
        ("Feedback-ID", f"{week}:{segment.id}:{ISSUE}:vestka"),
    ]
    return compile_message(
        headers, rendered.text, rendered.html, language, related=rendered.pictures
    )


def compile_service(post: SenderIdentity, rendered: Rendered, language: str) -> MessageTemplate:
    """Compile a message that somebody asked for."""
    headers = _common(post, rendered.subject, language)
    return compile_message(headers, rendered.text, rendered.html or None, language)


def _common(post: SenderIdentity, subject: str, language: str) -> list[tuple[str, str]]:
    return [
        ("Date", DATE),
        ("From", post.from_header(language)),
        ("To", TO),
        ("Subject", subject),
        ("Message-ID", f"<{MESSAGE_ID}>"),
        ("Auto-Submitted", "auto-generated"),
    ]
