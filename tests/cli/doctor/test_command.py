"""`vestka doctor` finds what is wrong, says it in a sentence, and touches nothing."""

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import text, update

from app.cli.doctor import dns
from app.clock import SystemClock
from app.database import Database
from app.deliveries.ledger.leases import register
from app.mail.dkim.dkim_keys import create_dkim_key
from app.mail.dns import DnsSilent
from app.mailings.models import Mailing
from app.rate_limits.refusals import ADDRESS, CLIENT, count_refused
from app.subscribers.models import SignUp
from tests.support.builders import an_issue, everything
from tests.support.clock import MONDAY
from tests.support.smtpd import Misdeed, ScriptedServer
from tests.support.terminal import Terminal


def found(terminal: Terminal) -> dict[str, tuple[str, str]]:
    """The worst that is said of each thing."""
    report: dict[str, Any] = terminal.run("doctor", "--json").json
    worst: dict[str, tuple[str, str]] = {}
    for each in sorted(report["checks"], key=lambda c: ["ok", "warn", "fail"].index(c["status"])):
        worst[each["check"]] = (each["status"], each["says"])
    assert report["ok"] is all(status != "fail" for status, _ in worst.values())
    return worst


@dataclass
class Zone:
    """A small DNS; without records, one that does not answer."""

    txt: dict[str, str]

    def texts(self, name: str) -> list[str]:
        if not self.txt:
            raise DnsSilent
        return [self.txt[name]] if name in self.txt else []

    def exchangers(self, name: str) -> list[str]:
        return ["mx.example.org."]


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Zone:
    """No test asks the world."""
    made = Zone({"example.org": "v=spf1 mx -all", "_dmarc.example.org": "v=DMARC1; p=reject"})
    monkeypatch.setattr(dns, "Dns", lambda: made)
    return made


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("VESTKA_LOG_FORMAT", "xml", "must be json or text"),
        ("VESTKA_RELAYS", "smtps://mail.example.org?per_hour=0", "whole number from 1"),
        ("VESTKA_SCHEDULE", "0 9 * * TUE@Europe/Minskk", "There is no such time zone"),
        ("VESTKA_DOMAIN_LIMITS", "gmial?per_hour=3", "a provider's name such as gmail"),
        ("VESTKA_NEWSLETTER_PATH", "/nowhere/newsletter.toml", "There is no such file"),
    ],
)
def test_a_wrong_setting_is_told_and_why(
    name: str, wrong: str, said: str, terminal: Terminal
) -> None:
    terminal.set(name, wrong)
    status, sentence = found(terminal)["settings"]
    assert status == "fail"
    assert sentence.startswith(f"{name} ")
    assert said in sentence


def test_a_proxy_that_is_also_a_trusted_client_is_told(terminal: Terminal) -> None:
    assert found(terminal)["settings"] == ("ok", "all can be read.")
    terminal.set("VESTKA_TRUSTED_PROXIES", "10.1.0.0/16,127.0.0.1")
    status, sentence = found(terminal)["settings"]
    assert status == "warn"
    assert sentence.startswith("VESTKA_TRUSTED_PROXIES (127.0.0.1/32) overlaps with")
    terminal.set("VESTKA_TRUSTED_CLIENTS", "192.0.2.7,::1")
    assert found(terminal)["settings"] == ("ok", "all can be read.")


def a_sender(database: Database) -> None:
    with database.transaction() as session:
        register(session, "here", "nowhere", now=SystemClock().now())


def own_keys(terminal: Terminal, keys_dir: Path, folder: Path) -> Path:
    """Give the installation a copy of the keys that a test may add to."""
    copy = folder / "own"
    shutil.copytree(keys_dir, copy)
    terminal.set("VESTKA_KEYS_DIR", str(copy))
    return copy


def test_a_sound_installation_passes(
    terminal: Terminal, database: Database, tmp_path: Path, keys_dir: Path, zone: Zone
) -> None:
    a_sender(database)
    (tmp_path / "var").mkdir(mode=0o700)
    key = create_dkim_key(own_keys(terminal, keys_dir, tmp_path), "a1", "rsa", "example.org")
    zone.txt[key.record_name] = key.record
    (tmp_path / "own" / "escrowed").write_text("1 2025-01-27\n")
    before = everything(database)
    with ScriptedServer() as relay:
        terminal.set("VESTKA_RELAYS", f"smtp+insecure://127.0.0.1:{relay.port}")
        assert {status for status, _ in found(terminal).values()} == {"ok"}
        ran = terminal.run("doctor")
    assert ran.status == 0
    assert "ok    books: every mailing balances." in ran.out
    assert everything(database) == before


def test_a_relay_that_is_down_is_found(terminal: Terminal) -> None:
    assert found(terminal)["relay"] == (
        "fail",
        "127.0.0.1:1 at connect: The relay cannot be reached.",
    )
    ran = terminal.run("doctor", "--offline", "--json")
    assert [c for c in ran.json["checks"] if c["check"] == "relay"] == []


