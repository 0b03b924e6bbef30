"""The messages about a subscription: what each says, in each language."""

import re
from datetime import date

import pytest

from app.languages import day
from app.mail.message.compiler import marker
from app.mail.message.templates import Rendered
from app.newsletter import Newsletter
from app.subscribers.service_message_texts import already_subscribed, confirmation, manage_link

URL = "https://letters.example.org"
EXPIRES = date(2026, 11, 27)
LANGUAGES = ["en", "be", "ru"]


@pytest.fixture(scope="module")
def newsletter() -> Newsletter:
    return Newsletter.load()


def all_of_them(newsletter: Newsletter, language: str) -> list[Rendered]:
    return [
        confirmation(newsletter, ["en", "be-ru"], language, URL, EXPIRES),
        manage_link(newsletter, language, URL),
        already_subscribed(newsletter, language, URL),
    ]


def links_of(html: str) -> set[str]:
    return set(re.findall(r'href="([^"]+)"', html))


@pytest.mark.parametrize("language", LANGUAGES)
def test_confirmation(newsletter: Newsletter, language: str) -> None:
    rendered = confirmation(newsletter, ["en", "be-ru"], language, URL, EXPIRES)
    link = f"{URL}/confirm/{marker('confirm', 43)}"
    assert newsletter.name[language] in rendered.subject
    for part in (rendered.html, rendered.text):
        assert day(EXPIRES, language) in part
        assert newsletter.postal_address[language] in part
        for segment in newsletter.segments:
            assert segment.name[language] in part
    never = f"{URL}/never/{marker('never', 82)}?language={language}"
    assert links_of(rendered.html) == {link, never, newsletter.website}
    assert rendered.text.split("\n").count(never) == 1
    assert rendered.html.count(f'href="{link}"') == 2, "a button and the address in full"
    assert f">{link}</a>" in rendered.html
    assert rendered.text.split("\n").count(link) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_confirmation_names_only_what_was_asked_for(newsletter: Newsletter, language: str) -> None:
    rendered = confirmation(newsletter, ["en"], language, URL, EXPIRES)
    assert newsletter.segment("en").name[language] in rendered.text
    assert newsletter.segment("be-ru").name[language] not in rendered.text
    assert newsletter.segment("be-ru").name[language] not in rendered.html


@pytest.mark.parametrize("language", ["be", "ru"])
def test_a_date_s_own_stop_ends_the_sentence(newsletter: Newsletter, language: str) -> None:
    rendered = confirmation(newsletter, ["en"], language, URL, EXPIRES)
    assert "г.." not in rendered.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_manage_link(newsletter: Newsletter, language: str) -> None:
    rendered = manage_link(newsletter, language, URL)
    link = f"{URL}/manage/{marker('manage', 43)}"
    assert links_of(rendered.html) == {link, newsletter.website}
    assert rendered.text.split("\n").count(link) == 1
    assert re.search(r"\b30\s(minutes|хвілін|минут)\b", rendered.text)
    assert re.search(r"\b30\s(minutes|хвілін|минут)\b", rendered.html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_already_subscribed_has_no_link_of_the_reader_s_own(
    newsletter: Newsletter, language: str
) -> None:
    rendered = already_subscribed(newsletter, language, URL)
    change = f"{URL}/manage?language={language}"
    assert links_of(rendered.html) == {change, newsletter.website}
    assert change in rendered.text.split("\n")
    assert "vestka-slot" not in rendered.html + rendered.text + rendered.subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_of_the_text_stands_alone(newsletter: Newsletter, language: str) -> None:
    for rendered in all_of_them(newsletter, language):
        lines = [line for line in rendered.text.split("\n") if "://" in line]
        assert [line for line in lines if not re.fullmatch(r"https://\S+", line)] == []
        assert set(lines) == links_of(rendered.html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_fetched(newsletter: Newsletter, language: str) -> None:
    for rendered in all_of_them(newsletter, language):
        assert not re.search(r"<img|<link|@import|url\(|src=|background=", rendered.html)


@pytest.mark.parametrize("language", ["be", "ru"])
def test_no_english_is_left(newsletter: Newsletter, language: str) -> None:
    for rendered in all_of_them(newsletter, language):
        words = re.sub(r"https://\S+", "", rendered.subject + rendered.text)
        assert not re.search("[A-Za-z]{2}", words)
