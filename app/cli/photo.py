"""`vestka photo`: keep a picture for the email, list what is kept, delete what nothing shows."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.app_context import CommandContext
from app.cli.output import AsJson, print_record, print_rows
from app.issues.decoding import decode
from app.issues.files import FileUnreadable, shown
from app.issues.photos import delete_photo, keep, list_photos
from app.issues.reencoding import LARGEST
from app.operators.audit import note

commands = typer.Typer(no_args_is_help=True, help="Photos for the email: keep, list, delete.")
BY = "command line"


@commands.command()
def put(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="JPEG, PNG, WebP or GIF")],
    *,
    as_json: AsJson = False,
) -> None:
    """Keep a photo without its metadata; print the id that an issue names it by."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, ValueError):
        raise FileUnreadable(f"{shown(path)} is missing or cannot be read.") from None
    decoded = decode(raw)
    opened = CommandContext()
    now = opened.clock.now()
    with opened.database.transaction() as session:
        photo, new = keep(session, decoded, today=now.date())
        note(session, BY, "photo stored", photo.id, now=now)
        record = {"id": photo.id, "new": new, "width": photo.width, "height": photo.height}
        record |= {"media_type": photo.media_type, "size": photo.size}
    if as_json:
        print_record(record, as_json=True)
    else:
        typer.echo(record["id"])


@commands.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List all photos, the newest first."""
    opened = CommandContext()
    with opened.database.reading() as session:
        rows = [dict(row._mapping) for row in list_photos(session)]  # noqa: SLF001 - SQLAlchemy's
    print_rows(rows, as_json=as_json, nothing="There are no photos.")


@commands.command()
def delete(
    photo_id: Annotated[str, typer.Argument(metavar="ID")], *, as_json: AsJson = False
) -> None:
    """Delete a photo that no issue shows."""
    opened = CommandContext()
    with opened.database.transaction() as session:
        delete_photo(session, photo_id)
        note(session, BY, "photo deleted", photo_id, now=opened.clock.now())
    print_record({"id": photo_id, "deleted": True}, as_json=as_json)
