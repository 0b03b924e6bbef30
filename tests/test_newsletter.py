"""The newsletter file: what ships, and what is refused."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from app.newsletter import (
    DEFAULT,
    Newsletter,
    NewsletterUnreadable,
    NewsletterWrong,
    UnknownRubric,
    UnknownSegment,
)

SHIPPED = DEFAULT.read_text(encoding="utf-8")


def loaded(folder: Path, text: str) -> Newsletter:
    """Load this text as a newsletter file."""
    path = folder / "newsletter.toml"
    path.write_text(text, encoding="utf-8")
    return Newsletter.load(path)


@pytest.fixture(scope="module")
def newsletter() -> Newsletter:
    """The one that ships."""
    return Newsletter.load()


def test_the_one_that_ships(newsletter: Newsletter) -> None:
    """It has the segments and rubrics of the design."""
    assert newsletter.languages == ("en", "be", "ru")
    assert [(each.id, each.label, each.languages) for each in newsletter.segments] == [
        ("en", "EN", ("en",)),
        ("be-ru", "BE/RU", ("be", "ru")),
    ]
    assert {"belarus-west", "belarus-russia", "society-politics", "economy", "security"} == {
        each.id for each in newsletter.rubrics
    }
    assert newsletter.current_consent is newsletter.consent[-1]


@pytest.mark.parametrize("text", ["be-ru", "BE-RU", "BE/RU", "be/ru", " Be/Ru "])
def test_segment_by_id_or_label(newsletter: Newsletter, text: str) -> None:
    """In any case."""
    assert newsletter.segment(text).id == "be-ru"


@pytest.mark.parametrize("text", ["", "be", "ru", "be_ru", "everyone", "EN,BE/RU"])
def test_unknown_segment(newsletter: Newsletter, text: str) -> None:
    """The refusal does not repeat what was asked for."""
    with pytest.raises(UnknownSegment) as refused:
        newsletter.segment(text)
    assert text.strip() not in str(refused.value).split() or not text


def test_rubric(newsletter: Newsletter) -> None:
    """Found by id, with a name in each language."""
    assert newsletter.rubric("economy").name["be"] == "Эканоміка"
    with pytest.raises(UnknownRubric):
        newsletter.rubric("sport")


@pytest.mark.parametrize(
    ("language", "segment", "read"),
    [
        ("be", "be-ru", ("be", "ru")),
        ("ru", "be-ru", ("ru", "be")),
        ("en", "be-ru", ("be", "ru")),
        ("ru", "en", ("en",)),
    ],
)
def test_reading_order(
    newsletter: Newsletter, language: str, segment: str, read: tuple[str, ...]
) -> None:
    """The subscriber's language comes first if the segment reads it."""
    found = newsletter.segment(segment)
    assert found.reading_order(language) == read
    assert found.reading_language(language) == read[0]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('label = "EN"', 'label = "EN"\nsecret = "s3cret"', "segments.0.secret"),
        ('be = "Эканоміка"\n', "", "rubric economy is missing in be"),
        ('languages = ["en"]', 'languages = ["en", "xx"]', "no phrases in xx"),
        ('languages = ["en"]', "languages = []", "segments.0.languages"),
        ('label = "EN"', 'label = "BE-RU"', "two segments have the same name"),
        ('id = "economy"', 'id = "security"', "two rubrics have the same name"),
        ("https://www.example.org", "http://s3cret.example.org", "website"),
        ('en = "Belarus in Brief"', 'en = "s3cret\\nBcc: x"', "name.en"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, old: str, new: str, named: str) -> None:
    """The sentence names the place and repeats no value."""
    assert old in SHIPPED
    with pytest.raises(NewsletterWrong) as refused:
        loaded(tmp_path, SHIPPED.replace(old, new, 1))
    assert named in str(refused.value)
    assert "s3cret.example" not in str(refused.value)
    assert "Bcc" not in str(refused.value)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    """No file, no TOML, no UTF-8."""
    with pytest.raises(NewsletterUnreadable):
        Newsletter.load(tmp_path / "none.toml")
    with pytest.raises(NewsletterUnreadable):
        loaded(tmp_path, "name = [")
    (tmp_path / "latin.toml").write_bytes(b'website = "\xff"')
    with pytest.raises(NewsletterUnreadable):
        Newsletter.load(tmp_path / "latin.toml")


def test_another_language_needs_no_code(tmp_path: Path) -> None:
    """A newsletter in Russian alone is a file of its own."""
    text = """
    website = "https://news.example.org"
    name = {ru = "Вести"}
    postal_address = {ru = "Город"}
    consent = [{version = "1", text = {ru = "Согласие"}}]
    segments = [{id = "ru", label = "RU", languages = ["ru"], name = {ru = "На русском"}}]
    rubrics = [{id = "news", name = {ru = "Новости"}}]
    """
    assert loaded(tmp_path, text).languages == ("ru",)


def test_exposed_domains_in_both_spellings(newsletter: Newsletter) -> None:
    """A browser may give a domain in messages or in A-labels."""
    assert newsletter.exposed is not None
    spellings = newsletter.exposed.spellings()
    assert {"by", "бел", "xn--90ais", "yandex.com"} <= set(spellings)
    assert len(set(spellings)) == len(spellings)


@pytest.mark.parametrize("domain", [".by", "by.", "a b", "@mail.ru", "", "*.ru"])
def test_exposed_domains_are_domains(tmp_path: Path, domain: str) -> None:
    """Anything else would never match, in silence."""
    with pytest.raises(NewsletterWrong, match="exposed"):
        loaded(tmp_path, SHIPPED.replace('"by",', f'"{domain}",'))


def test_the_hint_is_said_in_every_language(tmp_path: Path) -> None:
    """Or the form would be silent in one of them."""
    text = SHIPPED.replace('ru = "Эта почта', 'de = "Эта почта')
    with pytest.raises(NewsletterWrong, match="exposed is missing in ru"):
        loaded(tmp_path, text)


def test_languages_have_numbers(newsletter: Newsletter) -> None:
    """None is 0, which stands for not saying."""
    for language in newsletter.languages:
        assert newsletter.numbered(newsletter.number_of(language)) == language
    assert newsletter.number_of("de") == 0
    assert newsletter.numbered(0) is None
    assert newsletter.numbered(4) is None


# The words of each version, as readers agreed to them: a new wording is a new version.
AGREED_TO = {"2026-11": "9203c4c708f641992d81b2f2c0ca56e30547774817aead34362fbf551a7d122b"}


def test_what_was_agreed_to_is_not_rewritten(newsletter: Newsletter) -> None:
    """Consent records name a version; other words under it would make them say what nobody said."""
    for consent in newsletter.consent:
        words = json.dumps(consent.text, sort_keys=True, ensure_ascii=False)
        assert sha256(words.encode()).hexdigest() == AGREED_TO[consent.version]
