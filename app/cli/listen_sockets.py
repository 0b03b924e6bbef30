"""Sockets that listen: opened before anything else is made, or inherited from the supervisor.

A socket that the supervisor holds stays open while its process is started again: clients wait a
moment, and nobody else can take the port.
"""

import errno
import socket

from app.settings import Listen, SettingWrong
from app.web.listening import listening_socket


def open_socket(name: str, listen: Listen) -> socket.socket:
    """Listen there. Raises SettingWrong, which names the setting `name`."""
    try:
        return listening_socket(listen.host, listen.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            taken = "names a port on which something listens already: another Vestka, perhaps"
            raise SettingWrong(name, taken) from None
        raise SettingWrong(name, "names an address that cannot be listened on") from None


def inherited_socket(number: int) -> socket.socket:
    """Take over a listening socket that the supervisor opened, by its file descriptor."""
    inherited = socket.socket(fileno=number)
    inherited.set_inheritable(False)
    return inherited
