"""The operators' calls for photos. An upload stays in memory until its metadata is gone."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.issues.decoding import PhotoKindUnknown, PhotoTooLarge, decode
from app.issues.photos import delete_photo, find_photo, keep, list_photos
from app.issues.reencoding import LARGEST
from app.operators.api_keys import Operator
from app.operators.audit import note
from app.operators.auth import needs
from app.web.context import Here, Now, Reading, Writing
from app.web.request_body import media_type

router = APIRouter(prefix="/v1/photos", tags=["issues"])

Reads = Annotated[Operator, Depends(needs("issues:read"))]
Writes = Annotated[Operator, Depends(needs("issues:write"))]

KINDS = ("image/jpeg", "image/png", "image/webp", "image/gif")
MULTIPART = "multipart/form-data"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "type": "object",
    "required": ["photo"],
    "additionalProperties": False,
    "properties": {"photo": {"type": "string", "format": "binary"}},
}
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {MULTIPART: {"schema": _FORM}} | dict.fromkeys(KINDS, _BINARY),
    }
}
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": _BINARY, "image/png": _BINARY}}
}


class PhotoView(BaseModel):
    """What is known of a photo; an issue names it by its id."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    media_type: str
    width: Annotated[int, Field(description="pixels")]
    height: Annotated[int, Field(description="pixels")]
    size: Annotated[int, Field(description="bytes")]
    day: date


class _InMemory(MultiPartParser):
    """Reads a form without writing what is in it to the disk."""

    spool_max_size = 16 << 20  # more than the port lets in


async def _upload(request: Request, _operator: Writes) -> bytes:
    """Read the body: the picture itself, or a form with one file named `photo`."""
    kind = media_type(request)
    if kind == MULTIPART:
        return await _from_form(request)
    if kind not in KINDS:
        raise PhotoKindUnknown(field="photo")
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST:
            raise PhotoTooLarge(field="photo")
    return bytes(raw)


async def _from_form(request: Request) -> bytes:
    parser = _InMemory(request.headers, request.stream(), max_files=1, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError):  # KeyError: no boundary is named
        wrong = {"type": "form", "loc": ("body",), "msg": "this is not a form with one file"}
        raise RequestValidationError([wrong]) from None
    try:
        photo = form.get("photo")
        if isinstance(photo, UploadFile):
            return await photo.read(LARGEST + 1)
    finally:
        await form.close()
    missing = {"type": "missing", "loc": ("body", "photo"), "msg": "Field required"}
    raise RequestValidationError([missing])


@router.post("", openapi_extra=UPLOAD, responses={201: {"model": PhotoView}})
def post_photo(
    raw: Annotated[bytes, Depends(_upload)],
    response: Response,
    here: Here,
    operator: Writes,
    now: Now,
) -> PhotoView:
    """Keep a photo without its metadata; 201 if it is new, 200 if it is known."""
    decoded = decode(raw)
    with here.database.transaction() as session:
        photo, new = keep(session, decoded, today=now.date())
        note(session, operator.name, "photo stored", photo.id, now=now)
        view = PhotoView.model_validate(photo)
    response.status_code = 201 if new else 200
    return view


@router.get("")
def get_photos(session: Reading, _operator: Reads) -> list[PhotoView]:
    """Return what is known of all photos, the newest first."""
    return [PhotoView.model_validate(row) for row in list_photos(session)]


@router.get("/{photo_id}", response_class=Response, responses=PICTURE)
def get_photo(photo_id: str, session: Reading, _operator: Reads) -> Response:
    """Return the picture as it is kept."""
    photo = find_photo(session, photo_id)
    return Response(photo.content, media_type=photo.media_type)


@router.delete("/{photo_id}", status_code=204)
def delete_one(photo_id: str, session: Writing, operator: Writes, now: Now) -> None:
    """Delete a photo that no issue shows."""
    delete_photo(session, photo_id)
    note(session, operator.name, "photo deleted", photo_id, now=now)
