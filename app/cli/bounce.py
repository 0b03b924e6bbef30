"""`vestka bounce`: what came back. `--explain` and `--reply` only tell; they change nothing."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.errors import Refusal
from app.mail.reports import read_report
from app.mail.reports.addresses import FOUND
from app.mail.reports.parts import LARGEST
from app.mail.verdicts import Verdict, judge


class MessageUnreadable(Refusal):
    """A message to explain cannot be read."""


class NothingToExplain(Refusal):
    """Name the messages to explain: files, or directories of files."""


def bounce(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="FILE|DIR …")] = None,
    *,
    explain: Annotated[bool, typer.Option("--explain", help="tell what messages mean")] = False,
    reply: Annotated[
        bool, typer.Option("--reply", help="tell what SMTP replies mean, one on each line of input")
    ] = False,
) -> None:
    """Read what came back by mail: bounces, complaints, automatic replies."""
    if reply:
        explain_replies(sys.stdin.buffer)
    elif explain:
        explain_messages(paths or [])


def explain_messages(paths: list[Path]) -> None:
    """Print one line of JSON for each message, directories in the order of their names."""
    if not paths:
        raise NothingToExplain
    for path in _files(paths):
        try:
            with path.open("rb") as file:
                report = read_report(file.read(LARGEST))
        except OSError:
            raise MessageUnreadable from None
        _print(str(path), report.verdict, report.named)


def explain_replies(lines: Iterable[bytes]) -> None:
    """Print one line of JSON for each line that is read."""
    for line in lines:
        said = line.decode("utf-8", "replace").strip()
        _print("-", judge(said), FOUND.findall(said))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file())
        else:
            yield path


def _print(file: str, verdict: Verdict, recipients: Iterable[str]) -> None:
    record = {
        "file": file,
        "class": verdict.class_,
        "reason": verdict.reason,
        "recipients": list(recipients),
        "code": verdict.code,
        "status": verdict.status,
    }
    line = json.dumps(record, ensure_ascii=False) + "\n"
    sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace"))  # a name may be no UTF-8
    sys.stdout.buffer.flush()
