"""The roles of a process, what each must be set, and where each listens."""

import socket
from collections.abc import Iterable
from enum import StrEnum

from app.cli.listen_sockets import open_socket
from app.log import get_logger
from app.settings import Settings, SettingWrong

log = get_logger("serve")


class Role(StrEnum):
    """What a process does."""

    ALL = "all"
    PUBLIC = "public"
    OPERATORS = "operators"
    SENDER = "sender"


# What each role cannot do without, or takes from others by default. Whatever else is given is read,
# too, so that a wrong setting stops the start and not the first letter.
NEEDED = {
    Role.PUBLIC: ("public_url",),
    Role.OPERATORS: ("public_url", "from_address", "list_domain"),
    Role.SENDER: (
        *("public_url", "relays", "from_address"),
        *("list_domain", "return_path_domain", "dkim_domain"),
    ),
}

_LISTEN = {
    Role.PUBLIC: "public_listen",
    Role.OPERATORS: "operators_listen",
    Role.SENDER: "sender_listen",
}


def read_all(settings: Settings, roles: Iterable[Role]) -> None:
    """Read whatever was given, and what these roles need. Raises SettingWrong."""
    for knob in settings.declared():
        if settings.text_of(knob.name) is not None:
            getattr(settings, knob.attribute)
    for role in roles:
        for name in ("database_url", *NEEDED[role]):
            getattr(settings, name)


def listening_socket(settings: Settings, role: Role) -> socket.socket | None:
    """Open the port of a role. Raises SettingWrong if that is not possible.

    A sender works without its port, too: None if nobody chose one and the default is taken, as by
    another sender on the same machine.
    """
    name = f"VESTKA_{_LISTEN[role].upper()}"
    try:
        return open_socket(name, getattr(settings, _LISTEN[role]))
    except SettingWrong as refused:
        if role is not Role.SENDER or settings.text_of(name) is not None:
            raise
        log.warning("the sender has no health endpoint", why=str(refused))
        return None
