"""The two forms, fresh and refused: in the reader's language, without what was typed."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from starlette.responses import HTMLResponse

from app.errors import DomainError
from app.languages import phrases
from app.subscribers.forms import (
    OTHERWISE,
    SENTENCES,
    form_page,
    manage_request_page,
)
from tests.support.builders import NEWSLETTER

FORMS = [form_page, manage_request_page]
Form = Callable[..., HTMLResponse]


def text_of(answer: HTMLResponse) -> str:
    return unescape(bytes(answer.body).decode())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", NEWSLETTER.languages)
def test_a_fresh_form_has_no_complaint(form: Form, language: str) -> None:
    answer = form(NEWSLETTER, language)
    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    for sentence in (*SENTENCES.values(), OTHERWISE):
        assert phrases(language).gettext(sentence) not in text_of(answer)


@pytest.mark.parametrize("language", NEWSLETTER.languages)
@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("email", SENTENCES["email"]),
        ("segments.1", SENTENCES["segments"]),
        ("language", SENTENCES["language"]),
        ("anything", OTHERWISE),
        (None, OTHERWISE),
    ],
)
def test_a_refused_form_names_the_field(language: str, field: str | None, sentence: str) -> None:
    answer = form_page(NEWSLETTER, language, refused=DomainError("typed@example.org", field=field))
    assert answer.status_code == 422
    assert phrases(language).gettext(sentence) in text_of(answer)
    assert "typed" not in text_of(answer)


def test_a_form_that_wants_a_choice_has_made_none() -> None:
    assert "checked" in ticks(form_page(NEWSLETTER, "be"))
    assert "checked" in ticks(form_page(NEWSLETTER, "be", refused=DomainError(field="email")))
    assert "checked" not in ticks(
        form_page(NEWSLETTER, "be", refused=DomainError(field="segments"))
    )


def ticks(answer: HTMLResponse) -> str:
    """The boxes of what one may get."""
    return " ".join(re.findall(r'<input type="checkbox" name="segments"[^>]*>', text_of(answer)))


@pytest.mark.parametrize("sentence", [*SENTENCES.values(), OTHERWISE])
def test_every_complaint_is_translated(sentence: str) -> None:
    for language in ("be", "ru"):
        assert phrases(language).gettext(sentence) != sentence
