"""The documents name what there is: every setting, every walkthrough's file."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.settings import Setting, Settings

ROOT = Path(__file__).resolve().parents[2]
PICTURES = list((ROOT / "docs/emails").iterdir())
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("knob", list(Settings.declared()), ids=lambda knob: str(knob.name))
def test_the_readme_describes_every_setting(knob: Setting[Any]) -> None:
    row = next((line for line in README.splitlines() if line.startswith(f"| `{knob.name}` |")), "")
    assert knob.about in row
    assert (knob.shown or ("required" if knob.default is None else "none")) in row


def test_the_readme_describes_no_setting_that_does_not_exist() -> None:
    named = set(re.findall(r"^\| `(VESTKA_\w+)` \|", README, re.MULTILINE))
    assert named == {knob.name for knob in Settings.declared()}


@pytest.mark.parametrize(
    "name",
    ["README.md", "docs/architecture.md", "docs/keys.md", "docs/emails.md", "docs/sending.md"],
)
def test_every_file_named_in_a_document_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = set(re.findall(r"`([\w./-]+\.(?:py|toml|css|md))`", text))
    known = ["/" + path.relative_to(ROOT).as_posix() for path in ROOT.glob("[!.]*/**/*")]
    known += ["/" + path.name for path in ROOT.glob("*")]
    assert [path for path in paths if not any(k.endswith(f"/{path}") for k in known)] == []


def test_pictures_of_emails_are_small_and_all_are_shown() -> None:
    text = (ROOT / "docs/emails.md").read_text(encoding="utf-8")
    shown = re.findall(r'src="(emails/[^"]+)"', text)
    assert sorted(shown) == sorted(f"emails/{each.name}" for each in PICTURES)
    assert text.count('alt="') == len(shown)
    for each in PICTURES:
        assert each.read_bytes().startswith(b"\x89PNG")
        assert each.stat().st_size < 60_000
