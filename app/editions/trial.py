"""A trial letter: an edition compiled with stand-in headers and read back by a foreign parser.

What is wrong with it would be wrong with every reader's letter, so it is better known before the
approval than when the mailing starts.
"""

from app.errors import Refusal
from app.mail.letter import compile_letter, marker
from app.mail.templates import Rendered
from app.mail.verify import check_letter

TOKEN = marker("unsubscribe", 40)
STAND_IN = "A" * 40


def objections(rendered: Rendered, language: str) -> tuple[str, ...]:
    """Give what the letter compiler or `check_letter` objects to; empty if nothing."""
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
        template = compile_letter(
            headers, rendered.text, rendered.html, language, related=rendered.pictures
        )
        letter = template.fill({"unsubscribe": STAND_IN})
    except Refusal as refused:
        return (str(refused),)
    html, text = (part.replace(TOKEN, STAND_IN) for part in (rendered.html, rendered.text))
    return check_letter(letter, subject=rendered.subject, text=text, html=html)


def _link(text: str) -> str:
    """Find the unsubscribe link, which stands on a line of its own."""
    return next((line for line in text.split("\n") if line.endswith(TOKEN)), "")
