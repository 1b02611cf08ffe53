"""TCP ports on 127.0.0.1: whether one is free, and which."""

import socket
from random import SystemRandom
from typing import Final

LOOPBACK: Final = "127.0.0.1"

_OFFERED: Final = range(10_000, 32_768)
"""Below those that the kernel gives to connections that begin, any of which could take a port before a server does."""


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
    random = SystemRandom()  # two processes with the same seed must not be offered the same ports
    while not is_free(port := random.choice(_OFFERED)):
        pass
    return port


def answers(host: str, port: int, *, timeout_seconds: float = 1) -> bool:
    """Whether anybody accepts a connection there."""
    try:
        socket.create_connection((host, port), timeout_seconds).close()
    except OSError:
        return False
    return True
