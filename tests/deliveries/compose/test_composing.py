"""An edition is read back before its first reader gets it; any difference stops it."""

from dataclasses import replace

import pytest

from app.deliveries.compose import composing
from app.deliveries.compose.composing import SAMPLE, MessageUnfit, compiled_edition
from app.deliveries.compose.message_headers import SenderIdentity, compile_issue
from app.issues.week import Week
from app.mail.message.compiler import MessageTemplate, marker
from app.mail.message.templates import Rendered
from app.newsletter import Segment
from app.settings import Mailbox
from tests.support.builders import NEWSLETTER, PUBLIC_URL

POST = SenderIdentity(
    Mailbox("", "news@example.org"), "lists.example.org", "back.example.org", PUBLIC_URL, NEWSLETTER
)
LINK = f"{PUBLIC_URL}/unsubscribe/{marker('unsubscribe', 40)}"
MEANT = Rendered("Тыдзень: “Prices”", f'<p>Цэны</p><a href="{LINK}">x</a>', f"Цэны\n{LINK}\n")
WEEK = Week.parse("2025-W04")


def compiled() -> MessageTemplate:
    return compiled_edition(POST, MEANT, "be-ru", "be", WEEK)


def test_a_message_that_reads_back_is_compiled() -> None:
    assert SAMPLE["to"].encode() in compiled().fill(SAMPLE)


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [("subject", "“", "“ "), ("html", "Цэны", "Цены"), ("text", "Цэны", "Цэн")],
)
def test_any_difference_is_refused(
    monkeypatch: pytest.MonkeyPatch, part: str, before: str, after: str
) -> None:
    def damaging(
        post: SenderIdentity, rendered: Rendered, segment: Segment, language: str, week: str
    ) -> MessageTemplate:
        damaged = {part: getattr(rendered, part).replace(before, after)}
        return compile_issue(post, replace(rendered, **damaged), segment, language, week)

    monkeypatch.setattr(composing, "compile_issue", damaging)
    with pytest.raises(MessageUnfit, match="is not read back as it was written"):
        compiled()
