"""Pages: headers that keep a link private, the frame all pages share, colours one can read."""

import re
from collections import Counter
from typing import Any

import pytest
from jinja2 import UndefinedError
from starlette.responses import HTMLResponse

from app.languages import LanguageUnknown
from app.newsletter import Newsletter
from app.web.pages import STATIC, TEMPLATES, autonym, page

NEWSLETTER = Newsletter.load()
STYLESHEET = (STATIC / "vestka.css").read_text(encoding="utf-8")

INK_ON_GROUND = [
    ("ink", "ground"),
    ("ink", "sheet"),
    ("ink", "tint"),
    ("ink", "danger-tint"),
    ("soft", "ground"),
    ("soft", "sheet"),
    ("accent", "ground"),
    ("accent", "sheet"),
    ("on-accent", "accent"),
    ("danger", "sheet"),
]


def problem_page(language: str = "be", *, switchable: bool = True) -> HTMLResponse:
    return page(
        "problem",
        language,
        status=409,
        switchable=switchable,
        newsletter=NEWSLETTER,
        problem_title="Title",
        sentence="<b>5 < 6</b>",
    )


def text(answer: HTMLResponse) -> str:
    return bytes(answer.body).decode()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
        ("x-content-type-options", "nosniff"),
        ("content-language", "be"),
    ],
)
def test_a_page_keeps_its_address_to_itself(header: str, value: str) -> None:
    assert problem_page().headers[header] == value


def test_a_public_page_may_be_kept_and_indexed_but_is_as_closed() -> None:
    facts: dict[str, Any] = {
        "newsletter": NEWSLETTER,
        "problem_title": "Title",
        "sentence": "Sentence.",
    }
    public, private = page("problem", "be", public=True, **facts), page("problem", "be", **facts)
    assert "cache-control" not in public.headers
    assert "x-robots-tag" not in public.headers
    assert 'content="noindex"' not in text(public)
    assert 'content="noindex"' in text(private)
    for header in ("content-security-policy", "referrer-policy", "x-content-type-options"):
        assert public.headers[header] == private.headers[header]


def test_a_page_may_come_in_some_languages_only_and_keep_its_query() -> None:
    facts: dict[str, Any] = {
        "newsletter": NEWSLETTER,
        "problem_title": "Title",
        "sentence": "Sentence.",
    }
    html = text(page("problem", "be", offered=("be", "ru"), also="year=2025&", **facts))
    assert 'href="?year=2025&amp;language=ru"' in html
    assert "language=en" not in html


def test_the_policy_allows_no_script_and_nothing_from_elsewhere() -> None:
    said = problem_page().headers["content-security-policy"]
    policy = dict(part.strip().split(" ", 1) for part in said.split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_the_status_is_the_callers() -> None:
    assert problem_page().status_code == 409


def test_facts_are_text_and_never_markup() -> None:
    assert "<p>&lt;b&gt;5 &lt; 6&lt;/b&gt;</p>" in text(problem_page())


def test_a_missing_fact_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="sentence"):
        page("problem", "en", newsletter=NEWSLETTER, problem_title="Title")


def test_a_language_without_phrases_is_refused() -> None:
    with pytest.raises(LanguageUnknown):
        problem_page("xx")


def test_the_other_languages_are_one_link_away() -> None:
    html = text(problem_page("be"))
    assert '<a href="?language=ru" hreflang="ru" lang="ru">Русский</a>' in html
    assert '<span aria-current="true">Беларуская</span>' in html
    assert 'href="?language=be"' not in html


def test_a_page_without_a_get_offers_no_other_language() -> None:
    assert "hreflang" not in text(problem_page(switchable=False))


def test_a_newsletter_in_one_language_offers_no_choice() -> None:
    alone = NEWSLETTER.model_copy(update={"segments": NEWSLETTER.segments[:1]})
    html = text(page("too_many", "en", newsletter=alone, minutes=1, everyone=False))
    assert "hreflang" not in html


@pytest.mark.parametrize(
    ("language", "minutes", "words"),
    [
        ("en", 1, "in 1 minute."),
        ("en", 3, "in 3 minutes."),
        ("be", 1, "праз 1\N{NO-BREAK SPACE}хвіліну."),
        ("be", 3, "праз 3\N{NO-BREAK SPACE}хвіліны."),
        ("be", 15, "праз 15\N{NO-BREAK SPACE}хвілін."),
        ("ru", 21, "через 21\N{NO-BREAK SPACE}минуту."),
        ("ru", 22, "через 22\N{NO-BREAK SPACE}минуты."),
        ("ru", 60, "через 60\N{NO-BREAK SPACE}минут."),
    ],
)
def test_numbers_agree_with_their_nouns(language: str, minutes: int, words: str) -> None:
    assert words in text(
        page("too_many", language, newsletter=NEWSLETTER, minutes=minutes, everyone=True)
    )


@pytest.mark.parametrize(
    ("language", "name"), [("en", "English"), ("be", "Беларуская"), ("ru", "Русский")]
)
def test_a_language_is_called_what_its_readers_call_it(language: str, name: str) -> None:
    assert autonym(language) == name


def test_no_two_capabilities_have_a_template_of_the_same_name() -> None:
    names = Counter(path.name for folder in set(TEMPLATES) for path in folder.iterdir())
    assert names["layout.html.j2"] == 1
    assert [name for name, times in names.items() if times > 1] == []


def test_the_stylesheet_loads_nothing() -> None:
    assert not re.search(r"url\(|@import|@font-face", STYLESHEET)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), INK_ON_GROUND)
def test_text_can_be_read(scheme: str, ink: str, ground: str) -> None:
    colours = palette(scheme)
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edge_of_a_field_can_be_seen(scheme: str) -> None:
    colours = palette(scheme)
    assert contrast(colours["edge"], colours["sheet"]) >= 3


def palette(scheme: str) -> dict[str, str]:
    """Read the colours of one scheme out of the stylesheet."""
    light, dark = STYLESHEET.split("@media (prefers-color-scheme: dark)", 1)
    block = light if scheme == "light" else dark.split("}", 1)[0]
    return dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6});", block))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, 1.4.3)."""
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
