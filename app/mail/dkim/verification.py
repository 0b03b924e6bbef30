"""Verifying DKIM signatures (RFC 6376 §6) of messages that come to us, by dkimpy."""

from collections.abc import Callable, Iterator

import dkim

from app.mail.dns import DnsSilent

MOST = 5  # signatures of a message that are looked at


def signing_domains(raw: bytes, texts: Callable[[str], list[str]]) -> Iterator[str]:
    """Yield the domains (d=, in lower case) whose signature is good and covers body, From and To.

    A signature with a length (l=) vouches for a part only, and does not count (RFC 6376 §8.2).
    `texts` looks up the TXT records of a name. Raises DnsSilent if it does.
    """
    silent: list[DnsSilent] = []

    def record(name: bytes, **_options: object) -> bytes | None:
        try:
            found = texts(name.decode("ascii", "replace").rstrip("."))
        except DnsSilent as away:
            silent.append(away)
            return None
        return found[0].encode() if found else None

    for place in range(MOST):
        checked = dkim.DKIM(raw, minkey=1024)
        try:
            good = checked.verify(idx=place, dnsfunc=record)
        except (dkim.DKIMException, ValueError, UnicodeError):
            good = False
        if silent:
            raise silent[0]
        fields = checked.signature_fields
        signed = fields.get(b"h", b"").lower().replace(b" ", b"").split(b":")
        if good and b"l" not in fields and b"to" in map(bytes.strip, signed):
            yield fields[b"d"].decode("ascii", "replace").lower()
