"""The operators' calls about the service itself: who did what, what they were told, which keys."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from app.database import MAX_ROW_NUMBER
from app.operators.alerts import recent_alerts
from app.operators.api_keys import Operator, list_keys
from app.operators.audit import entries
from app.operators.auth import needs
from app.web.context import Reading

router = APIRouter(prefix="/v1", tags=["operators"])

Audits = Annotated[Operator, Depends(needs("audit:read"))]


class AuditView(BaseModel):
    """One line of the audit."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    actor: str
    action: str
    subject: str


class AlertView(BaseModel):
    """Something operators should know."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    text: str


class KeyView(BaseModel):
    """An API key without its secret."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    scopes: str
    created_day: date
    expires_day: date | None
    revoked: bool


@router.get("/audit")
def get_audit(
    session: Reading,
    _operator: Audits,
    before: Annotated[int | None, Query(ge=1, le=MAX_ROW_NUMBER)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[AuditView]:
    """Return who did what, the newest first; `before` is the last number of the page before."""
    return [AuditView.model_validate(e) for e in entries(session, before=before, limit=limit)]


@router.get("/alerts")
def get_alerts(session: Reading, _operator: Audits) -> list[AlertView]:
    """Return what operators were told, the newest first."""
    return [AlertView.model_validate(each) for each in recent_alerts(session)]


@router.get("/keys")
def get_keys(session: Reading, _operator: Audits) -> list[KeyView]:
    """Return all API keys; keys are made by `vestka key create` alone."""
    return [KeyView.model_validate(each) for each in list_keys(session)]
