"""What commands print: a table or a sentence for people, one JSON line for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

_ENDLESS = 100_000

AsJson = Annotated[bool, typer.Option("--json", help="print one line of JSON")]


def print_json(record: object) -> None:
    """Print one line of JSON, the last on standard output."""
    typer.echo(json.dumps(record, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str:
    if isinstance(value, date):  # datetime is one too
        return value.isoformat()
    raise TypeError(type(value).__name__)


def print_record(record: Mapping[str, Any], *, as_json: bool) -> None:
    """Print the facts of one thing."""
    if as_json:
        print_json(record)
        return
    for name, value in record.items():
        typer.echo(f"{name}: {_shown(value)}")


def print_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str) -> None:
    """Print things as a table with a heading, or `nothing` if there are none."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        typer.echo(nothing)
        return
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for name in rows[0]:
        table.add_column(str(name).replace("_", " "), overflow="fold")  # never cut: ids are copied
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    # A file or a pipe has no width, and what reads it wants one line for each thing.
    Console(width=None if sys.stdout.isatty() else _ENDLESS, highlight=False).print(table)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return "–" if value is None else str(value)
