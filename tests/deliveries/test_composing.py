"""An edition is read back before its first reader gets it; any difference stops it."""

from dataclasses import replace

import pytest

from app.deliveries import composing
from app.deliveries.composing import SAMPLE, LetterUnfit, compiled_edition
from app.deliveries.envelopes import Post, compile_issue
from app.issues.week import Week
from app.mail.letter import LetterTemplate, marker
from app.mail.templates import Rendered
from app.newsletter import Segment
from app.settings import Mailbox
from tests.support.builders import NEWSLETTER, PUBLIC_URL

POST = Post(
    Mailbox("", "news@example.org"), "lists.example.org", "back.example.org", PUBLIC_URL, NEWSLETTER
)
LINK = f"{PUBLIC_URL}/unsubscribe/{marker('unsubscribe', 40)}"
MEANT = Rendered("Тыдзень: “Prices”", f'<p>Цэны</p><a href="{LINK}">x</a>', f"Цэны\n{LINK}\n")
WEEK = Week.parse("2025-W04")


def compiled() -> LetterTemplate:
    return compiled_edition(POST, MEANT, "be-ru", "be", WEEK)


def test_a_letter_that_reads_back_is_compiled() -> None:
    assert SAMPLE["to"].encode() in compiled().fill(SAMPLE)


@pytest.mark.parametrize(
    ("part", "before", "after"),
    [("subject", "“", "“ "), ("html", "Цэны", "Цены"), ("text", "Цэны", "Цэн")],
)
def test_any_difference_is_refused(
    monkeypatch: pytest.MonkeyPatch, part: str, before: str, after: str
) -> None:
    def damaging(
        post: Post, rendered: Rendered, segment: Segment, language: str, week: str
    ) -> LetterTemplate:
        damaged = {part: getattr(rendered, part).replace(before, after)}
        return compile_issue(post, replace(rendered, **damaged), segment, language, week)

    monkeypatch.setattr(composing, "compile_issue", damaging)
    with pytest.raises(LetterUnfit, match="is not read back as it was written"):
        compiled()
