"""A folder of Markdown becomes the same issue as its JSON; every no names file and field."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.demo.issue import sample_issue
from app.errors import DomainError
from app.issues.content import IssueContent
from app.issues.files import FileNotJson, FileNotText, FileTooLarge, FileUnreadable, read_issue
from app.issues.folder import FieldContradicted, FileMisnamed, FolderEmpty, read_folder
from app.newsletter import Newsletter

NEWSLETTER = Newsletter.load()

EN = """\
+++
title = "A title"
rubric = "economy"
situation = "worse"
+++

The first paragraph.

The second.
"""
BE = '+++\ntitle = "Загаловак"\n+++\nТэкст.\n'


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path, week: str | None = "2025-W04") -> IssueContent:
    return read_folder(folder, NEWSLETTER, week)


def complaint(folder: Path, week: str | None = "2025-W04") -> str:
    with pytest.raises(DomainError) as refused:
        read(folder, week)
    return str(refused.value)


def test_files_become_an_issue(tmp_path: Path) -> None:
    issue = read(write(tmp_path, **{"1.en": EN}))
    (only,) = issue.commentaries
    assert (str(issue.week), only.rubric, only.situation.value) == ("2025-W04", "economy", "worse")
    assert only.texts["en"].title == "A title"
    assert only.texts["en"].body == "The first paragraph.\n\nThe second."


def test_the_sample_issue_survives_the_way_through_a_folder(tmp_path: Path) -> None:
    sample = sample_issue("2025-W04")
    for number, each in enumerate(sample["commentaries"], 1):
        for index, (language, text) in enumerate(each["texts"].items()):
            front = [f"title = {json.dumps(text['title'], ensure_ascii=False)}"]
            if index == 0:
                shared = [name for name in ("rubric", "situation", "author") if name in each]
                front += [f'{name} = "{each[name]}"' for name in shared]
                front += [f'photo_credit = "{each["photo"]["credit"]}"'] if "photo" in each else []
            (tmp_path / f"{number}.{language}.md").write_text(
                "\n".join(["+++", *front, "+++", "", text["body"], ""]), encoding="utf-8"
            )
    (tmp_path / "issue.toml").write_text('week = "2025-W04"\n', encoding="utf-8")
    assert read(tmp_path, week=None) == IssueContent.model_validate(sample)


def test_numbers_are_the_order_as_numbers(tmp_path: Path) -> None:
    write(tmp_path, **{f"{n}.en": EN.replace("A title", f"Title {n}") for n in (10, 9, 1)})
    titles = [each.texts["en"].title for each in read(tmp_path).commentaries]
    assert titles == ["Title 1", "Title 9", "Title 10"]


def test_what_belongs_to_the_commentary_may_stand_in_any_of_its_files(tmp_path: Path) -> None:
    be = '+++\ntitle = "З"\nauthor = "A"\nphoto_credit = "C"\n[photo]\nalt = "А"\n+++\nТ\n'
    en = EN.replace("+++\n\n", '[photo]\ncredit = "C"\nalt = {en = "E"}\n+++\n\n')
    only = read(write(tmp_path, **{"1.be": be, "1.en": en})).commentaries[0]
    assert only.author == "A"
    assert only.photo is not None
    assert only.photo.model_dump() == {"credit": "C", "alt": {"be": "А", "en": "E"}, "id": None}


def test_a_contradiction_is_refused_and_names_both_files(tmp_path: Path) -> None:
    write(tmp_path, **{"1.be": BE.replace("+++\nТ", 'rubric = "security"\n+++\nТ'), "1.en": EN})
    with pytest.raises(FieldContradicted, match=r"^1\.be\.md and 1\.en\.md: rubric "):
        read(tmp_path)


def test_windows_text_is_read(tmp_path: Path) -> None:
    (tmp_path / "1.en.md").write_bytes(b"\xef\xbb\xbf" + EN.replace("\n", "\r\n").encode())
    body = read(tmp_path).commentaries[0].texts["en"].body
    assert body == "The first paragraph.\n\nThe second."


def test_a_body_may_hold_plus_signs(tmp_path: Path) -> None:
    write(tmp_path, **{"1.en": EN + "\n+++\n\nThe third.\n"})
    assert read(tmp_path).commentaries[0].texts["en"].body.endswith("+++\n\nThe third.")


@pytest.mark.parametrize(
    "name", ["1.EN.md", "one.en.md", "README.md", "1.md", "0.en.md", "1.en.MD"]
)
def test_no_markdown_file_is_passed_over(tmp_path: Path, name: str) -> None:
    write(tmp_path, **{"1.en": EN})
    (tmp_path / name).write_text(EN, encoding="utf-8")
    if name.lower() == "1.en.md" and len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this disk does not tell capitals from small letters")
    with pytest.raises(FileMisnamed):
        read(tmp_path)


def test_a_number_written_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMisnamed, match="another file"):
        read(write(tmp_path, **{"1.en": EN, "01.en": EN}))


def test_other_files_are_let_be(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / ".#1.en.md").write_text("an editor's lock", encoding="utf-8")
    assert len(read(write(tmp_path, **{"1.en": EN})).commentaries) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No front matter.", "1.en.md does not begin with TOML"),
        ("+++\ntitle = 'x'\nnot closed", "1.en.md does not begin with TOML"),
        ("+++\ntitle = sécret\n+++\nText", "1.en.md: its fields are not TOML, in line 1 of it."),
        (EN.replace('title = "A title"\n', ""), "1.en.md: title: Field required."),
        (EN.replace('"A title"', "7"), "1.en.md: title: Input should be a valid string."),
        (
            EN.replace("A title", "A\\u0007"),
            "1.en.md: title: Text must hold no control characters.",
        ),
        (EN.replace("economy", "sécret"), "1.en.md: rubric: String should match pattern"),
        (EN.replace("economy", "secret"), "1.en.md: rubric: the newsletter has no such rubric."),
        (
            EN.replace("worse", "secret"),
            "1.en.md: situation: Input should be 'better', 'unchanged'",
        ),
        (EN.replace('rubric = "economy"\n', ""), "1.en.md: rubric: Field required."),
        (EN.replace("rubric", "colour"), "1.en.md: colour: there is no such field."),
        (
            EN.replace('rubric = "economy"', 'photo = "x"'),
            "1.en.md: photo: there is no such field.",
        ),
        (EN.replace("+++\n\n", "[photo]\nsize = 3\n+++\n"), "1.en.md: photo.size: there is no"),
        (
            EN.replace("+++\n\n", '[photo]\nalt = "x"\n+++\n'),
            "1.en.md: photo.credit: Field required.",
        ),
        (
            EN.replace("+++\n\n", "photo_credit = 3\n+++\n"),
            "1.en.md: photo.credit: Input should be",
        ),
        (EN.partition("\n\n")[0] + "\n", "1.en.md: body: "),
        (EN.replace("The second", "\x00"), "1.en.md: body: Text must hold no control characters."),
    ],
)
def test_a_no_names_file_and_field_and_no_value(tmp_path: Path, text: str, said: str) -> None:
    heard = complaint(write(tmp_path, **{"1.en": text}))
    assert heard.startswith(said)
    assert "secret" not in heard
    assert "sécret" not in heard


def test_a_no_names_the_file_that_said_it(tmp_path: Path) -> None:
    front = 'situation = "secret"\n+++'
    en = EN.replace('situation = "worse"\n', "")
    write(tmp_path, **{"1.en": en, "1.ru": BE.replace("+++\nТ", f"{front}\nТ")})
    assert complaint(write(tmp_path, **{"2.en": EN})).startswith("1.ru.md: situation: ")


def test_a_language_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    said = "1.fr.md: text: no segment of the newsletter reads this language."
    assert complaint(write(tmp_path, **{"1.fr": EN})) == said


def test_a_folder_without_a_week_asks_for_it(tmp_path: Path) -> None:
    said = "the folder: week: Field required. Name the week with --week or in issue.toml."
    assert complaint(write(tmp_path, **{"1.en": EN}), week=None) == said


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('weak = "2025-W04"', "issue.toml: weak: there is no such field."),
        ("week = 2025-W04", "issue.toml: its fields are not TOML, in line 1 of it."),
        ('week = "2025-W54"', "the folder: week: A week is named like 2025-W04"),
    ],
)
def test_the_issue_s_own_file_is_held_to_the_same(tmp_path: Path, toml: str, said: str) -> None:
    write(tmp_path, **{"1.en": EN})
    (tmp_path / "issue.toml").write_text(toml, encoding="utf-8")
    assert complaint(tmp_path).startswith(said)


def test_a_folder_without_texts_or_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderEmpty):
        read(tmp_path)
    with pytest.raises(FileUnreadable, match=r"^nowhere is missing"):
        read(tmp_path / "nowhere")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.en.md").write_bytes(b"+++\ntitle='\xff'\n+++\n")
    with pytest.raises(FileNotText, match=r"^1\.en\.md "):
        read(tmp_path)
    (tmp_path / "1.en.md").write_bytes(b"x" * 200_001)
    with pytest.raises(FileTooLarge, match=r"^1\.en\.md "):
        read(tmp_path)
    (tmp_path / "1.en.md").unlink()
    (tmp_path / "1.en.md").mkdir()
    with pytest.raises(FileUnreadable, match=r"^1\.en\.md "):
        read(tmp_path)


def test_a_json_file_is_read_and_may_be_given_its_week(tmp_path: Path) -> None:
    path = tmp_path / "issue.json"
    sample = sample_issue("2025-W04")
    path.write_text(json.dumps(sample), encoding="utf-8")
    assert str(read_issue(path).week) == "2025-W04"
    del sample["week"]
    path.write_text(json.dumps(sample), encoding="utf-8")
    assert str(read_issue(path, "2025-W05").week) == "2025-W05"
    with pytest.raises(ValidationError):
        read_issue(path)


@pytest.mark.parametrize("text", [b"{", b"[1]", b'"\xc3\xa9', b"[" * 100_000, b'{"week": NaN}'])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "issue.json"
    path.write_bytes(text)
    with pytest.raises(FileNotJson):
        read_issue(path)


def test_a_lone_surrogate_is_refused(tmp_path: Path) -> None:
    sample = sample_issue("2025-W04")
    sample["commentaries"][0]["texts"]["en"]["title"] = "\ud800"
    path = tmp_path / "issue.json"
    path.write_text(json.dumps(sample), encoding="ascii")
    with pytest.raises((FileNotJson, ValidationError)):
        read_issue(path)
