"""A socket that listens for HTTP clients."""

import socket

_BACKLOG = 512
_SEND_BUFFER = 262_144  # bytes that the kernel keeps for a client that does not read


def listening_socket(host: str, port: int) -> socket.socket:
    """Listen there. Raises OSError.

    It is made for TCP by name: asyncio turns Nagle's algorithm off for such sockets only, and with
    it the second write of an answer waits 40 ms for the client to confirm the first.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock
