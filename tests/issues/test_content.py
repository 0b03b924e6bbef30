"""The content of an issue: what is taken, and what is refused without being repeated."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.issues.content import (
    IssueContent,
    Situation,
    UnknownLanguage,
    UnknownRubric,
    check_content,
    missing_texts,
)
from app.issues.week import Week
from app.newsletter import Newsletter

INPUT = Path(__file__).parents[3] / "shared" / "input"

ISSUE: dict[str, Any] = {
    "week": "2025-W04",
    "commentaries": [
        {
            "rubric": "economy",
            "situation": "worse",
            "author": "A. Author",
            "photo": {"credit": "B. Photographer", "alt": {"en": "A street"}, "id": "p1"},
            "texts": {
                "en": {"title": "Prices rise", "body": "They do.\n\n\tAll of them."},
                "be": {"title": "Цэны растуць", "body": "Так."},
            },
        }
    ],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The sample with `value` at this path."""
    issue = copy.deepcopy(ISSUE)
    *steps, last = path.split(".")
    place: Any = issue
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = value
    return issue


def refusal(content: object) -> tuple[set[str], str]:
    """Where content is refused, and everything the error says."""
    with pytest.raises(ValidationError) as refused:
        IssueContent.model_validate(content)
    said = refused.value.errors(include_input=False, include_url=False)
    return {".".join(map(str, each["loc"])) for each in said}, f"{refused.value}"


@pytest.fixture(scope="module")
def newsletter() -> Newsletter:
    """The one that ships."""
    return Newsletter.load()


def test_a_whole_issue(newsletter: Newsletter) -> None:
    """Every field there is, and back to JSON."""
    content = IssueContent.model_validate(ISSUE)
    check_content(content, newsletter)
    assert content.week == Week.parse("2025-W04")
    assert content.commentaries[0].situation is Situation.WORSE
    assert json.loads(content.model_dump_json(exclude_none=True)) == ISSUE


def test_a_photo_may_have_only_a_credit() -> None:
    """Its picture is on the publisher's site then."""
    content = IssueContent.model_validate(changed("commentaries.0.photo", {"credit": "C"}))
    assert content.commentaries[0].photo is not None
    assert content.commentaries[0].photo.alt is None


@pytest.mark.parametrize("name", ["2016-W34", "2017-W01", "2025-W04"])
def test_real_issues(name: str, newsletter: Newsletter) -> None:
    """The samples that the publisher gave, where they are at hand."""
    path = INPUT / f"{name}.json"
    if not path.exists():
        pytest.skip("the publisher's samples are not beside this checkout")
    content = IssueContent.model_validate_json(path.read_bytes())
    check_content(content, newsletter)
    expected = () if name == "2025-W04" else ("commentaries.0.texts",)
    assert missing_texts(content, newsletter.segment("be-ru")) == expected
    assert missing_texts(content, newsletter.segment("en")) == ()


@pytest.mark.parametrize(
    "sign", ["\0", "\x1b", "\x7f", "\x85", "\ud800", "\u2028", "\u2029", "\u202e", "\u2066"]
)
@pytest.mark.parametrize(
    "path",
    [
        "commentaries.0.texts.en.title",
        "commentaries.0.texts.en.body",
        "commentaries.0.author",
        "commentaries.0.photo.credit",
        "commentaries.0.photo.alt.en",
    ],
)
def test_control_characters_are_refused(path: str, sign: str) -> None:
    """Anywhere, and without repeating the text."""
    where, said = refusal(changed(path, f"s3cret{sign}text"))
    assert where == {path}
    assert "s3cret" not in said


@pytest.mark.parametrize("sign", ["\n", "\r", "\t"])
def test_a_title_is_one_line(sign: str) -> None:
    """Or it would open a header of its own."""
    assert refusal(changed("commentaries.0.texts.en.title", f"a{sign}Bcc: b"))[0] == {
        "commentaries.0.texts.en.title"
    }


