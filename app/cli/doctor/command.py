"""`vestka doctor`: what an operator should know is wrong. It looks, and changes nothing."""

import os
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from app.cli.app_context import CommandContext
from app.cli.doctor import checks
from app.cli.doctor.findings import Finding, Status
from app.cli.output import AsJson, print_json
from app.settings import SettingWrong

_COLOURS = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "bold red"}


def doctor(
    *,
    offline: Annotated[bool, typer.Option("--offline", help="call no relay, ask no DNS")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the installation: each thing with ok, warn or fail and a sentence; 1 if any fails."""
    findings = []
    for check in checks.ALL:
        if offline and check in checks.ONLINE:
            continue
        for finding in _findings(check):
            findings.append(finding)
            if not as_json:
                _print(finding)
    failed = any(finding.status is Status.FAIL for finding in findings)
    if as_json:
        print_json({"ok": not failed, "checks": [finding._asdict() for finding in findings]})
    if failed:
        raise typer.Exit(1)


def _findings(check: checks.Check) -> Iterator[Finding]:
    try:
        yield from check(CommandContext(dict(os.environ), strict=False))
    except SettingWrong:
        return  # the check of settings has said so


def _print(finding: Finding) -> None:
    line = Text.assemble(
        (f"{finding.status:<4}", _COLOURS[finding.status]), f"  {finding.check}: {finding.says}"
    )
    Console(highlight=False).print(line, soft_wrap=True)