def test_missing_records_are_printed_as_they_are_to_be_published(
    terminal: Terminal, zone: Zone, tmp_path: Path, keys_dir: Path
) -> None:
    key = create_dkim_key(own_keys(terminal, keys_dir, tmp_path), "a1", "rsa", "example.org")
    zone.txt.clear()
    zone.txt["elsewhere.example"] = "x"
    terminal.set("VESTKA_RETURN_PATH_DOMAIN", "bounces.example.org")
    terminal.set("VESTKA_RELAYS", "smtps://relay.example.net")
    report = terminal.run("doctor", "--json").json["checks"]
    said = {(c["check"], c["status"]): c["says"] for c in report}
    assert 'example.org TXT "v=spf1 a:relay.example.net ~all"' in said["spf", "warn"]
    assert '_dmarc.example.org TXT "v=DMARC1; p=none;' in said["dmarc", "warn"]
    assert f'{key.record_name} TXT "{key.record}"' in said["dkim-dns", "warn"]
    spf = [c["says"].split()[0] for c in report if c["check"] == "spf"]
    assert spf == ["bounces.example.org", "example.org"]


def test_without_dns_it_says_so_and_no_more(terminal: Terminal, zone: Zone) -> None:
    zone.txt.clear()
    assert found(terminal)["dns"][0] == "warn"
    assert not {"spf", "dmarc"} & found(terminal).keys()
    checks = terminal.run("doctor", "--offline", "--json").json["checks"]
    assert "dns" not in {c["check"] for c in checks}


def test_a_relay_is_looked_at_closely(terminal: Terminal) -> None:
    odd = Misdeed("CONNECT", reply="220 mx ESMTP Exim 4.96 Tue, 24 Nov 2020 10:00:00 +0000")
    withheld = frozenset({"PIPELINING", "SIZE"})
    with ScriptedServer(odd, withheld=withheld, extra_extensions=("SIZE 200000",)) as relay:
        terminal.set("VESTKA_RELAYS", f"smtp+insecure://127.0.0.1:{relay.port}")
        report = terminal.run("doctor", "--json").json["checks"]
    said = [c["says"] for c in report if (c["check"], c["status"]) == ("relay", "warn")]
    assert ["one command at a time" in said[0], "200 kB" in said[1], "clocks" in said[2]] == [
        True
    ] * 3
    assert relay.messages == ()


def test_each_wrong_setting_is_named_once_and_never_shown(terminal: Terminal) -> None:
    terminal.set("VESTKA_FROM", "secret")
    terminal.set("VESTKA_SCHEDULE", "secret")
    terminal.set("VESTKA_RELAYS", "smtp://secret")
    ran = terminal.run("doctor", "--json")
    said = [c["says"] for c in ran.json["checks"] if c["check"] == "settings"]
    assert sorted(sentence.split()[0] for sentence in said) == [
        "VESTKA_FROM",
        "VESTKA_SCHEDULE",
    ]
    assert ran.status == 1
    assert "secret" not in ran.out