def test_lone_surrogates_in_json_are_refused() -> None:
    """Also in the name of a field."""
    for text in ('{"week": "\\ud800"}', '{"\\udfff": 1}'):
        with pytest.raises(ValidationError):
            IssueContent.model_validate_json(text)
        with pytest.raises(ValidationError):
            IssueContent.model_validate(json.loads(text))


def test_windows_line_ends_are_taken() -> None:
    """Markdown files come with either."""
    content = IssueContent.model_validate(changed("commentaries.0.texts.en.body", "a\r\n\r\nb"))
    assert content.commentaries[0].texts["en"].body == "a\n\nb"


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("week", "2025-W54", "week"),
        ("week", "s3cret", "week"),
        ("week", 202504, "week"),
        ("week", None, "week"),
        ("s3cret", 1, "s3cret"),
        ("commentaries", [], "commentaries"),
        ("commentaries", ISSUE["commentaries"] * 31, "commentaries"),
        ("commentaries.0.situation", "s3cret", "commentaries.0.situation"),
        ("commentaries.0.rubric", "../s3cret", "commentaries.0.rubric"),
        ("commentaries.0.texts", {}, "commentaries.0.texts"),
        ("commentaries.0.texts.en.title", "t" * 301, "commentaries.0.texts.en.title"),
        ("commentaries.0.texts.en.title", " \u00a0 ", "commentaries.0.texts.en.title"),
        ("commentaries.0.texts.en.body", "", "commentaries.0.texts.en.body"),
        ("commentaries.0.texts.en.body", "ў" * 32_769, "commentaries.0.texts.en.body"),
        ("commentaries.0.texts.en.html", "x", "commentaries.0.texts.en.html"),
        ("commentaries.0.photo", {"id": "p1"}, "commentaries.0.photo.credit"),
        ("commentaries.0.photo.id", "../p1", "commentaries.0.photo.id"),
    ],
)
def test_other_bad_content(path: str, value: object, where: str) -> None:
    """The error names the field and never repeats the value."""
    places, said = refusal(changed(path, value))
    assert places == {where}
    if path != "s3cret":
        assert "s3cret" not in said


def test_the_greatest_body_is_taken() -> None:
    """64 KiB of UTF-8."""
    IssueContent.model_validate(changed("commentaries.0.texts.en.body", "ў" * 32_768))


def test_unknown_language_is_named_by_path(newsletter: Newsletter) -> None:
    """Of a text as of a photo's alternative."""
    text = {"title": "s3cret", "body": "s3cret"}
    for path, value in (("texts.xx", text), ("photo.alt.xx", "s3cret")):
        content = IssueContent.model_validate(changed(f"commentaries.0.{path}", value))
        with pytest.raises(UnknownLanguage) as refused:
            check_content(content, newsletter)
        assert refused.value.field == f"commentaries.0.{path}"
        assert f"commentaries.0.{path}" in str(refused.value)
        assert "s3cret" not in str(refused.value)


def test_unknown_rubric_is_named_by_path(newsletter: Newsletter) -> None:
    """Its name is not repeated."""
    content = IssueContent.model_validate(changed("commentaries.0.rubric", "s3cret"))
    with pytest.raises(UnknownRubric) as refused:
        check_content(content, newsletter)
    assert refused.value.field == "commentaries.0.rubric"
    assert "s3cret" not in str(refused.value)


def test_which_texts_a_segment_lacks(newsletter: Newsletter) -> None:
    """One of its languages is enough."""
    both = copy.deepcopy(ISSUE)
    both["commentaries"].append(copy.deepcopy(both["commentaries"][0]))
    del both["commentaries"][1]["texts"]["be"]
    content = IssueContent.model_validate(both)
    assert missing_texts(content, newsletter.segment("en")) == ()
    assert missing_texts(content, newsletter.segment("be-ru")) == ("commentaries.1.texts",)


def test_every_situation_has_its_own_shape_and_words() -> None:
    """Colour never says it alone."""
    assert len({each.shape for each in Situation}) == len(Situation)
    assert len({each.phrase for each in Situation}) == len(Situation)
