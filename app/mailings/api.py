"""The operators' call that takes an approval back: whether it may, the issue's mailings say."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.issues.api import WeekPath
from app.mailings.withdrawal import withdraw
from app.operators.api_keys import Operator
from app.operators.audit import note
from app.operators.auth import needs
from app.web.context import Now, Writing

router = APIRouter(prefix="/v1/issues", tags=["issues"])

Approves = Annotated[Operator, Depends(needs("issues:approve"))]


@router.delete("/{week}/approval", status_code=204)
def delete_approval(operator: Approves, week: WeekPath, session: Writing, now: Now) -> None:
    """Withdraw the approval for all segments, unless one of them was launched."""
    withdraw(session, week)
    note(session, operator.name, "approval withdrawn", str(week), now=now)
