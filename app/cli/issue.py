"""`vestka issue`: store the week's draft, look at it as an email, approve it or take that back."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.cli.app_context import CommandContext
from app.cli.correction import correct, versions
from app.cli.output import AsJson, print_record, print_rows
from app.cli.rehearsal import OutUnwritable, rehearse
from app.cli.test_emails import send_tests
from app.editions.freezing import freeze
from app.editions.lint.rules import Finding, examine
from app.editions.pictures import standalone
from app.editions.preview import preview as preview_edition
from app.editions.preview import to_look_at
from app.issues.approval import approve as approve_issue
from app.issues.approval import approved_segments
from app.issues.content import Commentary
from app.issues.drafting import content_of, find, list_issues, store
from app.issues.files import read_issue
from app.issues.folder import read_folder
from app.issues.week import Week
from app.mail.message.templates import Rendered
from app.mailings.withdrawal import withdraw as withdraw_approval
from app.operators.audit import note

commands = typer.Typer(no_args_is_help=True, help="The week's issue: store, look at, approve.")
BY = "command line"

WeekName = Annotated[str, typer.Argument(metavar="WEEK", help="such as 2025-W04")]


@commands.command()
def put(
    path: Annotated[Path, typer.Argument(help="a JSON file, or a folder of 1.en.md, 1.be.md, …")],
    week: Annotated[str | None, typer.Option(help="if the file does not say it itself")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Store the week's draft, whole, in place of an earlier one."""
    named = Week.parse(week) if week else None
    opened = CommandContext()
    content = (
        read_folder(path, opened.newsletter, week) if path.is_dir() else read_issue(path, week)
    )
    now = opened.clock.now()
    with opened.database.transaction() as session:
        issue, new = store(session, opened.newsletter, named or content.week, content, now=now)
        note(session, BY, "issue stored", issue.week, now=now)
        record = {
            "week": issue.week,
            "new": new,
            "commentaries": len(content.commentaries),
            "languages": _languages(content.commentaries),
        }
    print_record(record, as_json=as_json)


@commands.command()
def show(week: WeekName, *, as_json: AsJson = False) -> None:
    """Show what the week's issue holds; with --json, all of it."""
    opened = CommandContext()
    with opened.database.reading() as session:
        issue = find(session, Week.parse(week))
        content = content_of(issue)
        approved = approved_segments(session, content.week)
    head = {"week": issue.week, "approved": approved, "changed_at": issue.changed_at}
    if as_json:
        whole = content.model_dump(mode="json", exclude_none=True)
        print_record({**head, "etag": issue.etag, "content": whole}, as_json=True)
        return
    print_record(head, as_json=False)
    typer.echo()
    print_rows([_row(c) for c in content.commentaries], as_json=False, nothing="It is empty.")


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List all issues, the newest week first."""
    opened = CommandContext()
    with opened.database.reading() as session:
        rows = [
            {
                "week": issue.week,
                "commentaries": len(content.commentaries),
                "languages": _languages(content.commentaries),
                "approved": approved_segments(session, content.week),
                "changed_at": issue.changed_at,
            }
            for issue, content in ((each, content_of(each)) for each in list_issues(session))
        ]
    print_rows(rows, as_json=as_json, nothing="There are no issues.")


@commands.command()
def preview(
    week: WeekName,
    segment: Annotated[str, typer.Option(help="whose email, such as be-ru")],
    language: Annotated[str | None, typer.Option(help="or else the segment's first")] = None,
    out: Annotated[Path | None, typer.Option(help="a folder to write HTML and text to")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the edition as an email: its text, or both its parts as files in --out."""
    opened = CommandContext()
    found = opened.newsletter.segment(segment)
    parsed = Week.parse(week)
    url = opened.settings.public_url
    with opened.database.reading() as session:
        rendered = preview_edition(
            session,
            opened.newsletter,
            parsed,
            found,
            public_url=url,
            hosted=opened.settings.hosts_photos,
            language=language,
        )
        content = content_of(find(session, parsed))
    spoken = language or found.languages[0]
    findings = examine(content, found, spoken, rendered, url)
    record = {"week": str(parsed), "segment": found.id, "language": spoken}
    record["subject"] = rendered.subject
    shown = to_look_at(rendered)
    files = _write(out, f"{parsed}.{found.id}.{spoken}", shown) if out else []
    if as_json:
        body = {} if out else {"html": shown.html, "text": shown.text}
        listed = {"findings": [asdict(each) for each in findings], "files": files}
        print_record({**record, **body, **listed}, as_json=True)
        return
    if out:
        print_record({**record, "files": files}, as_json=False)
    else:
        typer.echo(f"{shown.subject}\n\n{shown.text}")
    _list(findings)


commands.command()(rehearse)
commands.command()(correct)
commands.command()(versions)


@commands.command()
def approve(
    week: WeekName,
    segment: Annotated[
        list[str] | None, typer.Option(help="may be given more than once; all if left out")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Approve the issue and freeze its editions; refused with what is missing, if anything is."""
    opened = CommandContext()
    parsed, now = Week.parse(week), opened.clock.now()
    newsletter, url = opened.newsletter, opened.settings.public_url
    with opened.database.transaction() as session:
        approved = approve_issue(session, newsletter, parsed, segment or None, by=BY, now=now)
        hosted = opened.settings.hosts_photos
        found = freeze(
            session, newsletter, parsed, approved, public_url=url, hosted=hosted, now=now
        )
        note(session, BY, "issue approved", f"{parsed} {' '.join(approved)}", now=now)
    record = {"week": str(parsed), "segments": approved}
    listed = {"findings": [asdict(each) for each in found]} if as_json else {}
    print_record({**record, **listed}, as_json=as_json)
    if not as_json:
        _list(found)


commands.command("test")(send_tests)


@commands.command()
def withdraw(week: WeekName, *, as_json: AsJson = False) -> None:
    """Withdraw the approval for all segments, unless the issue is on its way to one of them."""
    opened = CommandContext()
    parsed = Week.parse(week)
    with opened.database.transaction() as session:
        withdraw_approval(session, parsed)
        note(session, BY, "approval withdrawn", str(parsed), now=opened.clock.now())
    print_record({"week": str(parsed), "withdrawn": True}, as_json=as_json)


def _list(findings: Sequence[Finding]) -> None:
    """Say beside the output, not in it, what an editor should know."""
    for each in findings:
        typer.echo(f"{each.level}: {each}", err=True)


def _languages(commentaries: list[Commentary]) -> list[str]:
    return sorted({language for each in commentaries for language in each.texts})


def _row(commentary: Commentary) -> dict[str, object]:
    return {
        "rubric": commentary.rubric,
        "situation": commentary.situation.value,
        "languages": sorted(commentary.texts),
        "title": next(iter(commentary.texts.values())).title,
    }


def _write(out: Path, name: str, rendered: Rendered) -> list[str]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        files = {out / f"{name}.html": standalone(rendered), out / f"{name}.txt": rendered.text}
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except (OSError, ValueError):
        raise OutUnwritable from None
    return [str(path) for path in files]
