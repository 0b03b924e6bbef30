"""The photos of issues that were launched, for their pages: one address for all readers.

A photo that no launched issue shows is not there, whoever knows its id.
"""

from fastapi import APIRouter, Response
from sqlalchemy import select
from starlette.exceptions import HTTPException

from app.issues.models import IssuePhoto, Photo
from app.issues.photos import ID
from app.mail.pictures import KINDS
from app.mailings.models import Mailing
from app.web.context import Reading

router = APIRouter(prefix="/photos", tags=["archive"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/{name}",
    response_class=Response,
    responses={
        200: {"content": dict.fromkeys(KINDS, _BINARY)},
        404: {"description": "there is no such photo"},
    },
)
def get_public_photo(name: str, session: Reading) -> Response:
    """Return a photo, named by its id and `.jpg` or `.png`; it never changes."""
    photo_id, _, ending = name.partition(".")
    if not ID.fullmatch(photo_id):
        raise HTTPException(404)
    was_launched = (
        select(IssuePhoto.photo_id)
        .join(Mailing, Mailing.week == IssuePhoto.week)
        .where(IssuePhoto.photo_id == photo_id)
    )
    photo = session.scalar(select(Photo).where(Photo.id == photo_id, was_launched.exists()))
    if photo is None or KINDS[photo.media_type] != ending:
        raise HTTPException(404)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Response(photo.content, media_type=photo.media_type, headers=headers)
