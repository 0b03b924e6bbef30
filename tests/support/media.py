"""What schemathesis sends as neither JSON nor a form: pictures, and mail that came back.

Named by `schemathesis.toml`.
"""

import schemathesis
from hypothesis import strategies as st

from tests.support.photos import a_scene, encoded

MESSAGE = b"From: mailer-daemon@example.org\r\nTo: news@example.org\r\n\r\nNobody is here.\r\n"

for kind in ("JPEG", "PNG", "WEBP", "GIF"):
    picture = st.just(encoded(a_scene(60, 40), kind))
    schemathesis.openapi.media_type(f"image/{kind.lower()}", picture)
schemathesis.openapi.media_type("message/rfc822", st.just(MESSAGE))
