"""`vestka bounce`: takes in what came back. `--explain` and `--reply` only tell what it means."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from app.cli.app_context import CommandContext
from app.cli.bounce_ingest import from_files, from_input, show_consequences, take_in
from app.cli.output import AsJson
from app.errors import DomainError
from app.mail.classification import Verdict, classify
from app.mail.reports import read_report
from app.mail.reports.addresses import FOUND
from app.mail.reports.parts import LARGEST


class MessageUnreadable(DomainError):
    """A message to explain cannot be read."""


class NothingToExplain(DomainError):
    """Name the messages to explain: files, or directories of files."""


def bounce(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="FILE|DIR …")] = None,
    *,
    explain: Annotated[bool, typer.Option("--explain", help="tell what messages mean")] = False,
    reply: Annotated[
        bool, typer.Option("--reply", help="tell what SMTP replies mean, one on each line of input")
    ] = False,
    consequences: Annotated[
        bool, typer.Option("--consequences", help="show what follows from what comes back")
    ] = False,
    recipient: Annotated[
        str, typer.Option(help="whom the message was delivered to, if the MTA says so")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Take in what came back by mail, from standard input or files; or tell what it means."""
    if reply:
        explain_replies(sys.stdin.buffer)
    elif explain:
        explain_messages(paths or [])
    elif consequences:
        settings = CommandContext().settings
        show_consequences(settings.bounce_policy, settings.auto_pause, as_json=as_json)
    else:
        messages = from_files(_files(paths)) if paths else from_input()
        take_in(messages, recipient, as_json=as_json)


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
        _print("-", classify(said), FOUND.findall(said))


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
