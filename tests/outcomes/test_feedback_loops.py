"""A complaint by email counts as a provider's word only if that provider signed it."""

import base64

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from app.mail.dns import DnsSilent
from app.outcomes.feedback_loops import is_from_feedback_loop
from app.settings import Settings, SettingWrong

LOOPS = ("complaints@fbl.example.com",)
OURS = ("back.example.org", "lists.example.org")
KEY = generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()
REPORT = (
    b"From: Complaints <%s>\r\nTo: abuse@example.org\r\nSubject: complaint\r\n"
    b"\r\nSomebody pressed the button.\r\n"
)


def signed(
    sender: str = LOOPS[0],
    domain: str = "fbl.example.com",
    *,
    to: bytes = b"abuse@example.org",
    fields: tuple[bytes, ...] = (b"from", b"to", b"subject"),
    length: bool = False,
) -> bytes:
    report = (REPORT % sender.encode()).replace(b"abuse@example.org", to)
    head = dkim.sign(report, b"s1", domain.encode(), PEM, include_headers=fields, length=length)
    return bytes(head) + report


def texts(name: str) -> list[str]:
    """Everybody publishes the same key."""
    return [f"v=DKIM1; k=rsa; p={PUBLIC}"] if name.startswith("s1._domainkey.") else []


def believed(raw: bytes) -> bool:
    return is_from_feedback_loop(raw, LOOPS, OURS, texts)


@pytest.mark.parametrize("domain", ["fbl.example.com", "example.com"])
def test_who_is_known_and_signed_is_believed(domain: str) -> None:
    assert believed(signed(domain=domain))


@pytest.mark.parametrize(
    "raw",
    [
        REPORT % LOOPS[0].encode(),
        signed(domain="elsewhere.example.net"),
        signed(domain="bl.example.com"),
        signed(domain="other.fbl.example.com"),
        signed(sender="somebody@fbl.example.com"),
        signed(sender="complaints@fbl.example.com.example.net"),
        signed().replace(b"Somebody", b"Nobody"),
        signed().replace(b"To: abuse", b"To: abuser"),
        signed().replace(b"From:", b"From: eve@example.net\r\nFrom:"),
        signed(to=b"attacker@example.net"),
        signed(to=b"abuse@org"),
        signed(to=b"abuse@example.org, attacker@example.net"),
        signed(to=b"attacker@example.net", fields=(b"from", b"subject")).replace(
            b"To: attacker@example.net", b"To: abuse@example.org"
        ),
        b"To: abuse@example.org\r\n" + signed(to=b"attacker@example.net"),
        signed(length=True) + b"and more\r\n",
        signed(length=True),
        b"",
        b"From: \xff\xff\r\n\r\n",
        b"DKIM-Signature: v=1; d=\r\n" + REPORT % LOOPS[0].encode(),
    ],
)
def test_anything_else_is_not(raw: bytes) -> None:
    assert not believed(raw)


def test_a_good_signature_may_come_after_a_broken_one() -> None:
    broken = signed().partition(b"From:")[0].replace(b"s=s1", b"s=s2")
    assert believed(broken + signed())


def test_the_loops_that_everybody_has_are_known_each_by_itself() -> None:
    known = Settings({}).feedback_loops
    assert known == ("feedback@arf.mail.yahoo.com", "staff@hotmail.com")
    mine = Settings({"VESTKA_FEEDBACK_LOOPS": "FBL@Corp.Example.com , x@example.org"})
    assert mine.feedback_loops == ("fbl@corp.example.com", "x@example.org")


@pytest.mark.parametrize("wrong", ["example.org", "@example.org", "a@b c@d", "a@example.org;b@d"])
def test_what_is_no_address_is_no_loop(wrong: str) -> None:
    with pytest.raises(SettingWrong, match="must be addresses"):
        _ = Settings({"VESTKA_FEEDBACK_LOOPS": wrong}).feedback_loops


def test_where_dns_is_silent_nothing_is_believed() -> None:
    def silent(name: str) -> list[str]:
        raise DnsSilent

    assert not is_from_feedback_loop(signed(), LOOPS, OURS, silent)


def test_only_whom_we_know_is_asked_for() -> None:
    asked: list[str] = []

    def noting(name: str) -> list[str]:
        asked.append(name)
        return texts(name)

    assert not is_from_feedback_loop(signed(sender="x@elsewhere.example.net"), LOOPS, OURS, noting)
    assert asked == []
