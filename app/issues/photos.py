"""Keeping photos: each once, by what it shows; an issue that shows one holds it fast."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database import Transaction
from app.dialects import insert_if_absent
from app.errors import DomainError
from app.issues.content import IssueContent
from app.issues.decoding import Decoded
from app.issues.models import IssuePhoto, Photo, PhotoVersion
from app.mail.message.inline_images import KINDS

ID = re.compile(r"[0-9a-f]{64}")


class PhotoUnknown(DomainError):
    """There is no photo with this id."""


class PhotoNotKept(DomainError):
    """No photo is kept under this id."""


class PhotoInUse(DomainError):
    """An issue shows this photo, so it cannot be deleted."""


def keep(session: Transaction, decoded: Decoded, *, today: date) -> tuple[Photo, bool]:
    """Keep a photo; return it, and whether it is new."""
    page = decoded.page
    photo_id = hashlib.sha256(page.content).hexdigest()
    row = {
        "id": photo_id,
        "media_type": page.media_type,
        "width": page.width,
        "height": page.height,
        "size": len(page.content),
        "content": page.content,
        "day": today,
    }
    new = insert_if_absent(session, Photo, [row])
    # One that is deleted at this moment is not there to be locked, and is kept anew.
    held = {"read": True, "key_share": True}
    photo = session.get(Photo, photo_id, with_for_update=held)
    if photo is None:
        new = insert_if_absent(session, Photo, [row])
        photo = session.get_one(Photo, photo_id, with_for_update=held)
    if new:
        versions = [
            {
                "photo_id": photo_id,
                "step": step,
                "media_type": drawn.media_type,
                "size": len(drawn.content),
                "content": drawn.content,
            }
            for step, drawn in enumerate(decoded.message)
        ]
        insert_if_absent(session, PhotoVersion, versions)
    return photo, bool(new)


def find_photo(session: Session, photo_id: str) -> Photo:
    """Return a photo. Raises PhotoNotKept."""
    photo = session.get(Photo, photo_id) if ID.fullmatch(photo_id) else None
    if photo is None:
        raise PhotoNotKept(field="id")
    return photo


_FACTS = (Photo.id, Photo.media_type, Photo.width, Photo.height, Photo.size, Photo.day)


def list_photos(session: Session) -> Sequence[Row[str, str, int, int, int, date]]:
    """Return what is known of all photos, the newest first, without their bytes."""
    return session.execute(select(*_FACTS).order_by(Photo.day.desc(), Photo.id)).all()


def delete_photo(session: Transaction, photo_id: str) -> None:
    """Delete a photo that no issue shows, draft or not. Raises PhotoNotKept or PhotoInUse."""
    if not ID.fullmatch(photo_id):
        raise PhotoNotKept(field="id")
    try:
        gone = session.execute(delete(Photo).where(Photo.id == photo_id).returning(Photo.id))
    except IntegrityError:
        raise PhotoInUse from None
    if gone.first() is None:
        raise PhotoNotKept(field="id")


def ids_in(content: IssueContent) -> dict[str, str]:
    """Return the photos that the issue shows, by id, in order, each with its first place."""
    found: dict[str, str] = {}
    for index, commentary in enumerate(content.commentaries):
        if commentary.photo is not None and commentary.photo.id is not None:
            found.setdefault(commentary.photo.id, f"commentaries.{index}.photo.id")
    return found


def check_known(session: Session, content: IssueContent) -> None:
    """Raise PhotoUnknown for the first photo that is not kept; the others stay until the end."""
    wanted = ids_in(content)
    if not wanted:
        return
    query = select(Photo.id).where(Photo.id.in_(wanted)).order_by(Photo.id)
    kept = set(session.scalars(query.with_for_update(read=True, key_share=True)))
    for photo_id, place in wanted.items():
        if photo_id not in kept:
            raise PhotoUnknown(field=place)


def hold(session: Transaction, week: str, content: IssueContent) -> None:
    """Hold fast what the issue shows now, and let go of what it showed before."""
    session.execute(delete(IssuePhoto).where(IssuePhoto.week == week))
    rows = [{"week": week, "photo_id": photo_id} for photo_id in ids_in(content)]
    insert_if_absent(session, IssuePhoto, rows)


@dataclass(frozen=True, slots=True)
class Hosted:
    """Where a photo is on the readers' port, and its size in pixels."""

    path: str
    width: int
    height: int


def hosted(session: Session, photo_ids: Iterable[str]) -> dict[str, Hosted]:
    """Say of photos where they are on the readers' port, once their issue was sent, by id.

    It is one address for all readers.
    """
    facts = select(Photo.id, Photo.media_type, Photo.width, Photo.height)
    return {
        row.id: Hosted(f"/photos/{row.id}.{KINDS[row.media_type]}", row.width, row.height)
        for row in session.execute(facts.where(Photo.id.in_(list(photo_ids))))
    }
