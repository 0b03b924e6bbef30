"""The operators' process: their API, with public keys and the link key only."""

from app.cli.roles import Role
from app.cli.web_process import run_web
from app.operators_server import create_operators


async def run(socket: int | None) -> None:
    """Serve the operators' port until told to stop."""
    await run_web(Role.OPERATORS, create_operators, socket)
