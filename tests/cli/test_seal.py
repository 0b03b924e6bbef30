"""`vestka seal` as an operator meets it."""

import io
import json
from pathlib import Path

import pyrage
import pytest

from app.addresses.keyring import Keyring
from app.database import Database
from app.keys.creation import create_keys
from app.subscribers.models import Subscriber
from tests.support.builders import a_subscriber
from tests.support.terminal import Terminal

IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())
NAMES = ("ann", "bob")


class Typing(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def desk(terminal: Terminal, database: Database, tmp_path: Path) -> Terminal:
    """A terminal with keys of its own, and two readers."""
    create_keys(tmp_path / "own")
    terminal.set("VESTKA_KEYS_DIR", str(tmp_path / "own"))
    keyring = Keyring.load(tmp_path / "own")
    with database.transaction() as session:
        for name in NAMES:
            a_subscriber(session, keyring, f"{name}@example.org")
    return terminal


def checks(desk: Terminal) -> dict[str, tuple[str, str]]:
    found = desk.run("doctor", "--offline", "--json").json["checks"]
    return {each["check"]: (each["status"], each["says"]) for each in found}


def test_rotating_is_told_step_by_step_and_audited(desk: Terminal, tmp_path: Path) -> None:
    ran = desk.run("seal", "rotate", "--json")
    assert (ran.json["generation"], ran.json["resealed"], ran.json["flawed"]) == (2, 2, 0)
    assert "list.1.key" in ran.json["destroyed"]
    assert "generation 2 is in use" in ran.err
    assert "new escrow" in ran.err
    assert not (tmp_path / "own" / "list.1.key").exists()
    assert desk.run("seal", "check", "--json").json == {"rows": 2, "flawed": {}}


def test_a_spoiled_row_is_found_by_check_and_doctor(desk: Terminal, database: Database) -> None:
    assert checks(desk)["seals"] == ("ok", "all rows of the list open: 2.")
    with database.transaction() as session:
        session.query(Subscriber).first().link_id = b"elsewhere"[:8]  # type: ignore[union-attr]
    status, says = checks(desk)["seals"]
    assert (status, "flawed: 1" in says) == ("fail", True)
    assert checks(desk)["quarantine"][0] == "ok"
    ran = desk.run("seal", "check", "--json")
    assert (ran.status, ran.json["flawed"]) == (1, {"subscriber: changed or planted": 1})
    status, says = checks(desk)["quarantine"]
    assert (status, says) == (
        "fail",
        "set apart, and never written to: 1 subscribers (changed or planted).",
    )


def test_an_escrow_can_be_read_back(desk: Terminal, tmp_path: Path) -> None:
    assert checks(desk)["escrow"][0] == "warn"
    out, identity = tmp_path / "escrow.age", tmp_path / "identity"
    identity.write_text(f"{IDENTITY}\n")
    ran = desk.run("seal", "escrow", "--to", RECIPIENT, "--out", out, "--json")
    assert "list.1.key" in ran.json["escrowed"]
    assert out.stat().st_mode & 0o777 == 0o600
    assert checks(desk)["escrow"][0] == "ok"
    desk.set("VESTKA_KEYS_DIR", str(tmp_path / "elsewhere"))
    restored = desk.run("seal", "restore", out, "--identity", identity, "--json")
    assert restored.json["restored"] == ran.json["escrowed"]
    assert desk.run("seal", "check", "--json").json == {"rows": 2, "flawed": {}}
    desk.run("seal", "rotate")
    assert checks(desk)["escrow"][0] == "warn"


def test_what_cannot_be_escrowed_or_restored_is_said(desk: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "escrow.age"
    assert "age1" in desk.refused("seal", "escrow", "--to", "age1wrong", "--out", out)
    assert "secret" in desk.refused("seal", "escrow", "--to", str(IDENTITY), "--out", out)
    assert not out.exists()
    assert "cannot be read" in desk.refused("seal", "restore", out, "--identity", out)


def test_panic_asks(desk: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--yes" in desk.refused("seal", "panic")
    monkeypatch.setattr("sys.stdin", Typing("yes\n"))
    ran = desk.run("seal", "panic")
    assert (ran.status, "Nothing was destroyed." in ran.err) == (1, True)
    assert (tmp_path / "own" / "list.1.key").exists()
    monkeypatch.setattr("sys.stdin", Typing("destroy\n"))
    assert desk.run("seal", "panic").status == 0
    assert not (tmp_path / "own" / "list.1.key").exists()


def test_after_a_panic_nothing_is_readable_and_all_say_so(desk: Terminal, tmp_path: Path) -> None:
    ran = desk.run("seal", "panic", "--yes", "--json")
    assert ran.json["destroyed"][0] == "list.1.key"
    assert list((tmp_path / "own").iterdir()) == [tmp_path / "own" / "destroyed"]
    export = ("subscribers", "export", "--to", RECIPIENT)
    for command in (("seal", "check"), export, ("serve", "--role", "sender")):
        assert "destroyed by `vestka seal panic`" in desk.refused(*command)
    status, says = checks(desk)["keys"]
    assert (status, "destroyed" in says) == ("fail", True)
    assert not (tmp_path / "own" / "list.1.key").exists()


def test_an_export_is_for_its_recipient_alone(desk: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "list.age"
    ran = desk.run("subscribers", "export", "--to", RECIPIENT, "--out", out, "--json")
    assert ran.json == {"exported": 2, "damaged": 0}
    assert out.stat().st_mode & 0o777 == 0o600
    assert b"example" not in out.read_bytes()
    header, *lines = pyrage.decrypt(out.read_bytes(), [IDENTITY]).decode().splitlines()
    assert header == "email,segments,language"
    assert sorted(lines) == ["ann@example.org,en,en", "bob@example.org,en,en"]
    assert sorted(path.name for path in tmp_path.glob("list*")) == ["list.age"]


def test_an_export_says_for_whom(desk: Terminal) -> None:
    for arguments in ((), ("--plain", "--to", RECIPIENT)):
        assert "--to an age recipient" in desk.refused("subscribers", "export", *arguments)
    assert json.dumps(RECIPIENT) not in desk.refused("subscribers", "export", "--to", "age1x")
