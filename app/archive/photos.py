"""The photos of what was sent: each has one address, the same for all readers and for ever.

A photo that no shown issue holds is not there, whoever knows its id; nor is one that only a
withdrawn commentary shows.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.archive.published import shown
from app.issues.models import IssuePhoto, Photo
from app.issues.photos import ID
from app.mail.message.inline_images import KINDS
from app.mailings.models import Mailing


def photo_named(session: Session, name: str) -> Photo | None:
    """Return the photo of this name, such as `{id}.jpg`, if an issue that is shown holds it."""
    photo_id, _, ending = name.partition(".")
    if not ID.fullmatch(photo_id):
        return None
    holding = (
        select(IssuePhoto.photo_id)
        .join(Mailing, Mailing.week == IssuePhoto.week)
        .where(IssuePhoto.photo_id == photo_id, IssuePhoto.withdrawn.is_(False), shown())
    )
    photo = session.scalar(select(Photo).where(Photo.id == photo_id, holding.exists()))
    return photo if photo is not None and KINDS[photo.media_type] == ending else None
