"""A signed message verifies; keys are read back, and open to nobody."""

from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.errors import DomainError
from app.mail.dkim.dkim_keys import (
    DkimKeyUnusable,
    SelectorTaken,
    SelectorUnfit,
    create_dkim_key,
    load_dkim_keys,
)
from app.mail.dkim.signature import DkimKey, signatures
from app.mail.message.compiler import compile_message, marker
from app.mail.message.signing import Signed

TEMPLATE = compile_message(
    [
        ("From", "news@example.org"),
        ("To", marker("to", 254)),
        ("Subject", "Тыдзень"),
        ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
    ],
    f"Прывітанне\nhttps://news.example.org/{marker('token', 40)}\n",
    f"<p>{marker('token', 40)}</p>",
    "be",
)


def test_a_signed_message_verifies(tmp_path: Path) -> None:
    key = create_dkim_key(tmp_path, "s1", "rsa", "example.org")
    message = TEMPLATE.bind({"to": "reader@example.org", "token": "A" * 40})
    signed = Signed(signatures(*message.head_and_body(), [key], at=1_767_225_600), message)
    raw = bytes(signed)
    assert len(raw) == len(signed)
    assert raw.endswith(bytes(message))
    assert signed.on_the_wire(b"QUIT") == raw + b".\r\nQUIT"
    assert dkim.DKIM(raw).verify(dnsfunc=lambda *_, **__: key.record.encode())


def test_keys_are_read_back_rsa_first_and_open_to_nobody(tmp_path: Path) -> None:
    made = [
        create_dkim_key(tmp_path, s, k, "example.org")
        for s, k in (("e1", "ed25519"), ("r1", "rsa"))
    ]
    loaded = load_dkim_keys(tmp_path, "example.org")
    assert [(key.selector, key.record) for key in loaded] == [
        (key.selector, key.record) for key in reversed(made)
    ]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o400}


@pytest.mark.parametrize("selector", ["", "A", "a_b", "a.b", "-a", "a" * 64, "../a"])
def test_a_selector_that_dns_cannot_carry_is_refused(tmp_path: Path, selector: str) -> None:
    with pytest.raises(SelectorUnfit):
        create_dkim_key(tmp_path, selector, "rsa", "example.org")
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_dkim_key(tmp_path, "s1", "ed25519", "example.org")
    before = (tmp_path / "dkim.s1.pem").read_bytes()
    with pytest.raises(SelectorTaken):
        create_dkim_key(tmp_path, "s1", "ed25519", "example.org")
    assert (tmp_path / "dkim.s1.pem").read_bytes() == before


def _pem(bits: int) -> bytes:
    private = generate_private_key(65537, bits)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(("content", "mode"), [(b"no key", 0o400), (_pem(2048), 0o444)])
def test_a_file_that_is_no_key_or_open_is_named(tmp_path: Path, content: bytes, mode: int) -> None:
    path = tmp_path / "dkim.s1.pem"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(DkimKeyUnusable, match=r"dkim\.s1\.pem") as refused:
        load_dkim_keys(tmp_path, "example.org")
    assert isinstance(refused.value, DomainError)


def test_what_a_key_shows_is_no_secret(tmp_path: Path) -> None:
    key: DkimKey = create_dkim_key(tmp_path, "s1", "rsa", "example.org")
    assert key.record_name == "s1._domainkey.example.org"
    assert "PRIVATE" not in repr(key)
