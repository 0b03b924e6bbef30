"""The least that could answer: Starlette, the JSON parsed, 202. What Vestka is compared with."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def _accept(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse({"status": "accepted"}, 202)


app = Starlette(routes=[Route("/v1/subscriptions", _accept, methods=["POST"])])

if __name__ == "__main__":
    port = int(sys.argv[1])
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
