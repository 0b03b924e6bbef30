"""What is done once, in a process of its own, before the processes of `vestka serve` start.

Settings are read, the schema is brought up to date, keys are made or refused. The process ends
before the others begin, so none of them inherits what it held.
"""

from app import sender as sending
from app.cli.app_context import CommandContext
from app.cli.roles import Role, read_all


def prepare() -> None:
    """Read and make all that the roles share. Raises what makes a start senseless."""
    opened = CommandContext()
    read_all(opened.settings, [Role.PUBLIC, Role.OPERATORS, Role.SENDER])
    sending.check(opened.settings, opened.newsletter)
    opened.data_dir()
    database = opened.database
    _ = opened.keyring, opened.dkim_keys
    database.close()