def test_keys_that_others_can_read_or_among_the_data_are_found(
    terminal: Terminal, keys_dir: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(keys_dir, copy)
    terminal.set("VESTKA_KEYS_DIR", str(copy))
    assert found(terminal)["keys"][0] == "ok"
    copy.chmod(0o755)
    assert found(terminal)["keys"][0] == "warn"
    (copy / "mac.1.key").chmod(0o644)
    status, says = found(terminal)["keys"]
    assert (status, "mac.1.key is open to others" in says) == ("fail", True)
    (copy / "mac.1.key").chmod(0o400)
    terminal.set("VESTKA_DATA_DIR", str(tmp_path))
    assert found(terminal)["keys"][0] == "fail"


def test_a_host_of_the_public_role_needs_no_private_key(
    terminal: Terminal, keys_dir: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(keys_dir, copy)
    for private in ("hot.1.key", "list.1.key", "index.1.key", "mac.1.key"):
        (copy / private).unlink()
    terminal.set("VESTKA_KEYS_DIR", str(copy))
    assert found(terminal)["keys"] == ("ok", "only those of the public role are here.")
    shutil.copy(keys_dir / "list.1.key", copy)
    assert found(terminal)["keys"][0] == "fail"


def test_nothing_is_made(terminal: Terminal, tmp_path: Path) -> None:
    new = tmp_path / "new"
    for name, folder in (("DATA_DIR", "var"), ("KEYS_DIR", "keys")):
        terminal.set(f"VESTKA_{name}", str(new / folder))
    terminal.set("VESTKA_DATABASE_URL", f"sqlite:///{new}/var/vestka.db")
    worst = found(terminal)
    assert [worst[name][0] for name in ("keys", "data", "database")] == ["warn"] * 3
    assert not new.exists()


def test_a_schema_of_another_version_is_found(terminal: Terminal, database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'other'"))
    assert found(terminal)["database"][0] == "fail"


def test_a_database_that_does_not_answer_is_found(terminal: Terminal) -> None:
    terminal.set("VESTKA_DATABASE_URL", "postgresql://vestka:hunter2@127.0.0.1:1/vestka")
    level, said = found(terminal)["database"]
    assert level == "fail"
    assert "does not answer" in said
    assert "hunter2" not in said


def test_books_that_do_not_balance_are_found(terminal: Terminal, database: Database) -> None:
    with database.transaction() as session:
        week = an_issue(session, approved=("en",))
        mailing = Mailing(
            week=str(week), segment="en", state="running", launched_by="x", launched_at=MONDAY
        )
        session.add(mailing)
    assert found(terminal)["books"][0] == "ok"
    with database.transaction() as session:
        session.execute(update(Mailing).values(audience=3))
    assert found(terminal)["books"] == ("fail", "these mailings do not balance: 1.")


def test_sign_ups_that_nobody_admits_are_found(
    terminal: Terminal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(terminal)["sender"][0] == "warn"
    with database.transaction() as session:
        session.add(
            SignUp(
                id=b"0" * 16,
                wish="subscribe",
                hot=b"x",
                segments="en",
                language="en",
                consent="c",
                day=MONDAY.date(),
            )
        )
    assert found(terminal)["sender"] == ("fail", "1 sign-ups wait, and no sender is running.")
    a_sender(database)
    monkeypatch.setattr("app.cli.doctor.database.time.sleep", lambda _: None)
    assert found(terminal)["sender"] == ("fail", "1 sign-ups wait, though a sender is running.")

    def admitted(_seconds: float) -> None:
        with database.transaction() as session:
            session.query(SignUp).delete()

    monkeypatch.setattr("app.cli.doctor.database.time.sleep", admitted)
    assert found(terminal)["sender"][0] == "ok"


def test_an_attack_is_told_in_counts(terminal: Terminal, database: Database) -> None:
    assert found(terminal)["attacks"][0] == "ok"
    today = SystemClock().now().date()
    with database.transaction() as session:
        count_refused(session, CLIENT, today=today - timedelta(days=1), times=41)
        count_refused(session, ADDRESS, today=today - timedelta(days=5))
    status, says = found(terminal)["attacks"]
    assert status == "warn"
    assert says == "since yesterday: 41 requests refused because one network sent too many."


def test_a_clock_that_is_wrong_is_found(
    terminal: Terminal, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no clock of its own")
    assert found(terminal)["clock"][0] == "ok"
    right = SystemClock().now

    def wrong(_clock: SystemClock) -> Any:
        return right() + timedelta(minutes=5)

    monkeypatch.setattr(SystemClock, "now", wrong)
    assert found(terminal)["clock"][0] == "fail"


@pytest.mark.parametrize(
    ("value", "status"), [("everyone", "ok"), ("nobody", "warn"), ("ann@example.org", "warn")]
)
def test_the_safety_catch_is_told(terminal: Terminal, value: str, status: str) -> None:
    terminal.set("VESTKA_ALLOWED_RECIPIENTS", value)
    heard, says = found(terminal)["recipients"]
    assert (heard, "ann" in says) == (status, False)


def test_without_a_dkim_key_the_relay_has_to_sign(terminal: Terminal) -> None:
    status, says = found(terminal)["dkim"]
    assert status == "warn"
    assert "List-Unsubscribe and List-Unsubscribe-Post in h=" in says


def test_each_dkim_key_is_told_with_the_record_it_needs(
    terminal: Terminal, keys_dir: Path, tmp_path: Path
) -> None:
    own = own_keys(terminal, keys_dir, tmp_path)
    edwards = create_dkim_key(own, "e1", "ed25519", "example.org")
    assert found(terminal)["dkim"][0] == "warn", "few mailboxes verify it"
    rsa = create_dkim_key(own, "a1", "rsa", "example.org")
    said = [c for c in terminal.run("doctor", "--json").json["checks"] if c["check"] == "dkim"]
    assert {each["status"] for each in said} == {"ok"}
    for key, each in zip((rsa, edwards), said, strict=True):
        assert f'{key.record_name} TXT "{key.record}"' in each["says"]
    assert "PRIVATE" not in str(said)


def test_a_dkim_key_that_mailboxes_doubt_is_found(
    terminal: Terminal, keys_dir: Path, tmp_path: Path
) -> None:
    own = own_keys(terminal, keys_dir, tmp_path)
    pem = generate_private_key(65537, 1024).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    path = own / "dkim.old.pem"
    path.write_bytes(pem)
    path.chmod(0o400)
    status, says = found(terminal)["dkim"]
    assert (status, "fewer than 2048 bits" in says) == ("warn", True)
    path.chmod(0o444)
    status, says = found(terminal)["dkim"]
    assert (status, "dkim.old.pem" in says) == ("fail", True)


def test_a_domain_that_does_not_sign_for_the_sender_is_found(
    terminal: Terminal, keys_dir: Path, tmp_path: Path
) -> None:
    create_dkim_key(own_keys(terminal, keys_dir, tmp_path), "a1", "rsa", "example.org")
    for domain, status in (("mail.example.org", "ok"), ("example.com", "warn")):
        terminal.set("VESTKA_DKIM_DOMAIN", domain)
        assert found(terminal)["dkim"][0] == status
