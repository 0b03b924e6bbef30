"""Reading a wish: segments by id or label, a language that is offered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.newsletter import UnknownSegment
from app.subscribers.signup_validation import (
    LanguageNotOffered,
    language_of,
    page_language,
    segments_of,
)
from tests.support.builders import NEWSLETTER


@given(st.lists(st.sampled_from(["en", "EN", " En ", "be-ru", "BE/RU", "be/ru"])))
def test_segments_are_named_by_id_or_label_and_kept_once(names: list[str]) -> None:
    found = segments_of(NEWSLETTER, names)
    assert len(set(found)) == len(found)
    assert set(found) == {"en" if name.strip().lower() == "en" else "be-ru" for name in names}


def test_an_unknown_segment_is_refused_by_its_place() -> None:
    with pytest.raises(UnknownSegment) as refused:
        segments_of(NEWSLETTER, ["en", "somebody@example.org"])
    assert refused.value.field == "segments.1"
    assert "example" not in str(refused.value)


@pytest.mark.parametrize(
    ("language", "segments", "spoken"),
    [
        (None, ("be-ru", "en"), "be"),
        ("", ("be-ru",), "be"),
        (None, ("en",), "en"),
        (None, (), "en"),
        ("ru", ("en",), "ru"),
        ("en", ("be-ru",), "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_segment_s_first(
    language: str | None, segments: tuple[str, ...], spoken: str
) -> None:
    assert language_of(NEWSLETTER, language, segments) == spoken


@pytest.mark.parametrize("language", ["de", "EN", "be-ru", "\x00"])
def test_a_language_that_is_not_offered_is_refused(language: str) -> None:
    with pytest.raises(LanguageNotOffered) as refused:
        language_of(NEWSLETTER, language, ("en",))
    assert refused.value.field == "language"


@given(st.text())
def test_a_page_always_has_a_language(language: str) -> None:
    assert page_language(NEWSLETTER, language, "be") in NEWSLETTER.languages


def test_a_page_is_in_the_language_asked_for() -> None:
    assert page_language(NEWSLETTER, "ru", "be") == "ru"
    assert page_language(NEWSLETTER, None, "be") == "be"
