"""When a form was shown, written into the form itself: who fills it in within an instant is none.

The stamp is signed and holds a second, nothing else: all who open the form in that second get the
same, so nobody can be told by it. A form that sends none is taken.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

LEAST = timedelta(seconds=2)  # a browser that fills in by itself, and a quick hand, need longer

_MAC_LENGTH = 10
_SECONDS_LENGTH = 5


def stamp(key: bytes, now: datetime) -> str:
    """Return the stamp of a form that is shown `now`: 20 characters [A-Za-z0-9_-]."""
    seconds = int(now.timestamp()).to_bytes(_SECONDS_LENGTH, "big")
    return urlsafe_b64encode(seconds + _mac(key, seconds)).decode("ascii")


def too_fast(key: bytes, written: str, now: datetime) -> bool:
    """Tell whether nobody can have filled in the form since.

    A stamp that is not ours says nothing: keys change while a form is open, and a reader's sign-up
    must not be lost by that. A robot may as well send none.
    """
    shown = _shown(key, written)
    return shown is not None and now - shown < LEAST


def _shown(key: bytes, written: str) -> datetime | None:
    try:
        raw = urlsafe_b64decode(written.encode("ascii"))
    except ValueError:
        return None
    seconds, mac = raw[:_SECONDS_LENGTH], raw[_SECONDS_LENGTH:]
    if len(raw) != _SECONDS_LENGTH + _MAC_LENGTH or not hmac.compare_digest(
        mac, _mac(key, seconds)
    ):
        return None
    return datetime.fromtimestamp(int.from_bytes(seconds, "big"), UTC)


def _mac(key: bytes, seconds: bytes) -> bytes:
    return hmac.digest(key, b"vestka/form/v1|" + seconds, "sha256")[:_MAC_LENGTH]
