"""Whether a process lives, and whether it can do its work. The relay is no part of that."""

from fastapi import APIRouter, Request, Response

from app.readiness import Readiness

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


@router.get(
    "/ready",
    responses={
        503: {
            "description": "database, disk or keys are missing; `status` says which",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
def ready(request: Request, response: Response) -> dict[str, str]:
    """Say whether requests can be served: the database answers, disk and keys are there."""
    readiness: Readiness = request.app.state.readiness
    fault = readiness.fault()
    if fault is not None:
        response.status_code = 503
        return {"status": fault}
    return {"status": "ready"}
