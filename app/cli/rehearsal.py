"""`vestka issue rehearse`: the week's emails as they would go, without relay or readers.

Drafts too. Every edition is rendered, written to emails for readers who do not exist, read back
and looked at; what is wrong is listed, and the status says whether the issue could go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_json, print_rows
from app.cli.screenshots import BrowserSilent, find_browser, take
from app.deliveries.compose.message_headers import SenderIdentity
from app.deliveries.compose.rehearsal import Rehearsed
from app.deliveries.compose.rehearsal import rehearse as rehearse_messages
from app.editions.lint.finding import error, warning
from app.editions.lint.rules import Finding, errors_of, examine
from app.editions.pictures import standalone
from app.editions.preview import preview
from app.errors import DomainError
from app.issues.approval import IssueIncomplete
from app.issues.content import missing_texts
from app.issues.drafting import content_of, find
from app.issues.week import Week
from app.mail.dkim.signature import DkimKey
from app.mail.message.templates import Rendered
from app.newsletter import Segment


class OutUnwritable(DomainError):
    """The folder named by --out cannot be written to."""


@dataclass(frozen=True, slots=True)
class _Edition:
    segment: Segment
    language: str
    rendered: Rendered

    @property
    def where(self) -> str:
        return f"editions.{self.segment.id}.{self.language}"


@dataclass(slots=True)
class _Rehearsal:
    """What came of it so far."""

    week: Week
    out: Path
    keys: Sequence[DkimKey]
    hosted: bool
    findings: dict[Finding, None] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)

    def note(self, *findings: Finding) -> None:
        self.findings.update(dict.fromkeys(findings))

    def write(self, name: str, content: bytes) -> Path:
        path = self.out / name
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except (OSError, ValueError):
            raise OutUnwritable from None
        self.files.append(path)
        return path


def rehearse(
    week: Annotated[str, typer.Argument(metavar="WEEK", help="such as 2025-W04")],
    out: Annotated[Path, typer.Option(help="a folder for emails, pages and pictures")],
    segment: Annotated[
        list[str] | None, typer.Option(help="may be given more than once; all if left out")
    ] = None,
    *,
    screenshots: Annotated[
        bool, typer.Option(help="take pictures, if there is a Chromium on PATH")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Rehearse the week's emails into a folder, draft or not; 1 if the issue could not go.

    With DKIM keys, the emails are signed.
    """
    opened = CommandContext()
    post = SenderIdentity.of(opened.settings, opened.newsletter)
    segments = [opened.newsletter.segment(each) for each in segment or ()]
    rehearsal = _Rehearsal(Week.parse(week), out, opened.dkim_keys, opened.settings.hosts_photos)
    with opened.database.reading() as session:
        editions = list(_editions(session, post, rehearsal, segments or opened.newsletter.segments))
    pages = [_write(rehearsal, post, each, opened.clock.now()) for each in editions]
    if screenshots:
        _take(rehearsal, pages)
    _tell(rehearsal, as_json=as_json)
    if errors_of(tuple(rehearsal.findings)):
        raise typer.Exit(1)


def _editions(
    session: Session, post: SenderIdentity, rehearsal: _Rehearsal, segments: Sequence[Segment]
) -> Iterator[_Edition]:
    """Render what can be rendered, and note what is to be said of it."""
    content = content_of(find(session, rehearsal.week))
    for segment in segments:
        for place in missing_texts(content, segment):
            rehearsal.note(error(place, f"there is no text that {segment.label} reads"))
        for language in segment.languages:
            try:
                rendered = preview(
                    session,
                    post.newsletter,
                    rehearsal.week,
                    segment,
                    public_url=post.public_url,
                    hosted=rehearsal.hosted,
                    language=language,
                )
            except IssueIncomplete:
                continue
            except DomainError as refused:
                rehearsal.note(error(f"editions.{segment.id}.{language}", str(refused)))
                continue
            rehearsal.note(*examine(content, segment, language, rendered, post.public_url))
            yield _Edition(segment, language, rendered)


def _write(rehearsal: _Rehearsal, post: SenderIdentity, edition: _Edition, now: datetime) -> Path:
    """Write one edition's emails and pages; return the HTML page."""
    name = f"{rehearsal.week}.{edition.segment.id}.{edition.language}"
    rendered = edition.rendered
    for each in _messages(rehearsal, post, edition, now):
        rehearsal.write(f"{name}.{each.reader}.eml", each.message)
        rehearsal.note(*(error(f"{edition.where}.email", said) for said in each.objections))
    rehearsal.write(f"{name}.txt", rendered.text.encode())
    return rehearsal.write(f"{name}.html", standalone(rendered).encode())


def _messages(
    rehearsal: _Rehearsal, post: SenderIdentity, edition: _Edition, now: datetime
) -> list[Rehearsed]:
    week, segment = rehearsal.week, edition.segment
    try:
        return list(
            rehearse_messages(
                post, edition.rendered, segment, edition.language, week, now, rehearsal.keys
            )
        )
    except DomainError as refused:
        rehearsal.note(error(f"{edition.where}.email", str(refused)))
        return []


def _take(rehearsal: _Rehearsal, pages: list[Path]) -> None:
    executable = find_browser()
    if executable is None:
        rehearsal.note(warning("screenshots", "no Chromium is on PATH, so there are none"))
        return
    try:
        for name, picture in take(executable, pages):
            rehearsal.write(name, picture)
    except BrowserSilent as silent:
        rehearsal.note(warning("screenshots", str(silent)))


def _tell(rehearsal: _Rehearsal, *, as_json: bool) -> None:
    findings = tuple(rehearsal.findings)
    errors = errors_of(findings)
    ordered = [*errors, *(each for each in findings if each not in errors)]
    counts = {"errors": len(errors), "warnings": len(findings) - len(errors)}
    if as_json:
        print_json(
            {
                "week": str(rehearsal.week),
                "fit": not errors,
                **counts,
                "findings": [asdict(each) for each in ordered],
                "files": list(map(str, rehearsal.files)),
            }
        )
        return
    print_rows([asdict(each) for each in ordered], as_json=False, nothing="Nothing was found.")
    verdict = "could not go" if errors else "could go"
    typer.echo(
        f"\n{rehearsal.week} {verdict}"
        f" (errors: {counts['errors']}, warnings: {counts['warnings']});"
        f" {len(rehearsal.files)} files are in {rehearsal.out}"
    )
