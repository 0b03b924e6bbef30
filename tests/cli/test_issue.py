"""`vestka issue`: from a file or a folder to an approved issue, and every no on the way."""

import json
from pathlib import Path

import pytest

from app.addresses.keyring import Keyring
from app.database import Database
from app.mailings.launch import launch
from app.operators.audit import entries
from tests.deliveries.rows import a_mailing
from tests.support.builders import NEWSLETTER, WEEK, a_document, an_issue, everything
from tests.support.clock import MONDAY
from tests.support.terminal import Terminal


def stored(folder: Path, document: object) -> Path:
    path = folder / "issue.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_an_issue_is_stored_shown_approved_and_withdrawn(
    terminal: Terminal, tmp_path: Path, database: Database
) -> None:
    path = stored(tmp_path, a_document())
    put = terminal.run("issue", "put", path, "--json").json
    assert put == {
        "week": "2025-W04",
        "new": True,
        "commentaries": 1,
        "languages": ["be", "en", "ru"],
    }
    assert terminal.run("issue", "put", path, "--json").json["new"] is False
    assert terminal.run("issue", "show", "2025-W04", "--json").json["content"] == a_document()
    approved = terminal.run("issue", "approve", "2025-W04", "--json").json
    assert (approved["week"], approved["segments"]) == ("2025-W04", ["en", "be-ru"])
    assert {each["level"] for each in approved["findings"]} == {"warning"}
    assert len(everything(database)["editions"]) == 3
    (listed,) = terminal.run("issue", "list", "--json").json
    assert listed["approved"] == ["be-ru", "en"]
    assert terminal.run("issue", "withdraw", "2025-W04", "--json").json["withdrawn"] is True
    assert everything(database)["approvals"] == []
    with database.reading() as session:
        said = [(entry.actor, entry.action) for entry in entries(session)]
    assert said == [
        ("command line", "approval withdrawn"),
        ("command line", "issue approved"),
        ("command line", "issue stored"),
        ("command line", "issue stored"),
    ]


def test_a_folder_is_stored(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "week"
    folder.mkdir()
    front = '+++\ntitle = "T"\nrubric = "economy"\nsituation = "worse"\n+++\nText\n'
    (folder / "1.en.md").write_text(front, encoding="utf-8")
    assert terminal.run("issue", "put", folder, "--week", "2025-W04", "--json").json["new"]
    assert "economy" in terminal.run("issue", "show", "2025-W04").out


def test_one_segment_is_approved_where_another_lacks_a_text(
    terminal: Terminal, tmp_path: Path, database: Database
) -> None:
    terminal.run("issue", "put", stored(tmp_path, a_document(languages=["en"])))
    before = everything(database)
    said = terminal.refused("issue", "approve", "2025-W04")
    assert said.endswith("(be-ru: commentaries.0.texts)")
    assert everything(database) == before
    approved = terminal.run("issue", "approve", "2025-W04", "--segment", "EN", "--json").json
    assert approved["segments"] == ["en"]


def test_a_preview_is_printed_or_written(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("issue", "put", stored(tmp_path, a_document()))
    asked = ("issue", "preview", "2025-W04", "--segment", "be-ru", "--language", "ru")
    printed = terminal.run(*asked).out
    assert "Text (ru)" in printed
    assert "Text (be)" not in printed
    out = tmp_path / "looks"
    files = terminal.run(*asked, "--out", out, "--json").json["files"]
    assert [Path(file).name for file in files] == [
        "2025-W04.be-ru.ru.html",
        "2025-W04.be-ru.ru.txt",
    ]
    assert "Text (ru)" in Path(files[0]).read_text(encoding="utf-8")
    blocked = stored(tmp_path, {})
    assert terminal.refused(*asked, "--out", blocked) == (
        "The folder named by --out cannot be written to."
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"week": "2025-W54"}, "week: A week is named like 2025-W04"),
        ({"week": "2025-W05"}, "The week in the content is not the week it is stored for."),
        ({"secret": "secret"}, "secret: Extra inputs are not permitted."),
        ({"commentaries": []}, "commentaries: "),
        ({"commentaries": ["secret"]}, "commentaries.0: Input should be"),
    ],
)
def test_content_that_is_no_issue_is_refused_by_its_field(
    terminal: Terminal, tmp_path: Path, database: Database, change: object, said: str
) -> None:
    assert isinstance(change, dict)
    path = stored(tmp_path, a_document() | change)
    assert terminal.refused("issue", "put", path, "--week", "2025-W04").startswith(said)
    assert everything(database)["issues"] == []


