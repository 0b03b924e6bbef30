"""An issue as a folder of Markdown files: `1.en.md`, `1.be.md`, `2.en.md`, numbered in its order.

Each file is one text with TOML front matter between `+++` lines. What belongs to the commentary may
stand in any of its files, and says the same wherever it stands. No file is passed over in silence.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.errors import DomainError
from app.issues.content import IssueContent, UnknownLanguage, UnknownRubric, check_content
from app.issues.files import FileUnreadable, read_text, shown, with_week
from app.newsletter import Newsletter

LARGEST = 200_000  # bytes of a file: a body of the greatest length, and its front matter
_NAME = re.compile(r"0*([1-9]\d{0,2})\.([a-z]{2,3})\.md", re.ASCII)
_FRONT = re.compile(
    r"\s*\+\+\+[ \t]*\n(?P<toml>.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_ISSUE = "issue.toml"
_SHARED = ("rubric", "situation", "author")
_PHOTO = ("credit", "alt", "id")


class FolderEmpty(DomainError):
    """The folder holds no text: its files are named like 1.en.md."""


class FileMisnamed(DomainError):
    """A file's name is not number, language and md, such as 1.en.md."""


class FrontMatterWrong(DomainError):
    """A file does not begin with TOML between two lines of +++."""


class FieldContradicted(DomainError):
    """Two files of a commentary do not say the same."""


class PlaceWrong(DomainError):
    """A field of a file is not as it should be."""

    def __init__(self, file: str, name: str, why: str) -> None:
        """Name the file and its field, and say what is wrong with it."""
        super().__init__(f"{file}: {name}: {why}", field=name)


@dataclass
class _Commentary:
    """One commentary as it is gathered, and the file that each of its fields came from."""

    first: str
    fields: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, value: object, file: str) -> None:
        """Take a field in; what was said already must be the same."""
        known = self.files.setdefault(name, file)
        if self.fields.setdefault(name, value) != value:
            raise FieldContradicted(f"{known} and {file}: {name} is not the same in both.")

    def content(self) -> dict[str, Any]:
        """Return the commentary in the form in which the API takes one."""
        result: dict[str, Any] = {"texts": self.texts}
        for name, value in self.fields.items():
            *path, last = name.split(".")
            place = result
            for step in path:
                place = place.setdefault(step, {})
            place[last] = value
        return result


def read_folder(folder: Path, newsletter: Newsletter, week: str | None = None) -> IssueContent:
    """Read the folder's issue; `week` fills in for a folder without `issue.toml`.

    Raises a refusal that names the file and the field: those of this module and of `files`.
    """
    found = _gather(folder)
    numbers = sorted(found)
    raw = {"commentaries": [found[number].content() for number in numbers]}
    ordered = [found[number] for number in numbers]
    try:
        content = IssueContent.model_validate(with_week(raw | _issue_fields(folder), week))
        check_content(content, newsletter)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        said = first["msg"].removeprefix("Value error, ")
        raise _place(first["loc"], ordered, f"{said}.") from None
    except (UnknownRubric, UnknownLanguage) as wrong:
        loc = tuple(int(s) if s.isdigit() else s for s in (wrong.field or "").split("."))
        raise _place(loc, ordered, str(wrong).partition(": ")[2]) from None
    return content


def _issue_fields(folder: Path) -> dict[str, Any]:
    path = folder / _ISSUE
    if not path.exists():
        return {}
    fields = _toml(read_text(path, LARGEST), _ISSUE)
    for name in fields:
        if name != "week":
            raise PlaceWrong(_ISSUE, name, "there is no such field.")
    return fields


def _gather(folder: Path) -> dict[int, _Commentary]:
    found: dict[int, _Commentary] = {}
    for path, number, language in _texts(folder):
        file = shown(path)
        commentary = found.setdefault(number, _Commentary(first=file))
        if language in commentary.texts:
            raise FileMisnamed(f"{file}: there is another file of this number and language.")
        _take_in(commentary, language, file, read_text(path, LARGEST))
    if not found:
        raise FolderEmpty
    return found


def _texts(folder: Path) -> Iterator[tuple[Path, int, str]]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        raise FileUnreadable(f"{shown(folder)} is missing or cannot be read.") from None
    for path in paths:
        if path.suffix.lower() != ".md" or path.name.startswith("."):
            continue
        match = _NAME.fullmatch(path.name)
        if not match:
            raise FileMisnamed(f"{shown(path)}: a text is named like 1.en.md.")
        yield path, int(match[1]), match[2]


def _take_in(commentary: _Commentary, language: str, file: str, text: str) -> None:
    match = _FRONT.match(text)
    if not match:
        raise FrontMatterWrong(f"{file} does not begin with TOML between two lines of +++.")
    front = _toml(match["toml"], file)
    commentary.texts[language] = {"body": text[match.end() :].strip("\n")}
    commentary.files[f"texts.{language}"] = file
    for name, value in front.items():
        if name == "title":
            commentary.texts[language]["title"] = value
        elif name in _SHARED:
            commentary.set(name, value, file)
        elif name == "photo_credit":
            commentary.set("photo.credit", value, file)
        elif name == "photo" and isinstance(value, dict):
            _take_in_photo(commentary, language, file, value)
        else:
            raise PlaceWrong(file, name, "there is no such field.")


def _take_in_photo(
    commentary: _Commentary, language: str, file: str, photo: dict[str, Any]
) -> None:
    for name, value in photo.items():
        if name not in _PHOTO:
            raise PlaceWrong(file, f"photo.{name}", "there is no such field.")
        if name != "alt":
            commentary.set(f"photo.{name}", value, file)
            continue
        # One text is the file's own language; a table may name several.
        for spoken, alt in (value if isinstance(value, dict) else {language: value}).items():
            commentary.set(f"photo.alt.{spoken}", alt, file)


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as wrong:  # its own sentence would repeat what it found
        line = re.search(r"at line (\d+)", str(wrong))
        where = f", in line {line[1]} of it" if line else ""
        raise FrontMatterWrong(f"{file}: its fields are not TOML{where}.") from None


def _place(loc: tuple[int | str, ...], ordered: list[_Commentary], why: str) -> PlaceWrong:
    """Say where in which file something is that pydantic found in the whole."""
    if len(loc) < 2 or not isinstance(loc[1], int):
        name = str(loc[0]) if loc else "issue"
        if name == "week":
            why = f"{why} Name the week with --week or in {_ISSUE}."
        return PlaceWrong("the folder", name, why)
    commentary, path = ordered[loc[1]], [str(step) for step in loc[2:]]
    if path[:1] == ["texts"] and len(path) > 1:
        return PlaceWrong(commentary.files[f"texts.{path[1]}"], ".".join(path[2:]) or "text", why)
    name = ".".join(step for step in path if step != "[key]")
    given = (file for known, file in commentary.files.items() if f"{name}.".startswith(f"{known}."))
    return PlaceWrong(next(given, commentary.first), name, why)
