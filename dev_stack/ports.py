"""TCP ports on 127.0.0.1: whether one is free, and which."""

import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now.

    SO_REUSEADDR, as every server of ours sets it: a connection in TIME_WAIT is then no obstacle, a listener still is.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on; whoever asks should listen on it soon."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])


def answers(host: str, port: int, *, timeout_seconds: float = 1) -> bool:
    """Whether anybody accepts a connection there."""
    try:
        socket.create_connection((host, port), timeout_seconds).close()
    except OSError:
        return False
    return True
