"""The environment that messages are rendered in: strict, escaped, and self-contained."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from app.languages import LanguageUnknown
from app.mail.message import templates
from app.mail.message.templates import one_line, render

FACTS = {
    "newsletter_name": "News & <Views>",
    "website": "https://www.example.org",
    "postal_address": "1 Street",
    "manage_url": "https://news.example.org/manage",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of templates that is not the project's own."""
    monkeypatch.setattr(templates, "FOLDER", tmp_path)
    templates.environment.cache_clear()
    (tmp_path / "odd").mkdir()
    yield tmp_path / "odd"
    templates.environment.cache_clear()


def test_html_is_escaped_and_text_is_not() -> None:
    """Once each."""
    rendered = render("already_subscribed", "en", FACTS)
    assert "News &amp; &lt;Views&gt;" in rendered.html
    assert "<Views>" not in rendered.html
    assert "&amp;amp;" not in rendered.html
    assert "News & <Views>" in rendered.text
    assert rendered.subject == "You are already subscribed to “News & <Views>”"


@pytest.mark.parametrize("language", ["en", "be", "ru"])
def test_a_whole_document(language: str) -> None:
    """Title, language, direction, and both colour schemes."""
    rendered = render("already_subscribed", language, FACTS)
    assert rendered.html.lower().startswith("<!doctype html>")
    assert f'<html lang="{language}" dir="ltr"' in rendered.html
    assert (
        f"<title>{rendered.subject}</title>".replace("& <Views>", "&amp; &lt;Views&gt;")
        in rendered.html
    )
    assert '<meta name="color-scheme" content="light dark"' in rendered.html
    assert "prefers-color-scheme: dark" in rendered.html


def test_a_missing_fact_is_an_error() -> None:
    """Not an empty place in a message."""
    for missing in FACTS:
        facts = {name: fact for name, fact in FACTS.items() if name != missing}
        with pytest.raises(UndefinedError, match=missing):
            render("already_subscribed", "en", facts)


def test_an_unknown_language_is_refused() -> None:
    """Nothing falls back to English in silence."""
    with pytest.raises(LanguageUnknown):
        render("already_subscribed", "xx", FACTS)


def test_an_alert_is_plain() -> None:
    """Operators get words only."""
    rendered = render("alert", "en", {"headline": "No issue", "lines": ["2025-W04", "segment en"]})
    assert rendered == templates.Rendered("[Vestka] No issue", "", "2025-W04\nsegment en\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("January 20\u2009–\u200926, 2025", "January 20 – 26, 2025"),
        ("2025\u202fг.", "2025 г."),
        (" a\u00a0b\r\n c\t d ", "a b c d"),
    ],
)
def test_a_subject_is_one_line(text: str, line: str) -> None:
    """With plain spaces, which no list of messages shows as a box."""
    assert one_line(text) == line


def test_markup_that_does_not_parse_is_an_error(folder: Path) -> None:
    """Half a message must not go out."""
    (folder / "subject.txt.j2").write_text("s")
    (folder / "body.txt.j2").write_text("t")
    (folder / "body.mjml.j2").write_text("<mjml><mj-body>")
    with pytest.raises(ValueError, match=r".+"):
        render("odd", "en", {})


def test_a_known_font_is_not_fetched(folder: Path) -> None:
    """MJML would import Roboto from elsewhere."""
    (folder / "subject.txt.j2").write_text("s")
    (folder / "body.txt.j2").write_text("t")
    (folder / "body.mjml.j2").write_text(
        '<mjml><mj-body><mj-section><mj-column><mj-text font-family="Roboto">x</mj-text>'
        "</mj-column></mj-section></mj-body></mjml>"
    )
    html = render("odd", "en", {}).html
    assert "Roboto" in html
    assert not re.search(r"@import|<link|googleapis", html)


def test_our_templates_use_only_elements_of_mjml() -> None:
    """MJML drops an element it does not know, with all that is in it, and says nothing."""
    known = {
        "mj-all", "mj-attributes", "mj-body", "mj-button", "mj-class", "mj-column", "mj-divider",
        "mj-head", "mj-raw", "mj-section", "mj-style", "mj-text", "mj-title",
    }  # fmt: skip
    used = {
        name
        for path in templates.FOLDER.rglob("*.mjml.j2")
        for name in re.findall(r"</?(mj-[a-z-]+)", path.read_text(encoding="utf-8"))
    }
    assert used
    assert used <= known
