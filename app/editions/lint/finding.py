"""A finding: one thing in an issue that its readers would trip over, and how bad that is."""

from dataclasses import dataclass
from enum import StrEnum

from app.log import redact

SHOWN = 60  # characters of a text that a finding repeats


class Level(StrEnum):
    """An error blocks approval; a warning is listed and blocks nothing."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`where` is a path such as `commentaries.0.texts.be.title` or `editions.be-ru.be.html`."""

    level: Level
    where: str
    message: str

    def __str__(self) -> str:
        """Say it as one sentence."""
        return f"{self.where}: {self.message}"


def error(where: str, message: str) -> Finding:
    """Make a finding that blocks approval."""
    return Finding(Level.ERROR, where, message)


def warning(where: str, message: str) -> Finding:
    """Make a finding that is only listed."""
    return Finding(Level.WARNING, where, message)


def quoted(text: str) -> str:
    """Quote the words an editor is to look for, cut short, with no e-mail address in them."""
    known = redact(" ".join(text.split()))
    return f"“{known if len(known) <= SHOWN else known[: SHOWN - 1] + '…'}”"
