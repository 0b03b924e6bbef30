"""The address of the script that puts the sign-up form on any website."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.subscribers.script import script
from app.web.context import Here
from app.web.gzip import compressed
from app.web.http_caching import cacheable

router = APIRouter(tags=["pages"])

# Every website may load it, also as a module or with `integrity`, which ask by CORS.
_FOR_EVERY_WEBSITE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@router.get("/form.js", responses={200: {"content": {"text/javascript": {}}}})
def form_script(request: Request, here: Here) -> Response:
    """Give the element `<vestka-signup>`."""
    settings = here.settings
    source = script(here.newsletter, settings.public_url, asks_for_proof=settings.asks_for_proof)
    answer = Response(source, media_type="text/javascript", headers=_FOR_EVERY_WEBSITE)
    return cacheable(request, compressed(request, answer), changed=None)
