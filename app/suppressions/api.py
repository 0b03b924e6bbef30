"""The operators' calls for suppressions: add one address, see how many there are.

Nobody can ask here whether an address is suppressed: only the sender's host could tell.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from app.addresses.address import AddressRefused, EmailAddress
from app.operators.api_keys import Operator
from app.operators.audit import note
from app.operators.auth import needs
from app.operators.published_counts import published
from app.suppressions.reasons import REASONS
from app.suppressions.requests import request
from app.web.context import Here, Now, Reading, Writing
from app.web.openapi import EMAIL
from app.web.request_body import Body
from app.web.strict_json import StrictRoute

router = APIRouter(prefix="/v1/suppressions", tags=["suppressions"], route_class=StrictRoute)

Counts = Annotated[Operator, Depends(needs("suppressions:read"))]
Adds = Annotated[Operator, Depends(needs("suppressions:write"))]


class SuppressionWish(Body):
    """An address that must never be written to."""

    email: Annotated[str, Field(max_length=320, json_schema_extra=EMAIL)]


class Requested(BaseModel):
    """The same for every address."""

    status: str = "accepted"


@router.get("")
def get_suppressions(session: Reading, _operator: Counts) -> dict[str, int]:
    """Return how many addresses are suppressed, by reason: rounded to five, 0 below twenty, hourly.

    Exact counts are for the command line on the sender's host (`vestka suppression count`).
    """
    counted = published(session).get("suppressed", {})
    return {reason: counted.get(reason, 0) for reason in REASONS}


@router.post("", status_code=202)
def post_suppression(
    wish: SuppressionWish, here: Here, session: Writing, operator: Adds, now: Now
) -> Requested:
    """Never write to this address again; whatever it is subscribed to ends, within a second."""
    try:
        address = EmailAddress.parse(wish.email)
    except AddressRefused as refused:
        refused.field = "email"
        raise
    request(session, here.keys, address, today=now.date())
    note(session, operator.name, "suppression added", "one address", now=now)
    return Requested()
