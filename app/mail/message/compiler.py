"""The message compiler: a rendered message becomes bytes with slots, once for all its readers.

What is compiled is 7-bit with CRLF, all its parts encoded, and no line begins with a dot.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

from app.errors import DomainError
from app.mail.message import placeholders
from app.mail.message.encoded import Encoded, concatenate
from app.mail.message.headers import HeaderUnsafe, header
from app.mail.message.inline_images import Picture, part
from app.mail.message.message_template import MessageTemplate
from app.mail.message.placeholders import Fit, marker
from app.mail.message.transfer_encoding import body

__all__ = ["HeaderTwice", "MessageTemplate", "compile_message", "marker"]

_OURS = re.compile(r"mime-version|content-.*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


class HeaderTwice(DomainError):
    """A message carries each of its headers once."""


def compile_message(
    headers: Sequence[tuple[str, str]],
    text: str,
    html: str | None,
    language: str,
    *,
    related: Sequence[Picture] = (),
) -> MessageTemplate:
    """Compile a message of a plain text and, unless None, its HTML (RFC 2046 §5.1.4).

    `headers` come in this order; MIME-Version and Content-* are added. Markers may stand in both
    texts and in header values. The HTML may show the pictures in `related` (RFC 2387).
    Raises HeaderUnsafe, HeaderTwice, TextUnsafe, SlotMisplaced, PictureUnsafe.
    """
    names = [name.lower() for name, _ in headers]
    if len(set(names)) < len(names) or any(_OURS.fullmatch(name) for name in names):
        raise HeaderTwice
    if not _LANGUAGE.fullmatch(language):
        raise HeaderUnsafe(field="Content-Language")
    given = [header(name, value) for name, value in headers]
    described, content = (
        _part("plain", text) if html is None else _alternatives(text, html, related)
    )
    ours = f"MIME-Version: 1.0\r\nContent-Language: {language}\r\n{described}\r\n"
    head = concatenate([*given, Encoded(ours.encode("ascii"))])
    return MessageTemplate(head, content, _fits(headers, text, html))


def _part(subtype: str, text: str) -> tuple[str, Encoded]:
    encoding, encoded = body(text)
    headers = (
        f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n"
    )
    return headers, concatenate([encoded, Encoded(b"\r\n")])


def _alternatives(text: str, html: str, related: Sequence[Picture]) -> tuple[str, Encoded]:
    shown = _part("html", html)
    digest = _digest(text, html)
    if related:
        # The type of the root part is required here (RFC 2387 §3.1).
        pictures = [Encoded(part(each, number)) for number, each in enumerate(related, 1)]
        wholes = [_whole(*shown), *pictures]
        shown = _multipart('related; type="text/html"', f"=_r{digest}", wholes)
    return _multipart("alternative", f"=_{digest}", [_whole(*_part("plain", text)), _whole(*shown)])


def _whole(headers: str, encoded: Encoded) -> Encoded:
    return concatenate([Encoded(f"{headers}\r\n".encode("ascii")), encoded])


def _multipart(subtype: str, boundary: str, parts: Sequence[Encoded]) -> tuple[str, Encoded]:
    opening = Encoded(f"--{boundary}\r\n".encode("ascii"))
    content = [piece for each in parts for piece in (opening, each)]
    content.append(Encoded(f"--{boundary}--\r\n".encode("ascii")))
    headers = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n'
    return headers, concatenate(content)


def _digest(*texts: str) -> str:
    """Make the boundaries' end from the content alone, so that equal messages are equal bytes.

    "=_" occurs in no quoted-printable and no base64 (RFC 2045 §6.7), so no body can hold one.
    """
    digest = sha256()
    for text in texts:
        digest.update(sha256(text.encode("utf-8", "surrogatepass")).digest())
    return digest.hexdigest()[:32]


def _fits(headers: Sequence[tuple[str, str]], *texts: str | None) -> dict[str, Fit]:
    """Say what may fill each slot; raises SlotMisplaced if its places do not agree."""
    fits: dict[str, Fit] = {}
    for fit in _places(headers, texts):
        fits[fit.name] = fit.agreed(fits.get(fit.name, fit))
    return fits


def _places(headers: Sequence[tuple[str, str]], texts: Iterable[str | None]) -> Iterable[Fit]:
    for name, value in headers:
        for slot in placeholders.find(value.encode()):
            yield placeholders.in_header(name, slot)
    for text in texts:
        for slot in placeholders.find((text or "").encode()):
            yield placeholders.in_body(slot)
