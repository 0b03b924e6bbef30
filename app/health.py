"""Whether a process lives, and whether it can do its work. The relay is no part of that."""

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.web.context import Here

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


@router.get("/ready", responses={503: {"description": "the database does not answer"}})
def ready(here: Here, response: Response) -> dict[str, str]:
    """Say whether the database answers, and so whether requests can be served."""
    try:
        with here.database.reading() as session:
            # A constant alone would be answered without a look at the file, locked or gone.
            session.execute(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        response.status_code = 503
        return {"status": "the database does not answer"}
    return {"status": "ready"}
