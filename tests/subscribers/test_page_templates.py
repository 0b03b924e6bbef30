"""The readers' pages, each in every language: what scanners may press, readers see, words say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from string import ascii_letters
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from app.languages import CATALOGUES
from app.newsletter import Newsletter
from app.web.pages import TEMPLATES, page

NEWSLETTER = Newsletter.load()
LANGUAGES = NEWSLETTER.languages
CONSENT = "The words of the consent."
SENTENCE = "Sentence that says what is wrong."


@dataclass(frozen=True)
class Problem:
    sentence: str
    field: str | None


FORM: dict[str, object] = {
    "segments": NEWSLETTER.segments,
    "languages": LANGUAGES,
    "consent": CONSENT,
}
MANAGE: dict[str, object] = {
    "segments": NEWSLETTER.segments,
    "chosen": {"be-ru"},
    "languages": LANGUAGES,
    "kept": [
        ("language", "be"),
        ("confirmed", "November 27, 2026"),
        ("A label in words", "Its value"),
        ("proof", "link"),
    ],
    "own_language": "be",
    "also_kept": ["A fingerprint."],
    "saved": False,
}
FACTS: dict[str, dict[str, object]] = {
    "accepted": {},
    "already_done": {},
    "confirm": {"segments": ["First edition", "Second edition"]},
    "confirmed": {},
    "erased": {},
    "form": FORM,
    "manage": MANAGE,
    "manage_request": {},
    "manage_requested": {},
    "never": {},
    "never_again": {},
    "not_found": {},
    "problem": {"problem_title": "Title", "sentence": SENTENCE},
    "too_many": {"minutes": 3, "everyone": False},
    "unsubscribe": {"segment": "First edition"},
    "unsubscribed": {},
}
FOLDERS = {folder for folder in TEMPLATES if folder.parent.name in {"subscribers", "web"}}
FRAMES = {"layout", "fields"}
ASKING = {"confirm", "manage", "manage_request", "never", "unsubscribe"}
ANSWERS = sorted(set(FACTS) - {*ASKING, "form"})

EVERY_PAGE = pytest.mark.parametrize("template", sorted(FACTS))
EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


@dataclass(frozen=True)
class Tag:
    name: str
    attributes: dict[str, str | None]


class Page(HTMLParser):
    """A page taken apart: its tags in order, and the words inside some of them."""

    def __init__(self, template: str, language: str = "en", **facts: object) -> None:
        super().__init__()
        self.tags: list[Tag] = []
        self.open: list[str] = []
        self.words: dict[str, str] = {}
        told: dict[str, Any] = {**FACTS[template], **facts}
        answer = page(template, language, newsletter=NEWSLETTER, **told)
        self.html = bytes(answer.body).decode()
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(Tag(tag, dict(attrs)))
        if tag not in {"input", "meta", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes what is not open"

    def handle_data(self, data: str) -> None:
        for tag in self.open:
            self.words[tag] = self.words.get(tag, "") + data

    def all(self, tag_name: str, /, **attributes: str) -> list[Tag]:
        wanted = attributes.items()
        return [
            tag for tag in self.tags if tag.name == tag_name and wanted <= tag.attributes.items()
        ]


def test_every_template_is_looked_at() -> None:
    files = {path.name for folder in FOLDERS for path in folder.glob("*.html.j2")}
    assert files == {f"{name}.html.j2" for name in FRAMES | set(FACTS)}


@EVERY_LANGUAGE
@EVERY_PAGE
def test_a_page_has_a_language_a_title_and_one_heading(template: str, language: str) -> None:
    seen = Page(template, language)
    assert seen.html.startswith("<!doctype html>\n<html")
    assert [tag.attributes["lang"] for tag in seen.all("html")] == [language]
    assert len(seen.all("h1")) == 1
    assert seen.words["title"] == f"{seen.words['h1']} · {NEWSLETTER.name[language]}"
    assert NEWSLETTER.name[language] in seen.words["header"]
    assert NEWSLETTER.postal_address[language] in seen.words["footer"]
    assert seen.open == []


@EVERY_PAGE
def test_a_page_runs_nothing_and_loads_only_the_stylesheet(template: str) -> None:
    seen = Page(template)
    names = {tag.name for tag in seen.tags}
    assert not names & {"script", "style", "img", "iframe", "base", "object"}
    assert [tag.attributes["href"] for tag in seen.all("link")] == ["/static/vestka.css"]
    for tag in seen.tags:
        assert not [name for name in tag.attributes if name.startswith("on") or name == "style"]


@EVERY_PAGE
def test_a_link_only_leads_to_where_nothing_happens(template: str) -> None:
    for link in Page(template, "ru").all("a"):
        assert link.attributes["href"] in {
            NEWSLETTER.website,
            "?language=en",
            "?language=be",
            "/archive?language=ru",
            "/form?language=ru",
            "/manage?language=ru",
        }


@EVERY_PAGE
def test_every_form_is_a_plain_post_to_this_service(template: str) -> None:
    for form in Page(template).all("form"):
        assert form.attributes["method"] == "post"
        assert (form.attributes.get("action") or "/").startswith("/")


@pytest.mark.parametrize("template", ANSWERS)
def test_an_answer_has_nothing_to_press(template: str) -> None:
    assert not Page(template).all("form")


@EVERY_PAGE
def test_every_field_has_a_label_and_no_id_is_twice(template: str) -> None:
    seen = Page(template)
    ids = [tag.attributes["id"] for tag in seen.tags if "id" in tag.attributes]
    assert len(ids) == len(set(ids))
    named = {tag.attributes.get("for") for tag in seen.all("label")}
    for before, tag in zip(seen.tags, seen.tags[1:], strict=False):
        if tag.name == "input" and tag.attributes["type"] != "hidden":
            assert before.name == "label" or tag.attributes["id"] in named


@EVERY_PAGE
def test_no_page_has_room_for_an_address(template: str) -> None:
    seen = Page(template)
    assert "@" not in seen.html
    assert all("value" not in tag.attributes for tag in seen.all("input", type="email"))


def test_the_form_alone_runs_a_script_and_works_without() -> None:
    seen = Page("form", "be", scripted=True)
    assert [tag.attributes for tag in seen.all("script")] == [{"src": "/form.js", "defer": None}]
    assert '<vestka-signup lang="be" service="">\n<form' in seen.html
    assert "vestka-signup" not in Page("form", "be").html


def test_the_form_sends_what_the_contract_names() -> None:
    seen = Page("form", "be")
    assert [tag.attributes["action"] for tag in seen.all("form")] == ["/v1/subscriptions"]
    fields = {tag.attributes["name"] for tag in seen.all("input")}
    assert fields == {"email", "segments", "language", "website"}
    assert CONSENT in seen.words["main"]


@pytest.mark.parametrize(("language", "segment"), [("en", "en"), ("be", "be-ru"), ("ru", "be-ru")])
def test_the_form_begins_with_what_its_reader_reads(language: str, segment: str) -> None:
    checked = [tag.attributes for tag in Page("form", language).all("input") if is_checked(tag)]
    assert [(each["name"], each["value"]) for each in checked] == [
        ("segments", segment),
        ("language", language),
    ]


def test_the_trap_is_out_of_the_way_of_people() -> None:
    seen = Page("form")
    trap = seen.all("input", name="website")[0].attributes
    assert trap["tabindex"] == "-1"
    assert trap["autocomplete"] == "off"
    assert "value" not in trap
    assert seen.all("div", **{"class": "trap", "aria-hidden": "true"})


@pytest.mark.parametrize("template", ["form", "manage_request"])
def test_a_problem_is_said_first_and_leads_to_its_field(template: str) -> None:
    seen = Page(template, problem=Problem(SENTENCE, "email"))
    assert seen.words["title"].startswith("Please check: ")
    assert len(seen.all("div", role="alert", id="problem")) == 1
    assert seen.all("a", href="#email")
    assert seen.all("input", **{"id": "email", "aria-invalid": "true"})
    assert SENTENCE in seen.words["main"]


def test_a_problem_of_no_field_is_said_too() -> None:
    seen = Page("form", problem=Problem(SENTENCE, None), chosen=[])
    assert SENTENCE in seen.words["main"]
    assert not [tag for tag in seen.all("input", type="checkbox") if is_checked(tag)]
    assert not seen.all("input", **{"aria-invalid": "true"})


def test_confirming_needs_an_empty_body_and_names_what_was_asked_for() -> None:
    seen = Page("confirm")
    assert not seen.all("input")
    assert [tag.attributes for tag in seen.all("button")] == [{"type": "submit"}]
    assert "First edition" in seen.words["li"]
    assert "Second edition" in seen.words["li"]


def test_leaving_one_edition_is_one_button_and_leaving_all_another() -> None:
    seen = Page("unsubscribe")
    assert len(seen.all("form")) == 2
    assert "First edition" in seen.words["li"]
    sent = [(tag.attributes.get("name"), tag.attributes.get("value")) for tag in seen.all("button")]
    assert sent == [(None, None), ("everything", "1")]


def test_the_readers_own_page_says_what_is_kept() -> None:
    seen = Page("manage")
    assert "Day of the confirmation" in seen.words["dt"]
    assert "A label in words" in seen.words["dt"]
    assert "November 27, 2026" in seen.words["dd"]
    assert "Беларуская" in seen.words["dd"]
    assert "By the link in an email to this address" in seen.words["dd"]
    assert "A fingerprint." in seen.words["li"]
    chosen = [tag for tag in seen.all("input", name="language") if is_checked(tag)]
    assert [tag.attributes["value"] for tag in chosen] == ["be"], "looking in English changes none"
    ticked = [tag for tag in seen.all("input", name="segments") if is_checked(tag)]
    assert [tag.attributes["value"] for tag in ticked] == ["be-ru"]


def test_the_readers_own_page_has_three_acts() -> None:
    seen = Page("manage")
    actions = [tag.attributes["value"] for tag in seen.all("button", name="action")]
    assert actions == ["save", "download", "erase"]
    assert "required" in seen.all("input", name="sure")[0].attributes


@pytest.mark.parametrize("saved", [True, False])
def test_saving_is_answered(saved: bool) -> None:  # noqa: FBT001 - a case, not a switch
    assert bool(Page("manage", saved=saved).all("p", role="status")) is saved


def test_asking_for_a_link_says_in_which_language() -> None:
    seen = Page("manage_request", "ru")
    assert [tag.attributes["action"] for tag in seen.all("form")] == ["/v1/manage-links"]
    sent = {tag.attributes["name"]: tag.attributes.get("value") for tag in seen.all("input")}
    assert sent == {"language": "ru", "email": None}


def is_checked(tag: Tag) -> bool:
    return "checked" in tag.attributes


def used() -> set[str | tuple[str, ...]]:
    """Every phrase of the pages' templates; one that counts is a pair."""
    return {
        found
        for folder in FOLDERS
        for path in folder.glob("*.html.j2")
        for found in phrases_in(path)
    }


