"""Phrases and dates in each language, as a native reader writes them."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app import languages
from app.issues.content import Situation
from app.languages import LanguageUnknown, day, listing, phrases, week_range

TEMPLATES = Path(__file__).parents[1] / "email_templates"
TRANSLATED = ("be", "ru")

THIN, NARROW, NBSP = "\u2009", "\u202f", "\u00a0"


def catalogue(language: str, name: str = "messages") -> Catalog:
    """Read a committed catalogue."""
    with (languages.CATALOGUES / language / f"{name}.po").open("rb") as file:
        return read_po(file, locale=language)


def used_in_messages() -> set[str]:
    """Every phrase that a message's template or a situation asks for (the singular of plurals)."""
    found: set[str] = {each.phrase for each in Situation}
    for _, _, message, _, _ in extract_from_dir(
        TEMPLATES,
        method_map=[("**.j2", "jinja2.ext:babel_extract")],
        options_map={"**.j2": {"trimmed": "true", "silent": "false"}},
    ):
        found.add(message if isinstance(message, str) else message[0])
    return found


def translations(language: str) -> Iterator[tuple[Message, str]]:
    """Every translated string of a catalogue, plural forms one by one."""
    for message in catalogue(language):
        if message.id:
            forms = (
                message.string if isinstance(message.string, (tuple, list)) else [message.string]
            )
            yield from ((message, form or "") for form in forms)


def test_source_comes_first() -> None:
    """English needs no catalogue; the others are folders."""
    assert languages.available() == ("en", "be", "ru")


def test_unknown_language_is_refused() -> None:
    """Also one that tries to leave the folder."""
    for language in ("xx", "", "../phrases/be"):
        with pytest.raises(LanguageUnknown):
            phrases(language)


def test_phrases_are_read_from_the_catalogue() -> None:
    """What has no translation comes back in English."""
    assert phrases("be").gettext("Unsubscribe") == "Адпісацца"
    assert phrases("ru").gettext("Unsubscribe") == "Отписаться"
    assert phrases("en").gettext("Unsubscribe") == "Unsubscribe"
    assert phrases("ru").gettext("no such phrase") == "no such phrase"


@pytest.mark.parametrize(
    ("language", "number", "said"),
    [
        ("be", 1, "хвіліну"),
        ("be", 3, "хвіліны"),
        ("be", 5, "хвілін"),
        ("be", 11, "хвілін"),
        ("be", 21, "хвіліну"),
        ("ru", 1, "минуту"),
        ("ru", 22, "минуты"),
        ("ru", 30, "минут"),
        ("ru", 111, "минут"),
        ("en", 1, "minute"),
        ("en", 30, "minutes"),
    ],
)
def test_plurals(language: str, number: int, said: str) -> None:
    """Belarusian and Russian have three forms."""
    one, many = "The link works for %(num)d minute.", "The link works for %(num)d minutes."
    found = phrases(language).ngettext(one, many, number) % {"num": number}
    assert found.rstrip(".").split()[-1] == said
    assert str(number) in found


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_phrase_of_a_message_is_translated(language: str) -> None:
    """No phrase is missing, empty, fuzzy or left over."""
    messages = {
        (each.id if isinstance(each.id, str) else each.id[0]): each
        for each in catalogue(language)
        if each.id
    }
    used = used_in_messages()
    assert len(used) > 30, "the extraction found too little to be true"
    assert used - set(messages) == set()
    assert set(messages) - used == set()
    assert [each.id for each in messages.values() if each.fuzzy] == []
    assert [message.id for message, form in translations(language) if not form] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_survive_translation(language: str) -> None:
    """A lost `%(name)s` would be a message without its newsletter's name."""
    for message, form in translations(language):
        source = message.id if isinstance(message.id, str) else message.id[1]
        assert set(re.findall(r"%\(\w+\)[sd]", form)) == set(re.findall(r"%\(\w+\)[sd]", source))


@pytest.mark.parametrize("language", TRANSLATED)
def test_native_typography(language: str) -> None:
    """Guillemets; no line may end with a one-letter word or begin with a dash."""
    for _, form in translations(language):
        assert not re.search(r"[“”\"']", form), form
        assert not re.search(r"(?<![\w-])[А-Яа-яЁёІіЎў] ", form), form
        assert " —" not in form, form


def test_belarusian_messages() -> None:
    """A Russian message in a Belarusian catalogue is a slip, and the other way round."""
    assert not [form for _, form in translations("be") if re.search("[иИщЩъЪ]", form)]
    assert not [form for _, form in translations("ru") if re.search("[іІўЎ]", form)]


@pytest.mark.parametrize(
    ("monday", "language", "named"),
    [
        (date(2025, 1, 20), "en", f"January 20{THIN}–{THIN}26, 2025"),
        (date(2025, 1, 20), "be", f"20–26 студзеня 2025{NARROW}г."),
        (date(2025, 1, 20), "ru", f"20–26 января 2025{NARROW}г."),
        (date(2025, 1, 27), "en", f"January 27{THIN}–{THIN}February 2, 2025"),
        (date(2025, 1, 27), "be", f"27 студзеня{NBSP}— 2 лютага 2025{NARROW}г."),
        (date(2025, 1, 27), "ru", f"27 января{NBSP}— 2 февраля 2025{NARROW}г."),
        (date(2025, 12, 29), "en", f"December 29, 2025{THIN}–{THIN}January 4, 2026"),
        (date(2025, 12, 29), "be", f"29 снежня 2025{NARROW}г.{NBSP}— 4 студзеня 2026{NARROW}г."),
        (date(2025, 12, 29), "ru", f"29 декабря 2025{NARROW}г.{NBSP}— 4 января 2026{NARROW}г."),
    ],
)
def test_week_range(monday: date, language: str, named: str) -> None:
    """Within a month, over a month's end and over a year's end."""
    sunday = date.fromordinal(monday.toordinal() + 6)
    assert week_range(monday, sunday, language) == named


def test_day() -> None:
    """Months are in the genitive where the language wants it."""
    assert day(date(2026, 11, 27), "en") == "November 27, 2026"
    assert day(date(2026, 11, 27), "be") == f"27 лістапада 2026{NARROW}г."
    assert day(date(2026, 11, 27), "ru") == f"27 ноября 2026{NARROW}г."


def test_listing() -> None:
    """As a sentence joins names."""
    assert listing(["a", "b", "c"], "en") == "a, b, and c"
    assert listing(["а", "б", "в"], "be") == "а, б і в"
    assert listing(["а"], "ru") == "а"
