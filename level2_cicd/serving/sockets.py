"""The socket on which a service listens; workers share one, so that a restart loses no connection."""

import socket

BACKLOG = 2048  # connections that wait to be taken


def bind(host: str, port: int) -> socket.socket:
    """A bound socket, on which nobody is answered before a process serves.

    Raises OSError where the address is taken or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    sock.set_inheritable(True)
    return sock
