"""Rehearsing: every edition in a folder, each message read back, and a status to rely on."""

import json
import shutil
import stat
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import dkim
import pytest

from app.cli import rehearsal, screenshots
from app.cli.screenshots import BrowserSilent, find_browser, take
from app.database import Database
from app.deliveries.compose.rehearsal import READERS
from app.demo.issue import sample_issue
from app.mail.dkim.coverage import read_arrived
from app.mail.dkim.dkim_keys import create_dkim_key
from app.mail.message.self_check import check_message
from tests.support.builders import a_document, everything
from tests.support.terminal import Terminal

WEEK = "2025-W04"
EDITIONS = ("en.en", "be-ru.be", "be-ru.ru")


def put(terminal: Terminal, folder: Path, document: object) -> None:
    path = folder / "issue.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert terminal.run("issue", "put", path).status == 0


def rehearsed(terminal: Terminal, out: Path, *more: str) -> tuple[int, Any]:
    ran = terminal.run("issue", "rehearse", WEEK, "--out", out, "--no-screenshots", "--json", *more)
    assert ran.out.count("\n") == 1
    return ran.status, ran.json


def test_a_draft_is_rehearsed_in_every_edition(
    terminal: Terminal, tmp_path: Path, database: Database
) -> None:
    put(terminal, tmp_path, sample_issue(WEEK))
    before = everything(database)
    out = tmp_path / "deep" / "rehearsal"
    status, said = rehearsed(terminal, out)
    assert (status, said["fit"], said["errors"], said["findings"]) == (0, True, 0, [])
    names = {
        f"{WEEK}.{edition}.{ending}"
        for edition in EDITIONS
        for ending in ("html", "txt", *(f"{reader}.eml" for reader in READERS))
    }
    assert {path.name for path in out.iterdir()} == names
    assert sorted(said["files"]) == sorted(str(out / name) for name in names)
    assert everything(database) == before, "nothing is stored, and no key is needed"


def test_its_messages_are_whole_messages_of_the_issue(terminal: Terminal, tmp_path: Path) -> None:
    put(terminal, tmp_path, sample_issue(WEEK))
    rehearsed(terminal, tmp_path / "out")
    messages = sorted((tmp_path / "out").glob("*.eml"))
    assert len(messages) == len(EDITIONS) * len(READERS)
    recipients = set()
    for path in messages:
        raw = path.read_bytes()
        assert check_message(raw) == ()
        message = message_from_bytes(raw, policy=policy.default)
        language = path.name.split(".")[2]
        assert message["Content-Language"] == language
        recipients.add(str(message["To"]))
    assert len(recipients) == len(READERS)
    assert all(recipient.isascii() for recipient in recipients)


def test_its_messages_are_signed_if_there_are_keys(
    terminal: Terminal, tmp_path: Path, keys_dir: Path
) -> None:
    shutil.copytree(keys_dir, tmp_path / "keys")
    terminal.set("VESTKA_KEYS_DIR", str(tmp_path / "keys"))
    key = create_dkim_key(tmp_path / "keys", "a1", "rsa", "example.org")
    put(terminal, tmp_path, a_document())
    status, _ = rehearsed(terminal, tmp_path / "out")
    assert status == 0
    messages = [path.read_bytes() for path in (tmp_path / "out").glob("*.eml")]
    assert len(messages) == len(EDITIONS) * len(READERS)
    for raw in messages:
        assert dkim.DKIM(raw).verify(dnsfunc=lambda *_, **__: key.record.encode())
        assert read_arrived(raw).covered


def test_no_link_in_it_opens_anything(terminal: Terminal, tmp_path: Path) -> None:
    put(terminal, tmp_path, a_document())
    links = []
    for name in ("one", "two"):
        rehearsed(terminal, tmp_path / name, "--segment", "en")
        raw = (tmp_path / name / f"{WEEK}.en.en.short.eml").read_bytes()
        links.append(message_from_bytes(raw)["List-Unsubscribe"])
    assert links[0] != links[1], "each run has keys of its own, and forgets them"


def test_errors_are_told_and_are_the_status(terminal: Terminal, tmp_path: Path) -> None:
    document = a_document(languages=["en"])
    document["commentaries"][0]["texts"]["en"]["body"] = "[x](http://example.org/)"
    put(terminal, tmp_path, document)
    status, said = rehearsed(terminal, tmp_path / "out")
    assert (status, said["fit"], said["errors"]) == (1, False, 2)
    assert [(each["level"], each["where"]) for each in said["findings"]] == [
        ("error", "commentaries.0.texts.en.body"),
        ("error", "commentaries.0.texts"),
        ("warning", "editions.en.en.preheader"),
    ]
    assert said["warnings"] == 1
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert f"{WEEK}.en.en.html" in names, "what can be rendered is"
    assert not any("be-ru" in name for name in names)
    shown = terminal.run("issue", "rehearse", WEEK, "--out", tmp_path / "out", "--no-screenshots")
    assert shown.status == 1
    assert "could not go (errors: 2, warnings: 1)" in shown.out


