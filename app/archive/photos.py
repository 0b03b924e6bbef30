"""The photos of what was sent: each has one address, the same for all readers and for ever.

A photo that no shown issue holds is not there, whoever knows its id.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.archive.launches import shown
from app.issues.content import IssueContent
from app.issues.models import IssuePhoto, Photo
from app.issues.photos import ID, ids_in
from app.mail.pictures import KINDS
from app.mailings.models import Mailing


@dataclass(frozen=True, slots=True)
class Hosted:
    """Where a photo is on the readers' port, and its size in pixels."""

    path: str
    width: int
    height: int


def hosted(session: Session, content: IssueContent) -> dict[str, Hosted]:
    """Return the photos that an issue shows, by id; one that is only credited has none."""
    facts = select(Photo.id, Photo.media_type, Photo.width, Photo.height)
    return {
        row.id: Hosted(f"/photos/{row.id}.{KINDS[row.media_type]}", row.width, row.height)
        for row in session.execute(facts.where(Photo.id.in_(ids_in(content))))
    }


def photo_named(session: Session, name: str) -> Photo | None:
    """Return the photo of this name, such as `{id}.jpg`, if an issue that is shown holds it."""
    photo_id, _, ending = name.partition(".")
    if not ID.fullmatch(photo_id):
        return None
    holding = (
        select(IssuePhoto.photo_id)
        .join(Mailing, Mailing.week == IssuePhoto.week)
        .where(IssuePhoto.photo_id == photo_id, shown())
    )
    photo = session.scalar(select(Photo).where(Photo.id == photo_id, holding.exists()))
    return photo if photo is not None and KINDS[photo.media_type] == ending else None