def test_a_lone_surrogate_is_refused_by_its_field(terminal: Terminal, tmp_path: Path) -> None:
    document = a_document()
    document["commentaries"][0]["texts"]["en"]["title"] = "\ud800"
    said = terminal.refused("issue", "put", stored(tmp_path, document))
    assert said == "issue.json is not JSON." or "title" in said


def test_files_that_cannot_be_read_are_refused(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal.refused("issue", "put", tmp_path / "no.json") == (
        "no.json is missing or cannot be read."
    )
    (tmp_path / "x.json").write_bytes(b"\xff")
    assert terminal.refused("issue", "put", tmp_path / "x.json") == "x.json is not UTF-8."
    empty = tmp_path / "empty"
    empty.mkdir()
    assert terminal.refused("issue", "put", empty).startswith("The folder holds no text")


def test_the_archive_is_corrected_and_earlier_versions_are_shown(
    terminal: Terminal, tmp_path: Path, database: Database
) -> None:
    with database.transaction() as session:
        an_issue(session, approved=("en",))
    correct = ("issue", "correct", "2025-W04")
    better = stored(tmp_path, a_document(said="Better"))
    note = ("--note", "en=One word was wrong.")
    assert "vestka issue put" in terminal.refused(*correct, better, *note, "--yes")
    with database.transaction() as session:
        launch(session, WEEK, NEWSLETTER.segment("en"), by="editor", now=MONDAY)
    said = terminal.refused(*correct, better, *note)
    assert said == "Confirmation needed: repeat with --yes."
    assert terminal.run("issue", "versions", "2025-W04").out == "This issue was never changed.\n"
    corrected = terminal.run(*correct, better, *note, "--yes", "--json").json
    assert corrected["version"] == 2
    why = ("--withdraw", "1", "--reason", "en=The source took it back.")
    assert terminal.run(*correct, *why, "--yes", "--json").json["version"] == 3
    back = ("--reinstate", "1", "--note", "en=It stands again.")
    assert terminal.run(*correct, *back, "--yes", "--json").json["version"] == 4
    listed = terminal.run("issue", "versions", "2025-W04", "--json").json
    assert [each["kind"] for each in listed] == [
        "reinstatement",
        "withdrawal",
        "correction",
        "original",
    ]
    first = terminal.run("issue", "versions", "2025-W04", "--version", "1", "--json").json
    assert first["content"] == a_document()
    assert "no version" in terminal.refused("issue", "versions", "2025-W04", "--version", "9")
    with database.reading() as session:
        acts = [each.action for each in entries(session)]
    assert acts == ["commentary reinstated", "commentary withdrawn", "issue corrected"]


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--note", "en=x"),
        ("--withdraw", "1"),
        ("--withdraw", "1", "--note", "en=x"),
        ("--withdraw", "1", "--reinstate", "1", "--note", "en=x"),
        ("--withdraw", "1", "--reason", "no language"),
        ("--withdraw", "1", "--reason", "=x"),
        ("--withdraw", "1", "--reason", "en=x", "--reason", "en=y"),
        ("--withdraw", "1", "--reason", "en="),
        ("--withdraw", "1", "--reason", "en=a\x07b"),
    ],
)
def test_a_correction_is_one_act_with_one_note(wrong: tuple[str, ...], terminal: Terminal) -> None:
    assert terminal.refused("issue", "correct", "2025-W04", *wrong, "--yes")


def test_a_mailing_that_still_sends_the_earlier_text_is_named(
    terminal: Terminal, tmp_path: Path, database: Database, keyring: Keyring
) -> None:
    with database.transaction() as session:
        a_mailing(session, keyring, 2)
    better = stored(tmp_path, a_document(said="Better"))
    ran = terminal.run("issue", "correct", "2025-W04", better, "--note", "en=One word.", "--yes")
    assert ran.status == 0
    assert "Mailing 1 (en) is running and still sends the earlier text" in ran.err
    assert "vestka mailing revise 1 FILE" in ran.err
