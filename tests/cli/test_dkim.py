"""`vestka dkim`: keys and their records, and who signed a message that arrived."""

import shutil
from pathlib import Path

import pytest

from app.mail.dkim.dkim_keys import load_dkim_keys
from app.mail.dkim.signature import signatures
from app.mail.message.compiler import compile_message
from tests.support.terminal import Terminal

HEADERS = [
    ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
    ("From", "Весткі <news@example.org>"),
    ("To", "ann@example.org"),
    ("Subject", "Тыдзень"),
    ("List-Unsubscribe", f"<https://news.example.org/unsubscribe/{'A' * 40}>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
]


@pytest.fixture
def keys(terminal: Terminal, keys_dir: Path, tmp_path: Path) -> Path:
    """The installation's own keys directory, which a test may add to."""
    own = tmp_path / "own"
    shutil.copytree(keys_dir, own)
    terminal.set("VESTKA_KEYS_DIR", str(own))
    return own


def test_a_key_is_made_listed_and_never_shown(terminal: Terminal, keys: Path) -> None:
    assert terminal.run("dkim", "list").out.startswith("There is no DKIM key")
    made = terminal.run("dkim", "create", "a1", "--json").json
    assert made["name"] == "a1._domainkey.example.org"
    assert made["record"].startswith("v=DKIM1; k=rsa; p=")
    assert terminal.run("dkim", "list", "--json").json == [made]
    secret = (keys / "dkim.a1.pem").read_text().splitlines()[1]
    listed = terminal.run("dkim", "list").out
    assert secret not in listed
    assert made["record"] in listed.splitlines()[-1]


def test_a_message_that_we_signed_is_covered(
    terminal: Terminal, keys: Path, tmp_path: Path
) -> None:
    terminal.run("dkim", "create", "a1")
    head, body = compile_message(HEADERS, "text", "<p>text</p>", "be").head_and_body({})
    signed = signatures(head, body, load_dkim_keys(keys, "example.org"), at=0) + head + body
    message = tmp_path / "message.eml"
    message.write_bytes(b"Received: by mx.example.com\r\n" + signed)
    ran = terminal.run("dkim", "check", message, "--json")
    assert ran.status == 0
    assert ran.json == {
        "covered": True,
        "from": "example.org",
        "headers": {"List-Unsubscribe": 1, "List-Unsubscribe-Post": 1},
        "signatures": [
            {
                "domain": "example.org",
                "selector": "a1",
                "algorithm": "rsa-sha256",
                "aligned": True,
                "missing": [],
                "covers": True,
            }
        ],
    }
    said = terminal.run("dkim", "check", message).out
    assert said.endswith("One-click unsubscribing is covered by a signature of example.org.\n")
    assert "ann@" not in said
    assert "unsubscribe/A" not in said


def test_a_message_that_nobody_signed_is_told_and_is_the_status(
    terminal: Terminal, tmp_path: Path
) -> None:
    message = tmp_path / "message.eml"
    message.write_bytes(compile_message(HEADERS, "text", "<p>text</p>", "be").fill({}))
    ran = terminal.run("dkim", "check", message)
    assert ran.status == 1
    assert "There is no DKIM-Signature." in ran.out
    assert "No signature of example.org covers" in ran.out
    message.write_bytes(compile_message(HEADERS[:-1], "text", "<p>text</p>", "be").fill({}))
    assert (
        "List-Unsubscribe-Post should be there once" in terminal.run("dkim", "check", message).out
    )


def test_a_file_that_is_no_message_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    said = "This is no message with headers and one sender."
    assert terminal.refused("dkim", "check", tmp_path / "none.eml") == said
    (tmp_path / "issue.json").write_text("{}", encoding="utf-8")
    assert terminal.refused("dkim", "check", tmp_path / "issue.json") == said
