"""The public process: it faces the internet, and imports nothing that could use a private key."""

from app.cli.roles import Role
from app.cli.web_process import run_web
from app.public_server import create_public


async def run(socket: int | None) -> None:
    """Serve the readers' port until told to stop."""
    await run_web(Role.PUBLIC, create_public, socket)
