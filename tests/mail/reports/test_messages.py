"""Messages as servers send them: `messages/CLASS/REASON.SERVER.eml`.

Those named "recorded" were sent by real servers to which a relay had refused a message.
"""

from pathlib import Path

import pytest

from app.mail.reports import read_report

MESSAGES = sorted(Path(__file__).with_name("messages").rglob("*.eml"))
NAMING = {"hard", "soft", "block", "delayed"}


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_message_is_understood(path: Path) -> None:
    report = read_report(path.read_bytes())
    assert (report.class_, report.verdict.reason) == (path.parent.name, path.name.split(".")[0])
    if path.parent.name in NAMING:
        assert "ann@example.com" in report.named
        assert "ann@" not in report.text
