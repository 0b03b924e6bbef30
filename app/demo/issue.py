"""The sample issue of the trial instance: invented weeks, in the words of nobody.

One commentary has no Russian text on purpose: its Russian readers get it in Belarusian.
"""

import json
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).with_name("content")
"""One file per commentary, in the order of their numbers."""


def sample_issue(week: str) -> dict[str, Any]:
    """Return an issue for `week` ("2025-W04"), in the form in which the API takes one."""
    files = sorted(CONTENT.glob("*.json"), key=lambda path: int(path.stem))
    commentaries = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    return {"week": week, "commentaries": commentaries}
