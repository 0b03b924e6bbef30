"""Amazon SNS: only what it signed, for a topic that is ours, is believed.

The certificate's address stands in the message: it is followed to Amazon's own hosts and to nothing
else. https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from pydantic import BaseModel, ConfigDict, Field

from app.errors import DomainError

NOTIFICATION = "Notification"
CONFIRMATION = "SubscriptionConfirmation"

_REGION = r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]"
_ARN = re.compile(rf"arn:aws[a-z-]{{0,7}}:sns:({_REGION}):[0-9]{{12}}:[A-Za-z0-9_-]{{1,256}}")
_PATH = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem", re.ASCII)
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
# Version 1 is what Amazon still sends by default; a forger would need a second preimage.
_HASHES = {"1": SHA1, "2": SHA256}

Fetch = Callable[[str, str], bytes]
"""Gets what a host (by https, as it is) has at a path. Raises AmazonSilent."""


class SignatureWrong(DomainError):
    """This message is not signed by Amazon SNS."""


class TopicForeign(DomainError):
    """This topic is not named in VESTKA_SNS_TOPICS."""


class AmazonSilent(DomainError):
    """Amazon's certificate cannot be fetched now."""


class Envelope(BaseModel):
    """What SNS posts. Its own field names are signed, so they are kept as they are."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True)

    Type: Annotated[str, Field(max_length=40)]
    MessageId: Annotated[str, Field(max_length=100)]
    TopicArn: Annotated[str, Field(max_length=300)]
    Timestamp: Annotated[str, Field(max_length=40)]
    Message: Annotated[str, Field(max_length=300_000)]
    Signature: Annotated[str, Field(max_length=2000)]
    SignatureVersion: Annotated[str, Field(max_length=4)]
    SigningCertURL: Annotated[str, Field(max_length=300)]
    Subject: Annotated[str | None, Field(max_length=400)] = None
    Token: Annotated[str | None, Field(max_length=1000)] = None
    SubscribeURL: Annotated[str | None, Field(max_length=2000)] = None

    def signed(self) -> bytes:
        """Return the text that was signed: names and values of the fields that are there."""
        pairs = ((name, getattr(self, name)) for name in _SIGNED.get(self.Type, ()))
        return "".join(f"{n}\n{v}\n" for n, v in pairs if v is not None).encode()


def region_of(arn: str) -> str:
    """Return a topic's region. Raises TopicForeign."""
    match = _ARN.fullmatch(arn)
    if match is None:
        raise TopicForeign
    return match[1]


def verify(envelope: Envelope, topics: tuple[str, ...], fetch: Fetch, *, now: datetime) -> None:
    """See that Amazon signed this, for one of our topics.

    Raises TopicForeign, SignatureWrong or AmazonSilent.
    """
    if envelope.TopicArn not in topics:
        raise TopicForeign
    host, path = _place(envelope)
    hash_ = _HASHES.get(envelope.SignatureVersion)
    if hash_ is None or envelope.Type not in _SIGNED:
        raise SignatureWrong
    try:
        signature = b64decode(envelope.Signature, validate=True)
        key = _key(fetch(host, path), now)
        key.verify(signature, envelope.signed(), PKCS1v15(), hash_())
    except (InvalidSignature, NotBase64, ValueError):
        raise SignatureWrong from None


def confirmation(envelope: Envelope) -> tuple[str, str]:
    """Return host and path that confirm the topic's subscription; made here, not taken from it."""
    query = {"Action": "ConfirmSubscription", "TopicArn": envelope.TopicArn}
    return _host(envelope), f"/?{urlencode({**query, 'Token': envelope.Token or ''})}"


def _place(envelope: Envelope) -> tuple[str, str]:
    """Return the certificate's host and path. Raises SignatureWrong unless it is Amazon's."""
    try:
        parts = urlsplit(envelope.SigningCertURL)
        port, name = parts.port, parts.hostname
    except ValueError:
        raise SignatureWrong from None
    bare = not (parts.username or parts.password or parts.query or parts.fragment)
    right = parts.scheme == "https" and port in (None, 443) and name == _host(envelope)
    if not (bare and right and _PATH.fullmatch(parts.path)):
        raise SignatureWrong
    return _host(envelope), parts.path


def _host(envelope: Envelope) -> str:
    region = region_of(envelope.TopicArn)
    return f"sns.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def _key(pem: bytes, now: datetime) -> RSAPublicKey:
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key()
    current = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    if not current or not isinstance(key, RSAPublicKey):
        raise SignatureWrong
    return key
