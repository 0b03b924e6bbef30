"""The address of a photo: a picture for pages, messages on the web and feeds, kept for a year."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from app.archive.photos import photo_named
from app.mail.message.inline_images import KINDS
from app.web.context import Reading
from app.web.http_caching import cacheable

router = APIRouter(prefix="/photos", tags=["archive"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/{name}",
    response_class=Response,
    responses={
        200: {"content": dict.fromkeys(KINDS, _BINARY)},
        304: {"description": "the client has it already"},
        404: {"description": "there is no such photo"},
    },
)
def get_public_photo(name: str, request: Request, session: Reading) -> Response:
    """Return a photo, named by its id and `.jpg` or `.png`; it never changes."""
    photo = photo_named(session, name)
    if photo is None:
        # A cache that goes on saying so would break the messages that show it after the launch.
        raise HTTPException(404, headers={"Cache-Control": "no-store"})
    headers = {"Cross-Origin-Resource-Policy": "cross-origin"}  # feeds are read elsewhere
    whole = Response(photo.content, media_type=photo.media_type, headers=headers)
    answer = cacheable(request, whole, changed=None)
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer
