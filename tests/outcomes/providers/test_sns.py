"""Amazon's signatures: only what Amazon signed for our topic passes, and nothing makes us call."""

from base64 import b64encode
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from app.outcomes.providers.sns import (
    CONFIRMATION,
    Envelope,
    SignatureWrong,
    TopicForeign,
    confirmation,
    verify,
)
from tests.support.clock import MONDAY

NOW = MONDAY
TOPIC = "arn:aws:sns:eu-west-1:123456789012:returns"
HOST, CERT = "sns.eu-west-1.amazonaws.com", "/SimpleNotificationService-0a1b2c.pem"
KEY = rsa.generate_private_key(65537, 2048)


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, days: int = 30) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


PEM = certificate(KEY)


def signed(version: str = "2", **fields: str) -> Envelope:
    """Sign a notification as Amazon does."""
    values = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Timestamp": "2026-11-24T10:00:00.000Z",
        "Message": '{"notificationType": "Bounce"}',
        "Signature": "",
        "SignatureVersion": version,
        "SigningCertURL": f"https://{HOST}{CERT}",
        **fields,
    }
    bare = Envelope.model_validate(values)
    hash_ = SHA1() if version == "1" else SHA256()
    signature = KEY.sign(bare.signed(), PKCS1v15(), hash_)
    return bare.model_copy(update={"Signature": b64encode(signature).decode()})


def check(envelope: Envelope, pem: bytes = PEM) -> list[tuple[str, str]]:
    """Verify, and return what was called for."""
    called: list[tuple[str, str]] = []

    def fetch(host: str, path: str) -> bytes:
        called.append((host, path))
        return pem

    verify(envelope, (TOPIC,), fetch, now=NOW)
    return called


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_amazon_signed_passes(version: str) -> None:
    assert check(signed(version)) == [(HOST, CERT)]
    assert check(signed(version, Subject="Amazon SES Email Event Notification"))


def test_the_signed_text_is_as_documented() -> None:
    text = signed(Subject="Hello").signed().decode()
    assert text == (
        'Message\n{"notificationType": "Bounce"}\n'
        "MessageId\n22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324\n"
        "Subject\nHello\n"
        "Timestamp\n2026-11-24T10:00:00.000Z\n"
        f"TopicArn\n{TOPIC}\nType\nNotification\n"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"Message": '{"notificationType": "Complaint"}'},
        {"MessageId": "another"},
        {"Subject": "added"},
        {"Type": "UnsubscribeConfirmation"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": "1"},
        {"Signature": "not base64"},
        {"Signature": ""},
    ],
)
def test_whatever_was_changed_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(SignatureWrong):
        check(signed().model_copy(update=change))


@pytest.mark.parametrize("topic", [TOPIC + "2", TOPIC.replace("eu-west-1", "us-east-1"), "x", ""])
def test_another_topic_is_foreign(topic: str) -> None:
    with pytest.raises(TopicForeign):
        check(signed(TopicArn=topic))


@pytest.mark.parametrize(
    "url",
    [
        f"http://{HOST}{CERT}",
        f"https://{HOST}:8443{CERT}",
        f"https://user@{HOST}{CERT}",
        f"https://{HOST}{CERT}?x=1",
        f"https://{HOST}{CERT}#x",
        f"https://{HOST}/other.pem",
        f"https://{HOST}/../{CERT}",
        f"https://{HOST}.example.org{CERT}",
        f"https://example.org/{HOST}{CERT}",
        f"https://sns.us-east-1.amazonaws.com{CERT}",
        f"https://127.0.0.1{CERT}",
        f"https://[::1{CERT}",
        f"file://{CERT}",
        "",
    ],
)
def test_only_amazon_s_own_place_is_called(url: str) -> None:
    called: list[str] = []

    def fetch(host: str, path: str) -> bytes:
        called.append(host)
        return PEM

    with pytest.raises(SignatureWrong):
        verify(signed(SigningCertURL=url), (TOPIC,), fetch, now=NOW)
    assert called == []


def test_a_certificate_must_be_current_and_rsa() -> None:
    for pem in (
        certificate(KEY, days=-1),
        certificate(ec.generate_private_key(ec.SECP256R1())),
        b"no certificate",
        b"",
    ):
        with pytest.raises(SignatureWrong):
            check(signed(), pem)


def test_a_topic_is_confirmed_at_its_own_host() -> None:
    """Whatever address the message names."""
    asked = signed(Type=CONFIRMATION, Token="t&k", SubscribeURL="http://192.0.2.7/")
    check(asked)
    host, path = confirmation(asked)
    assert host == HOST
    assert path.startswith("/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns")
    assert path.endswith("&Token=t%26k")
