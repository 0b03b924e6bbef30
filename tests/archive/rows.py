"""Issues that were sent, as rows: what the archive's tests start from."""

from datetime import datetime
from typing import Any

from app.database import Transaction
from app.editions.freezing import freeze
from app.issues.approval import approve
from app.issues.content import IssueContent
from app.issues.drafting import store
from app.issues.week import Week
from app.mailings.launch import launch
from app.mailings.models import Mailing
from tests.support.builders import NEWSLETTER, PUBLIC_URL
from tests.support.clock import MONDAY

BODY = "See [the report](https://example.org/a?b=1&c=2).\n\n- one\n- two"
FIRST: dict[str, Any] = {
    "rubric": "economy",
    "situation": "worse",
    "author": "A. Author & Co",
    "photo": {"credit": "Photo <Agency>"},
    "texts": {
        "en": {"title": "Prices & wages", "body": BODY},
        "be": {"title": "Цэны — і зарплаты", "body": "Пра цэны."},
        "ru": {"title": "Цены и зарплаты", "body": "О ценах."},
    },
}
SECOND: dict[str, Any] = {
    "rubric": "security",
    "situation": "better",
    "texts": {
        "en": {"title": "A quiet week", "body": "Quiet."},
        "be": {"title": "Ціхі тыдзень", "body": "Ціха."},
    },
}


def stored(session: Transaction, week: str = "2025-W04", *commentaries: dict[str, Any]) -> Week:
    """Store a draft of these commentaries, or of both above."""
    document = {"week": week, "commentaries": commentaries or [FIRST, SECOND]}
    content = IssueContent.model_validate(document)
    store(session, NEWSLETTER, content.week, content, now=MONDAY)
    return content.week


def approved(session: Transaction, week: Week, *segments: str) -> None:
    """Approve it for these segments."""
    approve(session, NEWSLETTER, week, segments, by="editor", now=MONDAY)
    freeze(session, NEWSLETTER, week, segments, public_url=PUBLIC_URL, now=MONDAY)


def sent(
    session: Transaction,
    week: str = "2025-W04",
    *commentaries: dict[str, Any],
    segments: tuple[str, ...] = ("en", "be-ru"),
    now: datetime = MONDAY,
) -> list[Mailing]:
    """Store, approve and launch an issue."""
    named = stored(session, week, *commentaries)
    approved(session, named, *segments)
    return [
        launch(session, named, NEWSLETTER.segment(segment), by="editor", now=now)[0]
        for segment in segments
    ]
