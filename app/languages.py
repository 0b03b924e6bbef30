"""The languages we can write: their phrases, and dates as a native reader writes them.

English is the language of the phrases in the code. Any other language is a folder of gettext
catalogues under `phrases/`, and all catalogues of a folder are read as one.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.errors import DomainError

SOURCE = "en"
CATALOGUES = Path(__file__).parent / "phrases"

Phrases = NullTranslations
"""What `phrases` returns: `.gettext(phrase)` and `.ngettext(one, many, number)`."""


class LanguageUnknown(DomainError):
    """There are no phrases in this language."""


@cache
def available() -> tuple[str, ...]:
    """Every language we have phrases in, the source language first."""
    folders = {folder.name for folder in CATALOGUES.iterdir() if any(folder.glob("*.po"))}
    return (SOURCE, *sorted(folders - {SOURCE}))


@cache
def phrases(language: str) -> Phrases:
    """Return the phrases of a language; raises `LanguageUnknown`."""
    if language not in available():
        raise LanguageUnknown
    found: Phrases = NullTranslations()
    for path in sorted((CATALOGUES / language).glob("*.po")):
        catalogue = _compiled(path, language)
        catalogue.add_fallback(found)
        found = catalogue
    return found


def _compiled(path: Path, language: str) -> GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def week_range(monday: date, sunday: date, language: str) -> str:
    """Name the days of a week: "January 20 – 26, 2025", «20–26 студзеня 2025 г.».

    CLDR's own long interval falls back to abbreviated months in many languages, so we take its
    short pattern and widen the month. English has thin spaces (U+2009) around the dash and Russian
    a narrow no-break space (U+202F) before «г.», as CLDR has them. Where a language's long date
    has a sign after the year, so has its interval; and where its dash stands between words, it is
    the long one.
    """
    field = "y" if monday.year != sunday.year else "M" if monday.month != sunday.month else "d"
    first, second = Locale.parse(language).interval_formats["yMMMd"][field]
    named = _widened(monday, first, language) + _widened(sunday, second, language)
    return named.replace(" – ", "\u00a0— ") if language in _LONG_DASH else named


_LONG_DASH = ("be", "ru")
_YEAR_SIGN = {"be": "y\u202f'г'."}  # CLDR has it in the long date, and not in the interval


def _widened(date_: date, pattern: str, language: str) -> str:
    widened = pattern.replace("MMM", "MMMM").replace("y", _YEAR_SIGN.get(language, "y"))
    return format_date(date_, widened, locale=language)


def day(date_: date, language: str) -> str:
    """Name one day: "November 27, 2026", «27 лістапада 2026 г.»."""
    return format_date(date_, format="long", locale=language)


def listing(names: Sequence[str], language: str) -> str:
    """Join names as a sentence does: "a, b, and c", «а, б і в»."""
    return format_list(list(names), locale=language)
