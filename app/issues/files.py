"""Reading an issue from a JSON file, as the API takes one. Errors name the field, never a value."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from app.errors import DomainError
from app.issues.content import IssueContent
from app.web.problems import field_name
from app.web.strict_json import JsonFlaw, check_json

LARGEST = 8 << 20  # bytes; what the API takes, too


class FileUnreadable(DomainError):
    """A file is missing or cannot be read."""


class FileTooLarge(DomainError):
    """A file is larger than any issue."""


class FileNotText(DomainError):
    """A file is not UTF-8."""


class FileNotJson(DomainError):
    """A file does not hold a JSON object."""


def read_issue(path: Path, week: str | None = None) -> IssueContent:
    """Read an issue; `week` fills in for a file without one.

    Raises the refusals of this module, or ValidationError for content that is no issue.
    """
    text = read_text(path)
    try:
        check_json(text)
        content = from_json(text, allow_inf_nan=False)
    except JsonFlaw as flaw:
        field = field_name(flaw.path)
        raise FileNotJson(f"{shown(path)}: {field}: {flaw.message}.", field=field) from None
    except ValueError:
        raise FileNotJson(f"{shown(path)} is not JSON.") from None
    if not isinstance(content, Mapping):
        raise FileNotJson(f"{shown(path)} does not hold a JSON object.")
    return IssueContent.model_validate(with_week(content, week))


def with_week(content: Mapping[str, Any], week: str | None) -> dict[str, Any]:
    """Return the content with `week` where it names none itself."""
    return {**({} if week is None else {"week": week}), **content}


def read_text(path: Path, largest: int = LARGEST) -> str:
    """Read a text file of at most `largest` bytes; without a byte order mark, its lines end in LF.

    Raises FileUnreadable, FileTooLarge or FileNotText.
    """
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except (OSError, ValueError):
        raise FileUnreadable(f"{shown(path)} is missing or cannot be read.") from None
    if len(content) > largest:
        raise FileTooLarge(f"{shown(path)} is larger than {largest:,} bytes.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise FileNotText(f"{shown(path)} is not UTF-8.") from None


def shown(path: Path) -> str:
    """Name a file in a sentence: its last part, with nothing that could upset a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in path.name) or "the path"
