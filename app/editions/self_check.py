"""A trial message: an edition compiled with stand-in headers and read back by a foreign parser.

What is wrong with it would be wrong with every reader's message, so it is better known before the
approval than when the mailing starts.
"""

from app.errors import DomainError
from app.mail.message.compiler import compile_message, marker
from app.mail.message.self_check import check_message
from app.mail.message.templates import Rendered

TOKEN = marker("unsubscribe", 40)
STAND_IN = "A" * 40


def objections(rendered: Rendered, language: str) -> tuple[str, ...]:
    """Give what the message compiler or `check_message` objects to; empty if nothing."""
    headers = [
        ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
        ("From", "news@example.org"),
        ("To", "reader@example.org"),
        ("Subject", rendered.subject),
        ("Message-ID", f"<{'0' * 32}@example.org>"),
        ("List-Id", "<trial.example.org>"),
        ("List-Unsubscribe", f"<{_link(rendered.text)}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]
    try:
        template = compile_message(
            headers, rendered.text, rendered.html, language, related=rendered.pictures
        )
        message = template.fill({"unsubscribe": STAND_IN})
    except DomainError as refused:
        return (str(refused),)
    html, text = (part.replace(TOKEN, STAND_IN) for part in (rendered.html, rendered.text))
    return check_message(message, subject=rendered.subject, text=text, html=html)


def _link(text: str) -> str:
    """Find the unsubscribe link, which stands on a line of its own."""
    return next((line for line in text.split("\n") if line.endswith(TOKEN)), "")
