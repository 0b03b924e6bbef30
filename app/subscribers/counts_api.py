"""The operators' call for counts of subscribers. Nobody is listed, searched or shown."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from app.operators.api_keys import Operator
from app.operators.auth import needs
from app.operators.published_counts import published
from app.web.context import Here, Reading

router = APIRouter(prefix="/v1/segments", tags=["subscribers"])

Counts = Annotated[Operator, Depends(needs("subscribers:count"))]


class SegmentView(BaseModel):
    """How many read a segment, and how many have left it, by reason: rounded, 0 below twenty."""

    segment: str
    label: str
    confirmed: int
    pending: int
    languages: dict[str, int]
    left: dict[str, int]


@router.get("")
def get_segments(here: Here, session: Reading, _operator: Counts) -> list[SegmentView]:
    """Return the counts of every segment: multiples of five, 0 for fewer than twenty, hourly.

    Exact counts are for the command line on the sender's host (`vestka subscribers count`).
    """
    counted = published(session).get("segments", {})
    nothing = {"confirmed": 0, "pending": 0, "languages": {}, "left": {}}
    return [
        SegmentView.model_validate(
            {"segment": each.id, "label": each.label, **(counted.get(each.id) or nothing)}
        )
        for each in here.newsletter.segments
    ]