def phrases_in(path: Path) -> Iterator[str | tuple[str, ...]]:
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    method = "jinja2.ext:babel_extract"
    for _line, phrase, _comments, _context in extract_from_file(method, path, options=options):
        yield phrase if isinstance(phrase, str) else tuple(phrase[:2])


def catalogue(language: str) -> Catalog:
    with (CATALOGUES / language / "pages.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


TRANSLATED = pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])


def messages(language: str) -> list[Message]:
    return [message for message in catalogue(language) if message.id]


def phrase_of(message: Message) -> str | tuple[str, ...]:
    return message.id if isinstance(message.id, str) else tuple(str(each) for each in message.id)


def forms(message: Message) -> tuple[str, ...]:
    said = message.string
    return (said,) if isinstance(said, str) else tuple(str(each or "") for each in said or ())


def test_the_templates_have_phrases() -> None:
    assert len(used()) > 50
    assert "Confirm your subscription" in used()


@TRANSLATED
def test_every_phrase_is_translated(language: str) -> None:
    done = {
        phrase_of(message)
        for message in messages(language)
        if all(forms(message)) and not message.fuzzy
    }
    assert used() - done == set()


@TRANSLATED
def test_counting_phrases_have_three_forms_and_keep_their_number(language: str) -> None:
    counting = [message for message in messages(language) if message.pluralizable]
    assert counting
    for message in counting:
        assert [form.count("%(num)s") for form in forms(message)] == [1, 1, 1]


@TRANSLATED
def test_the_typography_is_the_readers(language: str) -> None:
    """One-letter words and dashes do not stand alone at a line's edge; quotation marks are « »."""
    for message in messages(language):
        for form in forms(message):
            assert not re.search(r"(?<!\w)[а-яёўі] ", form, re.IGNORECASE), form
            assert not re.search(r" —|[\"“”„']", form), form
            assert not set(re.sub(r"%\(\w+\)s", "", form)) & set(ascii_letters), form


@pytest.mark.parametrize("phrase", sorted(str(each) for each in used()))
def test_english_has_typographic_marks(phrase: str) -> None:
    assert "--" not in phrase
    assert '"' not in phrase
    assert not re.search(r"\w'\w", phrase)
