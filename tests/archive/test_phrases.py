"""The archive's words are there in every language, and none is left over."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.languages import CATALOGUES, phrases

TEMPLATES = Path(__file__).parents[2] / "app" / "archive" / "templates"
LANGUAGES = pytest.mark.parametrize("language", ["be", "ru"])


def used() -> set[str]:
    found = extract_from_dir(
        TEMPLATES,
        method_map=[("**.j2", "jinja2.ext:babel_extract")],
        options_map={"**.j2": {"trim_blocks": "true", "silent": "false"}},
    )
    return {str(message) for _, _, message, _, _ in found}


def catalogue(language: str) -> dict[str, str]:
    with (CATALOGUES / language / "archive.po").open("rb") as file:
        read = read_po(file, locale=language, abort_invalid=True)
    return {str(each.id): str(each.string) for each in read if each.id and not each.fuzzy}


@LANGUAGES
def test_every_phrase_is_translated(language: str) -> None:
    assert len(used()) > 8
    assert {each for each in used() if phrases(language).gettext(each) == each} == set()


@LANGUAGES
def test_no_phrase_is_left_over(language: str) -> None:
    assert set(catalogue(language)) - used() == set()


@LANGUAGES
def test_native_typography(language: str) -> None:
    foreign = "[иИщЩъЪ]" if language == "be" else "[іІўЎ]"
    for form in catalogue(language).values():
        assert not re.search(r"(?<!\w)[а-яёўі] | —|[\"“”„']", form, re.IGNORECASE), form
        assert not re.search(foreign, form), form
