"""The operators' call for counts of subscribers. Nobody is listed, searched or shown."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from app.operators.api_keys import Operator
from app.operators.auth import needs
from app.subscribers.counts import counts
from app.web.context import Here, Reading

router = APIRouter(prefix="/v1/segments", tags=["subscribers"])

Counts = Annotated[Operator, Depends(needs("subscribers:count"))]


class SegmentView(BaseModel):
    """How many read a segment, and how many have left it, by reason."""

    segment: str
    label: str
    confirmed: int
    pending: int
    languages: dict[str, int]
    left: dict[str, int]


@router.get("")
def get_segments(here: Here, session: Reading, _operator: Counts) -> list[SegmentView]:
    """Return the counts of every segment."""
    return [SegmentView.model_validate(row) for row in counts(session, here.newsletter)]