def test_one_segment_can_be_rehearsed_alone(terminal: Terminal, tmp_path: Path) -> None:
    put(terminal, tmp_path, a_document(languages=["en"]))
    status, said = rehearsed(terminal, tmp_path / "out", "--segment", "EN")
    assert (status, said["errors"]) == (0, 0)


def test_an_edition_that_cannot_be_rendered_is_an_error(terminal: Terminal, tmp_path: Path) -> None:
    document = a_document()
    forged = "vestka-slot-040-unsubscribe-xxxxxxxxxxxx"
    document["commentaries"][0]["texts"]["en"]["body"] = forged
    put(terminal, tmp_path, document)
    status, said = rehearsed(terminal, tmp_path / "out")
    assert status == 1
    assert said["findings"][0]["where"] == "editions.en.en"
    assert len(list((tmp_path / "out").glob("*.eml"))) == 2 * len(READERS)


def test_what_the_messages_lack_is_an_error(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "app.deliveries.compose.rehearsal.check_message",
        lambda _raw, **_given: ("A line is too long.",),
    )
    put(terminal, tmp_path, a_document())
    status, said = rehearsed(terminal, tmp_path / "out", "--segment", "en")
    assert status == 1
    assert said["findings"][0] == {
        "level": "error",
        "where": "editions.en.en.email",
        "message": "A line is too long.",
    }


def test_an_approved_issue_is_rehearsed_as_it_is_frozen(terminal: Terminal, tmp_path: Path) -> None:
    put(terminal, tmp_path, a_document())
    terminal.run("issue", "approve", WEEK)
    terminal.set("VESTKA_PUBLIC_URL", "https://elsewhere.example.org")
    rehearsed(terminal, tmp_path / "out")
    html = (tmp_path / "out" / f"{WEEK}.en.en.html").read_text(encoding="utf-8")
    assert "https://news.example.org/" in html
    assert "elsewhere" not in html


def test_what_cannot_be_done_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    asked = ("issue", "rehearse", WEEK, "--no-screenshots", "--out")
    assert "no issue" in terminal.refused(*asked, tmp_path / "out").lower()
    put(terminal, tmp_path, a_document())
    blocked = tmp_path / "issue.json"
    assert terminal.refused(*asked, blocked) == "The folder named by --out cannot be written to."
    assert "segment" in terminal.refused(*asked, tmp_path / "out", "--segment", "xx")


def test_pictures_are_taken_in_both_widths_and_schemes(tmp_path: Path) -> None:
    executable = find_browser()
    if executable is None:
        pytest.skip("NO BROWSER: there is no Chromium on PATH")
    page = tmp_path / "page.html"
    page.write_text(
        '<!doctype html><meta name="viewport" content="width=device-width"><style>'
        "body{margin:0;height:1500px;background:#fff}"
        "@media (prefers-color-scheme:dark){body{background:#000}}</style>",
        encoding="utf-8",
    )
    taken = dict(take(executable, [page]))
    assert set(taken) == {
        f"page.{scheme}.{width}.png" for scheme in ("light", "dark") for width in (320, 600)
    }
    for name, picture in taken.items():
        assert picture.startswith(b"\x89PNG")
        assert int.from_bytes(picture[16:20], "big") == int(name.split(".")[2])
        assert int.from_bytes(picture[20:24], "big") == 1500, "the whole page"
    assert taken["page.light.320.png"] != taken["page.dark.320.png"]


def a_program(folder: Path, script: str) -> str:
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    "script", ["exit 1", "exec sleep 60", "printf x >&4; exec sleep 60", "no such program"]
)
def test_a_browser_that_says_nothing_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(screenshots, "PATIENCE", 0.1)
    monkeypatch.setattr(screenshots, "PARTING", 0.1)
    with pytest.raises(BrowserSilent):
        list(take(a_program(tmp_path, script), [tmp_path / "page.html"]))


def test_a_browser_that_does_not_start_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(BrowserSilent):
        list(take(str(tmp_path / "none"), [tmp_path / "page.html"]))


def test_without_a_browser_the_rehearsal_goes_on(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(terminal, tmp_path, sample_issue(WEEK))
    asked = ("issue", "rehearse", WEEK, "--segment", "en", "--json", "--out", tmp_path / "out")
    monkeypatch.setattr(rehearsal, "find_browser", lambda: None)
    without = terminal.run(*asked)
    assert without.status == 0
    assert [each["where"] for each in without.json["findings"]] == ["screenshots"]
    broken = a_program(tmp_path, "exit 1")
    monkeypatch.setattr(rehearsal, "find_browser", lambda: broken)
    failed = terminal.run(*asked)
    assert failed.status == 0
    assert failed.json["findings"][0]["message"].startswith("The browser ended")
